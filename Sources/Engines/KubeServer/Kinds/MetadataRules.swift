// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What the API demands of every object's metadata.
enum MetadataRules {
    static func validate(_ object: JSON, _ resource: Resource, _ errors: inout FieldErrors) {
        let metadata = object["metadata"] ?? [:]
        let name = metadata["name"]?.string ?? ""
        if let prefix = metadata["generateName"]?.string, !prefix.isEmpty {
            // A prefix may end in a hyphen, since letters follow.
            let sample = prefix.hasSuffix("-") && prefix.count > 1 ? String(prefix.dropLast(2)) + "a" : prefix
            for problem in resource.traits.nameProblems(sample) {
                errors.invalid("metadata.generateName", prefix, problem)
            }
        }
        if name.isEmpty {
            errors.required("metadata.name", "name or generateName is required")
        } else {
            for problem in resource.traits.nameProblems(name) { errors.invalid("metadata.name", name, problem) }
        }
        if resource.type.isNamespaced {
            let namespace = metadata["namespace"]?.string ?? ""
            if namespace.isEmpty {
                errors.required("metadata.namespace")
            } else {
                for problem in NameRules.dnsLabelProblems(namespace) {
                    errors.invalid("metadata.namespace", namespace, problem)
                }
            }
        }
        validateContent(object, isCustom: resource.custom != nil, &errors)
    }

    /// All but the names.
    static func validateContent(_ object: JSON, isCustom: Bool, _ errors: inout FieldErrors) {
        let metadata = object["metadata"] ?? [:]
        if let generation = metadata["generation"]?.int, generation < 0 {
            errors.invalid("metadata.generation", generation, "must be greater than or equal to 0")
        }
        owners(metadata, &errors)
        labels(metadata["labels"], at: "metadata.labels", &errors)
        annotations(metadata["annotations"], at: "metadata.annotations", &errors)
        finalizers(metadata, isCustom: isCustom, &errors)
    }

    static func labels(_ labels: JSON?, at field: String, _ errors: inout FieldErrors) {
        for (key, value) in (labels?.stringMap ?? [:]).sorted(by: { $0.key < $1.key }) {
            for problem in NameRules.qualifiedNameProblems(key) { errors.invalid(field, key, problem) }
            for problem in NameRules.labelValueProblems(value) { errors.invalid(field, value, problem) }
        }
    }

    private static let annotationLimit = 256 * 1024

    static func annotations(_ annotations: JSON?, at field: String, _ errors: inout FieldErrors) {
        var size = 0
        for (key, value) in (annotations?.stringMap ?? [:]).sorted(by: { $0.key < $1.key }) {
            for problem in NameRules.qualifiedNameProblems(key.lowercased()) { errors.invalid(field, key, problem) }
            size += key.utf8.count + value.utf8.count
        }
        if size > annotationLimit { errors.tooLong(field, annotationLimit) }
    }

    private static let standardFinalizers: Set<String> = ["orphan", "foregroundDeletion", "kubernetes"]

    /// Only kinds that are built in know which finalizers need no domain.
    private static func finalizers(_ metadata: JSON, isCustom: Bool, _ errors: inout FieldErrors) {
        let finalizers = metadata["finalizers"]?.array?.compactMap(\.string) ?? []
        for finalizer in finalizers {
            for problem in NameRules.qualifiedNameProblems(finalizer) {
                errors.invalid("metadata.finalizers", finalizer, problem)
            }
        }
        if finalizers.contains("orphan"), finalizers.contains("foregroundDeletion") {
            errors.invalid(
                "metadata.finalizers",
                .array(finalizers.map { .string($0) }),
                "finalizer orphan and foregroundDeletion cannot be both set"
            )
        }
        guard !isCustom else { return }
        for (place, finalizer) in finalizers.enumerated()
        where !finalizer.contains("/") && !standardFinalizers.contains(finalizer) {
            errors.invalid(
                "metadata.finalizers[\(place)]",
                finalizer,
                "name is neither a standard finalizer name nor is it fully qualified"
            )
        }
    }

    private static func owners(_ metadata: JSON, _ errors: inout FieldErrors) {
        let owners = metadata["ownerReferences"]?.array ?? []
        let field = "metadata.ownerReferences"
        var controller: JSON?
        for owner in owners {
            let parts = (owner["apiVersion"]?.string ?? "").split(separator: "/", omittingEmptySubsequences: false)
            if parts.count > 2 || parts.last?.isEmpty ?? true {
                errors.invalid("\(field).apiVersion", owner["apiVersion"]?.string ?? "", "version must not be empty")
            }
            for member in ["kind", "name", "uid"] where (owner[member]?.string ?? "").isEmpty {
                errors.invalid("\(field).\(member)", "", "must not be empty")
            }
            if owner["kind"] == "Event", owner["apiVersion"] == "v1" || owner["apiVersion"] == "events.k8s.io/v1" {
                let group = parts.count > 1 ? String(parts[0]) : ""
                let title = "\(group)/v1, Kind=Event"
                errors.invalid(field, owner, "\(title) is disallowed from being an owner")
            }
            guard owner["controller"]?.bool == true else { continue }
            if let controller {
                errors.invalid(
                    field,
                    .array(owners),
                    "Only one reference can have Controller set to true. Found \"true\" in references for "
                        + "\(title(controller)) and \(title(owner))"
                )
            }
            controller = owner
        }
    }

    /// Owners that are named twice in the same words count once; the uids of those that were.
    static func dropRepeatedOwners(_ object: inout JSON) -> [String] {
        guard let owners = object[path: "metadata", "ownerReferences"]?.array, owners.count > 1 else { return [] }
        var kept: [JSON] = []
        var repeated: [String] = []
        for owner in owners {
            guard kept.contains(owner) else {
                kept.append(owner)
                continue
            }
            let uid = owner["uid"]?.string ?? ""
            if !repeated.contains(uid) { repeated.append(uid) }
        }
        if !repeated.isEmpty { object.set(.array(kept), at: ["metadata", "ownerReferences"]) }
        return repeated
    }

    private static func title(_ owner: JSON) -> String {
        "\(owner["kind"]?.string ?? "")/\(owner["name"]?.string ?? "")"
    }

    /// What may not change; said once by the shared rules and once by the kind's, as the real server does.
    static func validateUpdate(_ object: JSON, from old: JSON, isCustom: Bool, _ errors: inout FieldErrors) {
        let metadata = object["metadata"] ?? [:]
        let before = old["metadata"] ?? [:]
        newFinalizers(metadata, before, &errors)
        for member in [
            "name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
        ] {
            let isSame = (metadata[member] ?? .null) == (before[member] ?? .null)
            if !isSame { errors.invalid("metadata.\(member)", metadata[member] ?? .null, "field is immutable") }
        }
        labels(metadata["labels"], at: "metadata.labels", &errors)
        annotations(metadata["annotations"], at: "metadata.annotations", &errors)
        owners(metadata, &errors)
        finalizers(metadata, isCustom: isCustom, &errors)
    }

    private static func newFinalizers(_ metadata: JSON, _ before: JSON, _ errors: inout FieldErrors) {
        guard before["deletionTimestamp"]?.string != nil else { return }
        let known = Set(before["finalizers"]?.array?.compactMap(\.string) ?? [])
        let added = (metadata["finalizers"]?.array?.compactMap(\.string) ?? []).filter { !known.contains($0) }
        guard !added.isEmpty else { return }
        let list = added.map { FieldErrors.quoted($0) }.joined(separator: ", ")
        errors.forbidden(
            "metadata.finalizers",
            "no new finalizers can be added if the object is being deleted, found new finalizers []string{\(list)}"
        )
    }

    /// Takes from the stored object what a client may leave out of an update or cannot change.
    static func carryOver(_ object: inout JSON, from old: JSON) {
        let before = old["metadata"] ?? [:]
        var metadata = object["metadata"] ?? [:]
        for member in ["uid", "creationTimestamp"] where metadata[member]?.string?.isEmpty ?? true {
            metadata[member] = before[member]
        }
        for member in ["deletionTimestamp", "deletionGracePeriodSeconds"] where before[member] != nil {
            if metadata[member] == nil { metadata[member] = before[member] }
        }
        metadata["generation"] = before["generation"]
        metadata["namespace"] = before["namespace"]
        metadata["selfLink"] = nil
        metadata["managedFields"] = nil
        object["metadata"] = metadata
    }
}
