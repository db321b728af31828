// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Rules that claims and volumes share.
enum StorageRules {
    static let accessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]

    static func checkModes(_ modes: [String], _ at: String, _ errors: inout FieldErrors) {
        for mode in modes where !accessModes.contains(mode) {
            errors.notSupported("\(at).accessModes", mode, accessModes)
        }
        if modes.contains("ReadWriteOncePod"), modes.count > 1 {
            errors.forbidden("\(at).accessModes", "may not use ReadWriteOncePod with other access modes")
        }
    }

    static func checkMode(_ mode: String?, _ at: String, _ errors: inout FieldErrors) {
        guard let mode, !["Block", "Filesystem"].contains(mode) else { return }
        errors.notSupported("\(at).volumeMode", mode, ["Block", "Filesystem"])
    }

    static func protect(_ object: inout JSON, _ finalizer: JSON) {
        var finalizers = object[path: "metadata", "finalizers"]?.array ?? []
        guard !finalizers.contains(finalizer) else { return }
        finalizers.append(finalizer)
        object.set(.array(finalizers), at: ["metadata", "finalizers"])
    }
}

struct ClaimStrategy: KindStrategy {
    let traits = KindTraits(hasStatus: true, checksMetadataAgain: true, returnsDeleted: true)

    func setDefaults(_ object: inout JSON) {
        if object[path: "spec", "volumeMode"] == nil { object.set("Filesystem", at: ["spec", "volumeMode"]) }
    }

    func prepareForCreate(_ object: inout JSON, _ context: WriteContext) {
        object["status"] = ["phase": "Pending"]
        StorageRules.protect(&object, "kubernetes.io/pvc-protection")
        guard var spec = object["spec"] else { return }
        ClaimSources.settle(&spec)
        object["spec"] = spec
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        Self.checkSpec(object["spec"] ?? [:], "spec", &errors)
    }

    /// A claim's spec, its own or one in a template.
    static func checkSpec(_ spec: JSON, _ at: String, _ errors: inout FieldErrors) {
        let modes = (spec["accessModes"]?.array ?? []).compactMap(\.string)
        if modes.isEmpty { errors.required("\(at).accessModes", "at least 1 access mode is required") }
        StorageRules.checkModes(modes, at, &errors)
        if let selector = spec["selector"] { SelectorRules.check(selector, "\(at).selector", &errors) }
        let storage = spec[path: "resources", "requests", "storage"]?.string
        if let storage {
            if (Quantity(storage)?.nanos ?? 1) <= 0 {
                errors.invalid("\(at).resources[storage]", storage, "must be greater than zero")
            }
        } else {
            errors.required("\(at).resources[storage]")
        }
        let name = spec["storageClassName"]?.string ?? ""
        if !name.isEmpty {
            for problem in NameRules.dnsSubdomainProblems(name) {
                errors.invalid("\(at).storageClassName", name, problem)
            }
        }
        StorageRules.checkMode(spec["volumeMode"]?.string, at, &errors)
        ClaimSources.check(spec, at, &errors)
    }

    private static let immutable =
        "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let request = ["resources", "requests", "storage"]
        var now = object["spec"] ?? [:]
        var before = old["spec"] ?? [:]
        func amount(_ text: JSON?) -> Quantity { text?.string.flatMap { Quantity($0) } ?? Quantity(nanos: 0) }
        let size = amount(now[path: request])
        let isSmaller = size < amount(before[path: request])
        let granted = amount(old[path: "status", "capacity", "storage"])
        // Binding fills in the volume and the class, and a bound claim may grow.
        if (before["volumeName"]?.string ?? "").isEmpty { before["volumeName"] = now["volumeName"] }
        if before["storageClassName"] == nil { now["storageClassName"] = nil }
        if object[path: "status", "phase"] == "Bound" {
            now.set(before[path: request], at: request)
            now["volumeAttributesClassName"] = before["volumeAttributesClassName"]
        }
        let shown = (
            InternalForm.value(before, as: "PersistentVolumeClaimSpec").indentedLines,
            InternalForm.value(now, as: "PersistentVolumeClaimSpec").indentedLines
        )
        if shown.0 != shown.1 { errors.forbidden("spec", "\(Self.immutable)\n\(UnifiedDiff(shown.0, shown.1).text)") }
        if isSmaller, size <= granted {
            errors.forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")
        }
        if object[path: "spec", "volumeMode"] != old[path: "spec", "volumeMode"] {
            errors.invalid("volumeMode", object[path: "spec", "volumeMode"] ?? .null, "field is immutable")
        }
    }
}

struct VolumeStrategy: KindStrategy {
    let traits = KindTraits(hasStatus: true, returnsDeleted: true)

    private static let sources = [
        "awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc", "flexVolume", "flocker",
        "gcePersistentDisk", "glusterfs", "hostPath", "iscsi", "local", "nfs", "photonPersistentDisk",
        "portworxVolume", "quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume",
    ]

    func setDefaults(_ object: inout JSON) {
        let spec = object["spec"] ?? [:]
        if (spec["persistentVolumeReclaimPolicy"]?.string ?? "").isEmpty {
            object.set("Retain", at: ["spec", "persistentVolumeReclaimPolicy"])
        }
        if spec["volumeMode"] == nil { object.set("Filesystem", at: ["spec", "volumeMode"]) }
        if spec["hostPath"] != nil, spec[path: "hostPath", "type"] == nil {
            object.set("", at: ["spec", "hostPath", "type"])
        }
    }

    func prepareForCreate(_ object: inout JSON, _ context: WriteContext) {
        object["status"] = ["phase": "Pending", "lastPhaseTransitionTime": .string(context.now.description)]
        StorageRules.protect(&object, "kubernetes.io/pv-protection")
    }

    func prepareForStatusUpdate(_ object: inout JSON, from old: JSON, _ context: WriteContext) {
        guard object[path: "status", "phase"] != old[path: "status", "phase"] else { return }
        if object[path: "status", "lastPhaseTransitionTime"] == old[path: "status", "lastPhaseTransitionTime"] {
            object.set(.string(context.now.description), at: ["status", "lastPhaseTransitionTime"])
        }
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let spec = object["spec"] ?? [:]
        let modes = (spec["accessModes"]?.array ?? []).compactMap(\.string)
        if modes.isEmpty { errors.required("spec.accessModes") }
        StorageRules.checkModes(modes, "spec", &errors)
        let capacity = spec["capacity"]?.object ?? [:]
        if capacity.isEmpty { errors.required("spec.capacity") }
        if capacity["storage"] == nil || capacity.count > 1 {
            let shown = capacity.isEmpty ? "null" : JSON.object(capacity).text
            errors.add(.notSupported, "spec.capacity", "Unsupported value: \(shown): supported values: \"storage\"")
        }
        for (name, amount) in capacity { checkAmount(amount.string ?? "", "spec.capacity[\(name)]", &errors) }
        let policy = spec["persistentVolumeReclaimPolicy"]?.string ?? ""
        let policies = ["Delete", "Recycle", "Retain"]
        if !policies.contains(policy) { errors.notSupported("spec.persistentVolumeReclaimPolicy", policy, policies) }
        checkSources(spec, &errors)
        if spec[path: "hostPath", "path"] == "/", policy == "Recycle" {
            errors.forbidden(
                "spec.persistentVolumeReclaimPolicy",
                "may not be 'recycle' for a hostPath mount of '/'"
            )
        }
        let name = spec["storageClassName"]?.string ?? ""
        if !name.isEmpty {
            for problem in NameRules.dnsSubdomainProblems(name) {
                errors.invalid("spec.storageClassName", name, problem)
            }
        }
        StorageRules.checkMode(spec["volumeMode"]?.string, "spec", &errors)
    }

    private func checkAmount(_ text: String, _ field: String, _ errors: inout FieldErrors) {
        guard let amount = Quantity(text) else { return }
        if amount.nanos < 0 {
            errors.add(.invalid, field, "Invalid value: \(text): must be a valid resource quantity")
        }
        if amount.nanos <= 0 { errors.invalid(field, text, "must be greater than zero") }
    }

    private func checkSources(_ spec: JSON, _ errors: inout FieldErrors) {
        let given = Self.sources.filter { spec[$0] != nil }
        if given.isEmpty { errors.required("spec", "must specify a volume type") }
        for source in given.dropFirst() {
            errors.forbidden("spec.\(source)", "may not specify more than 1 volume type")
        }
        for source in ["hostPath", "local"] where given.contains(source) {
            let path = spec[path: source, "path"]?.string ?? ""
            if path.isEmpty { errors.required("spec.\(source).path") }
            if path.split(separator: "/").contains("..") {
                errors.invalid("spec.\(source).path", path, "must not contain '..'")
            }
        }
        if given.contains("local"), spec[path: "nodeAffinity", "required"] == nil {
            errors.required("spec.nodeAffinity", "Local volume requires node affinity")
        }
        if given.first == "nfs" {
            for member in ["server", "path"] where (spec[path: "nfs", member]?.string ?? "").isEmpty {
                errors.required("spec.nfs.\(member)")
            }
        }
        if given.first == "csi" {
            for member in ["driver", "volumeHandle"] where (spec[path: "csi", member]?.string ?? "").isEmpty {
                errors.required("spec.csi.\(member)")
            }
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let before = InternalForm.value(old["spec"], as: "PersistentVolumeSource").indentedLines
        let now = InternalForm.value(object["spec"], as: "PersistentVolumeSource").indentedLines
        if now != before {
            errors.forbidden(
                "spec.persistentvolumesource",
                "spec.persistentvolumesource is immutable after creation\n\(UnifiedDiff(before, now).text)"
            )
        }
        if object[path: "spec", "volumeMode"] != old[path: "spec", "volumeMode"] {
            errors.invalid("volumeMode", object[path: "spec", "volumeMode"] ?? .null, "field is immutable")
        }
    }
}
