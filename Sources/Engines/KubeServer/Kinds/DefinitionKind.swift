// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

struct DefinitionStrategy: KindStrategy {
    let traits = KindTraits(generationFields: ["spec"], hasStatus: true, allowsUnconditionalUpdate: false)

    func setDefaults(_ object: inout JSON) {
        guard var spec = object["spec"], spec.object != nil else { return }
        let kind = spec[path: "names", "kind"]?.string ?? ""
        if !kind.isEmpty {
            var names = spec["names"] ?? [:]
            PodDefaults.setIfAbsent(&names, "singular", .string(kind.lowercased()))
            PodDefaults.setIfAbsent(&names, "listKind", .string("\(kind)List"))
            spec["names"] = names
        }
        if spec["conversion"] == nil { spec["conversion"] = ["strategy": "None"] }
        object["spec"] = spec
    }

    func prepareForCreate(_ object: inout JSON, _ context: WriteContext) {
        let stored = (object[path: "spec", "versions"]?.array ?? []).filter { $0["storage"]?.bool == true }
            .compactMap { $0["name"] }.prefix(1)
        object["status"] = [
            "conditions": .null, "acceptedNames": ["plural": "", "kind": ""], "storedVersions": .array(Array(stored)),
        ]
    }

    func prepareForUpdate(_ object: inout JSON, from old: JSON, _ context: WriteContext) {
        // A version that was ever stored is remembered.
        let stored = (object[path: "spec", "versions"]?.array ?? []).first { $0["storage"]?.bool == true }?["name"]
        var versions = object[path: "status", "storedVersions"]?.array ?? []
        guard let stored, !versions.contains(stored) else { return }
        versions.append(stored)
        object.set(.array(versions), at: ["status", "storedVersions"])
    }

    func validateName(_ object: JSON, _ errors: inout FieldErrors) {
        let group = object[path: "spec", "group"]?.string ?? ""
        let plural = object[path: "spec", "names", "plural"]?.string ?? ""
        let name = object[path: "metadata", "name"]?.string ?? ""
        guard name != "\(plural).\(group)" else { return }
        errors.invalid("metadata.name", name, "must be spec.names.plural+\".\"+spec.group")
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let spec = object["spec"] ?? [:]
        let group = spec["group"]?.string ?? ""
        if group.isEmpty {
            errors.required("spec.group")
        } else {
            let problems = NameRules.dnsSubdomainProblems(group)
            for problem in problems { errors.invalid("spec.group", group, problem) }
            if problems.isEmpty, !group.contains(".") {
                errors.invalid("spec.group", group, "should be a domain with at least one dot")
            }
        }
        let scope = spec["scope"]?.string ?? ""
        if scope.isEmpty {
            errors.required("spec.scope")
        } else if !["Cluster", "Namespaced"].contains(scope) {
            errors.notSupported("spec.scope", scope, ["Cluster", "Namespaced"])
        }
        let versions = DefinitionVersions(spec)
        DefinitionRules.checkPresence(spec, &errors)
        checkVersions(versions, &errors)
        checkNames(spec["names"] ?? [:], &errors)
        DefinitionRules.check(spec, &errors)
        versions.checkShared(&errors)
        DefinitionConversion.check(spec["conversion"] ?? [:], &errors)
        checkStored(object, &errors)
    }

    /// Every version that is marked as the stored one is remembered.
    private func checkStored(_ object: JSON, _ errors: inout FieldErrors) {
        let stored = object[path: "status", "storedVersions"]?.array ?? []
        guard !stored.isEmpty else {
            return errors.invalid("status.storedVersions", .null, "must have at least one stored version")
        }
        for version in object[path: "spec", "versions"]?.array ?? [] where version["storage"]?.bool == true {
            guard let name = version["name"], !stored.contains(name) else { continue }
            let words = "must have the storage version \(name.string ?? "")"
            errors.invalid("status.storedVersions", .array(stored), words)
        }
    }

    func validateCreate(_ object: JSON, _ errors: inout FieldErrors) {
        checkApproval(object, &errors)
        guard object[path: "spec", "preserveUnknownFields"]?.bool == true else { return }
        errors.invalid(
            "spec.preserveUnknownFields",
            true as JSON,
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        )
    }

    /// What an annotation says about a group that belongs to the community.
    private enum Approval { case missing, invalid, given, waived }

    private static let approval = "api-approved.kubernetes.io"

    private static func approval(of object: JSON) -> Approval {
        let text = object[path: "metadata", "annotations"]?[approval]?.string ?? ""
        guard !text.isEmpty else { return .missing }
        guard !text.hasPrefix("unapproved") else { return .waived }
        let parts = text.split(separator: "://", maxSplits: 1)
        let isAddress = parts.count == 2 && parts[0].allSatisfy(\.isLetter) && !parts[1].hasPrefix("/")
        return isAddress ? .given : .invalid
    }

    private func checkApproval(_ object: JSON, _ errors: inout FieldErrors) {
        let group = object[path: "spec", "group"]?.string ?? ""
        guard ["k8s.io", "kubernetes.io"].contains(where: { group == $0 || group.hasSuffix(".\($0)") }) else { return }
        let field = "metadata.annotations[\(Self.approval)]"
        let words = "protected groups must have approval annotation \"\(Self.approval)\""
        let tail = ", see https://github.com/kubernetes/enhancements/pull/1111"
        switch Self.approval(of: object) {
        case .missing: errors.required(field, words + tail)
        case .invalid:
            let text = object[path: "metadata", "annotations"]?[Self.approval] ?? ""
            errors.invalid(field, text, "\(words) with either a URL or a reason starting with \"unapproved\"\(tail)")
        case .given, .waived: break
        }
    }

    func warnings(_ object: JSON, from old: JSON?) -> [String] {
        guard object["spec"] != old?["spec"] else { return [] }
        return DefinitionRules.warnings(object["spec"] ?? [:])
    }

    private func checkVersions(_ versions: DefinitionVersions, _ errors: inout FieldErrors) {
        var names: Set<String> = []
        var isUnique = true
        for (place, version) in versions.versions.enumerated() {
            let name = version["name"]?.string ?? ""
            for problem in NameRules.dns1035Problems(name) {
                errors.invalid("spec.versions[\(place)].name", name, problem)
            }
            isUnique = names.insert(name).inserted && isUnique
            versions.check(place, &errors)
        }
        if !isUnique { errors.invalid("spec.versions", versions.shown, "must contain unique version names") }
        let stored = versions.versions.filter { $0["storage"]?.bool == true }
        if stored.count != 1 {
            errors.invalid("spec.versions", versions.shown, "must have exactly one version marked as storage version")
        }
        let first = versions.versions.first?["name"]?.string ?? ""
        guard !first.isEmpty else { return }
        for problem in NameRules.dns1035Problems(first) { errors.invalid("spec.version", first, problem) }
    }

    private func checkNames(_ names: JSON, _ errors: inout FieldErrors) {
        for member in ["plural", "singular", "kind", "listKind"] where (names[member]?.string ?? "").isEmpty {
            errors.required("spec.names.\(member)")
        }
        func check(_ text: String, _ field: String) {
            guard !text.isEmpty else { return }
            for problem in NameRules.dns1035Problems(text) { errors.invalid(field, text, problem) }
        }
        for member in ["plural", "singular"] { check(names[member]?.string ?? "", "spec.names.\(member)") }
        for member in ["kind", "listKind"] {
            let text = names[member]?.string ?? ""
            guard !text.isEmpty else { continue }
            for problem in NameRules.dns1035Problems(text.lowercased()) {
                let words = "may have mixed case, but should otherwise match: \(problem)"
                errors.invalid("spec.names.\(member)", text, words)
            }
        }
        for (place, short) in (names["shortNames"]?.array ?? []).compactMap(\.string).enumerated() {
            check(short, "spec.names.shortNames[\(place)]")
        }
        let list = names["listKind"]?.string ?? ""
        if !list.isEmpty, names["listKind"] == names["kind"] {
            errors.invalid("spec.names.listKind", list, "kind and listKind may not be the same")
        }
        for (place, category) in (names["categories"]?.array ?? []).compactMap(\.string).enumerated() {
            check(category, "spec.names.categories[\(place)]")
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        if Self.approval(of: object) != Self.approval(of: old) { checkApproval(object, &errors) }
        // Before they are served, scope and kind may still change.
        let isEstablished = (old[path: "status", "conditions"]?.array ?? [])
            .contains { $0["type"] == "Established" && $0["status"] == "True" }
        let kept = isEstablished ? [["scope"], ["names", "kind"]] : []
        for path in kept + [["group"], ["names", "plural"]] {
            let now = object["spec"]?[path: path]
            guard now != old["spec"]?[path: path] else { continue }
            errors.invalid("spec.\(path.joined(separator: "."))", now ?? "", "field is immutable")
        }
        let names = Set((object[path: "spec", "versions"]?.array ?? []).compactMap { $0["name"]?.string })
        for (place, stored) in (old[path: "status", "storedVersions"]?.array ?? []).compactMap(\.string).enumerated()
        where !names.contains(stored) {
            errors.invalid(
                "status.storedVersions[\(place)]",
                stored,
                "missing from spec.versions; \(stored) was previously a storage version, and must remain in spec.versions "
                    + "until a storage migration ensures no data remains persisted in \(stored) and removes \(stored) from "
                    + "status.storedVersions"
            )
        }
    }
}

/// Serving what CustomResourceDefinitions define.
extension KubernetesServer {
    /// Serves a definition's resources from now on.
    func serve(_ definition: JSON) {
        let name = definition[path: "metadata", "name"]?.string ?? ""
        guard conflict(definition) == nil else { return catalog.serve([], for: name) }
        catalog.serve(Resource.custom(definition), for: name)
    }

    /// Why the definition's names cannot be served: the server itself or another definition of the group has them.
    private func conflict(_ definition: JSON) -> (reason: String, message: String)? {
        let name = definition[path: "metadata", "name"]?.string ?? ""
        let kind = definition[path: "spec", "names", "kind"]?.string ?? ""
        let group = definition[path: "spec", "group"]?.string ?? ""
        if let plural = Self.plural(of: definition), catalog.isBuiltIn(group: group, plural: plural) {
            return ("PluralConflict", "\"\(plural)\" is already in use")
        }
        let others = catalog.snapshot.all.filter { $0.type.group == group && $0.custom?.definition != name }
        guard others.contains(where: { $0.type.kind == kind }) else { return nil }
        return ("KindConflict", "\"\(kind)\" is already in use")
    }

    private static func plural(of definition: JSON) -> String? { definition[path: "spec", "names", "plural"]?.string }

    /// Where the objects of a definition lie; `nil` where they would lie among the server's own.
    private func instances(of definition: JSON) -> Resource? {
        guard let resource = Resource.custom(definition).first,
            !catalog.isBuiltIn(group: resource.type.group, plural: resource.type.plural)
        else { return nil }
        return resource
    }

    /// Records that the names are accepted and the resources served, as soon as they are.
    func establish(_ definition: JSON) async {
        let name = definition[path: "metadata", "name"]?.string ?? ""
        guard definition[path: "metadata", "deletionTimestamp"]?.string == nil,
            let resource = catalog.resource(of: .customResourceDefinitions)
        else { return }
        let problem = conflict(definition)
        let now = clock.now
        var parameters = WriteParameters()
        parameters.client = "kube-apiserver"
        parameters.subresource = "status"
        let change = Change(
            resource: resource,
            namespace: nil,
            name: name,
            parameters: parameters,
            part: .binding
        )
        // Whoever changes the definition meanwhile comes by here as well.
        _ = try? await apply(change) { (old) throws(KubeStatus) in
            var object = old
            object.set(nil, at: ["metadata", "resourceVersion"])
            Self.note(problem, in: &object, now)
            return (object, [])
        }
    }

    private static func note(_ problem: (reason: String, message: String)?, in object: inout JSON, _ now: Timestamp) {
        Conditions.set(
            &object,
            "NamesAccepted",
            isTrue: problem == nil,
            reason: problem?.reason ?? "NoConflicts",
            message: problem?.message ?? "no conflicts found",
            now: now
        )
        if problem == nil {
            object.set(object[path: "spec", "names"], at: ["status", "acceptedNames"])
        }
        Conditions.set(
            &object,
            "Established",
            isTrue: problem == nil,
            reason: problem == nil ? "InitialNamesAccepted" : "NotAccepted",
            message: problem == nil ? "the initial names have been accepted" : "not all names are accepted",
            now: now
        )
    }

    /// Goes on with definitions that were being accepted or removed when the server stopped.
    func resumeDefinitions() async {
        guard let resource = catalog.resource(of: .customResourceDefinitions) else { return }
        guard let stored = try? log.list(prefix: resource.prefix).items else { return }
        for each in stored {
            guard let definition = try? StoredJSON.parse(each.value, as: nil) else { continue }
            if definition[path: "metadata", "deletionTimestamp"]?.string != nil {
                await removeInstances(of: definition)
            } else {
                await establish(definition)
            }
        }
    }

    private static let cleanup: JSON = "customresourcecleanup.apiextensions.k8s.io"

    /// Deletes the objects of a definition that is going, which goes once the last of them is gone.
    func removeInstances(of definition: JSON) async {
        let name = definition[path: "metadata", "name"]?.string ?? ""
        guard let resource = instances(of: definition) else { return await letGo(name) }
        let parameters = DeleteParameters()
        for stored in (try? log.list(prefix: resource.prefix).items) ?? [] {
            let (namespace, instance) = resource.names(in: stored.key)
            _ = try? await delete(resource, namespace, instance, parameters)
        }
        await releaseDefinition(name)
    }

    /// Lets a definition go that waits for its objects, where none is left.
    func releaseDefinition(_ name: String) async {
        guard let own = catalog.resource(of: .customResourceDefinitions), let stored = try? find(own, nil, name),
            let definition = try? StoredJSON.parse(stored.value, as: nil),
            definition[path: "metadata", "deletionTimestamp"]?.string != nil
        else { return }
        if let resource = instances(of: definition) {
            guard let left = try? log.list(prefix: resource.prefix, limit: 1).items, left.isEmpty else { return }
        }
        await letGo(name)
    }

    private func letGo(_ name: String) async {
        guard let own = catalog.resource(of: .customResourceDefinitions) else { return }
        let change = Change(resource: own, namespace: nil, name: name, parameters: WriteParameters(), part: .binding)
        _ = try? await apply(change) { (old) throws(KubeStatus) in
            var object = old
            object.set(nil, at: ["metadata", "resourceVersion"])
            let kept = (old[path: "metadata", "finalizers"]?.array ?? []).filter { $0 != Self.cleanup }
            object.set(kept.isEmpty ? nil : .array(kept), at: ["metadata", "finalizers"])
            return (object, [])
        }
    }

    /// Another definition's names are free again: whoever waited for them is served now.
    func serveWaitingDefinitions() async {
        guard let own = catalog.resource(of: .customResourceDefinitions) else { return }
        for stored in (try? log.list(prefix: own.prefix).items) ?? [] {
            guard let definition = try? StoredJSON.parse(stored.value, as: nil) else { continue }
            let accepted = (definition[path: "status", "conditions"]?.array ?? [])
                .first { $0["type"] == "NamesAccepted" }
            guard accepted?["status"] == "False" else { continue }
            serve(definition)
            await establish(definition)
        }
    }
}
