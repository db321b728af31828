// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

struct NamespaceStrategy: KindStrategy {
    let traits = KindTraits(nameProblems: NameRules.dnsLabelProblems, hasStatus: true, returnsDeleted: true)

    private static let nameLabel = "kubernetes.io/metadata.name"

    func setDefaults(_ object: inout JSON) {
        // The label says the name, whatever the client wrote into it.
        guard let name = object[path: "metadata", "name"]?.string, !name.isEmpty else { return }
        object.set(.string(name), at: ["metadata", "labels", Self.nameLabel])
    }

    func prepareForCreate(_ object: inout JSON, _ context: WriteContext) {
        setDefaults(&object)
        var finalizers = object[path: "spec", "finalizers"]?.array ?? []
        if !finalizers.contains("kubernetes") { finalizers.append("kubernetes") }
        object.set(.array(finalizers), at: ["spec", "finalizers"])
        object["status"] = ["phase": "Active"]
    }

    func prepareForUpdate(_ object: inout JSON, from old: JSON, _ context: WriteContext) {
        object.set(old[path: "spec", "finalizers"], at: ["spec", "finalizers"])
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        for finalizer in (object[path: "spec", "finalizers"]?.array ?? []).compactMap(\.string) {
            for problem in NameRules.qualifiedNameProblems(finalizer) {
                errors.invalid("spec.finalizers", finalizer, problem)
            }
            if !finalizer.contains("/"), finalizer != "kubernetes" {
                errors.invalid(
                    "spec.finalizers",
                    finalizer,
                    "name is neither a standard finalizer name nor is it fully qualified"
                )
            }
        }
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let phase = object[path: "status", "phase"]?.string ?? ""
        let isLeaving = object[path: "metadata", "deletionTimestamp"]?.string != nil
        guard phase != (isLeaving ? "Terminating" : "Active") else { return }
        let words =
            isLeaving
            ? "may only be 'Terminating' if `deletionTimestamp` is not empty"
            : "may only be 'Active' if `deletionTimestamp` is empty"
        errors.invalid("status.Phase", phase, words)
    }
}

struct NodeStrategy: KindStrategy {
    let traits = KindTraits(hasStatus: true, checksMetadataAgain: true)

    func setDefaults(_ object: inout JSON) {
        // One range is given under two names; the older name wins where they differ.
        let ranges = object[path: "spec", "podCIDRs"]?.array ?? []
        if let range = object[path: "spec", "podCIDR"], range.string?.isEmpty == false {
            if ranges.first != range { object.set([range], at: ["spec", "podCIDRs"]) }
        } else if let first = ranges.first {
            object.set(first, at: ["spec", "podCIDR"])
        }
        if let capacity = object[path: "status", "capacity"], object[path: "status", "allocatable"] == nil {
            object.set(capacity, at: ["status", "allocatable"])
        }
    }

    func prepareForCreate(_ object: inout JSON, _ context: WriteContext) {
        // Until its agent says otherwise, a new node takes no pods.
        var taints = object[path: "spec", "taints"]?.array ?? []
        let key: JSON = "node.kubernetes.io/not-ready"
        if !taints.contains(where: { $0["key"] == key && $0["effect"] == "NoSchedule" }) {
            taints.append(["key": key, "effect": "NoSchedule"])
        }
        object.set(.array(taints), at: ["spec", "taints"])
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        var seen: [JSON] = []
        for (place, taint) in (object[path: "spec", "taints"]?.array ?? []).enumerated() {
            let field = "metadata.taints[\(place)]"
            let key = taint["key"]?.string ?? ""
            for problem in NameRules.qualifiedNameProblems(key) { errors.invalid("\(field).key", key, problem) }
            let value = taint["value"]?.string ?? ""
            for problem in NameRules.labelValueProblems(value) { errors.invalid("\(field).value", value, problem) }
            Taints.checkEffect(taint["effect"]?.string ?? "", "\(field).effect", &errors)
            let pair: JSON = [taint["key"] ?? "", taint["effect"] ?? ""]
            if seen.contains(pair) {
                let shown = InternalForm.value(taint, as: "Taint").text
                errors.add(
                    .duplicate,
                    field,
                    "Duplicate value: \(shown): taints must be unique by key and effect pair"
                )
            }
            seen.append(pair)
        }
        for (place, range) in (object[path: "spec", "podCIDRs"]?.array ?? []).compactMap(\.string).enumerated()
        where !Self.isRange(range) {
            errors.invalid(
                "spec.podCIDRs[\(place)]",
                range,
                "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
            )
        }
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        var seen: [JSON] = []
        for (place, address) in (object[path: "status", "addresses"]?.array ?? []).enumerated() {
            if seen.contains(address) {
                let shown: JSON = ["Type": address["type"] ?? "", "Address": address["address"] ?? ""]
                errors.duplicate("status.addresses[\(place)]", shown)
            }
            seen.append(address)
        }
    }

    private static func isRange(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let bits = Int(parts[1]), bits >= 0, String(bits) == parts[1] else { return false }
        // Nobody here routes IPv6; such a range is taken as it is.
        return parts[0].contains(":") ? bits <= 128 : AddressRange.number(parts[0]) != nil && bits <= 32
    }

    /// Of what a node is, only what nobody has said yet may be said; whether it takes pods may change.
    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        var (now, before) = (object["spec"] ?? [:], old["spec"] ?? [:])
        for member in ["podCIDRs", "providerID"] {
            let isSet = !(before[member]?.array?.isEmpty ?? true) || !(before[member]?.string?.isEmpty ?? true)
            guard isSet, now[member] != before[member] else { continue }
            let name = member == "podCIDRs" ? "podCIDR" : member
            errors.forbidden("spec.\(member)", "node updates may not change \(name) except from \"\" to valid")
        }
        for member in ["podCIDR", "podCIDRs", "providerID", "unschedulable", "taints", "configSource"] {
            now[member] = nil
            before[member] = nil
        }
        guard now != before else { return }
        errors.forbidden(
            "",
            "node updates may only change labels, taints, or capacity (or configSource, if the DynamicKubeletConfig "
                + "feature gate is enabled)"
        )
    }
}

enum Taints {
    static let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"]

    static func checkEffect(_ effect: String, _ field: String, _ errors: inout FieldErrors) {
        if effect.isEmpty { return errors.required(field) }
        if !effects.contains(effect) { errors.notSupported(field, effect, effects) }
    }
}

struct StorageClassStrategy: KindStrategy {
    let traits = KindTraits(returnsDeleted: true)

    func setDefaults(_ object: inout JSON) {
        if object["reclaimPolicy"] == nil { object["reclaimPolicy"] = "Delete" }
        if object["volumeBindingMode"] == nil { object["volumeBindingMode"] = "Immediate" }
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let provisioner = object["provisioner"]?.string ?? ""
        if provisioner.isEmpty {
            errors.required("provisioner", provisioner)
        } else {
            let lower = provisioner.lowercased()
            for problem in NameRules.qualifiedNameProblems(lower) { errors.invalid("provisioner", lower, problem) }
        }
        if object["parameters"]?[""] != nil { errors.invalid("parameters", "", "field can not be empty.") }
        let policy = object["reclaimPolicy"]?.string ?? ""
        if !["Delete", "Retain"].contains(policy) {
            errors.notSupported("reclaimPolicy", policy, ["Delete", "Retain"])
        }
        let mode = object["volumeBindingMode"]?.string ?? ""
        let modes = ["Immediate", "WaitForFirstConsumer"]
        if !modes.contains(mode) { errors.notSupported("volumeBindingMode", mode, modes) }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        for member in ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"]
        where object[member] != old[member] {
            errors.invalid(member, object[member] ?? .null, "field is immutable")
        }
    }
}
