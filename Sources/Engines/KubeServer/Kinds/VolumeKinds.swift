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
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        var now = object["spec"] ?? [:]
        var before = old["spec"] ?? [:]
        let size = now[path: "resources", "requests", "storage"]?.string.flatMap { Quantity($0) }
        let former = before[path: "resources", "requests", "storage"]?.string.flatMap { Quantity($0) }
        // Binding fills in the volume, and a claim may grow.
        if before["volumeName"] == nil { now["volumeName"] = nil }
        if before["storageClassName"] == nil { now["storageClassName"] = nil }
        now.set(nil, at: ["resources", "requests", "storage"])
        before.set(nil, at: ["resources", "requests", "storage"])
        if now != before {
            errors.forbidden(
                "spec",
                "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
            )
        } else if let size, let former, size < former {
            errors.forbidden("spec.resources.requests.storage", "field can not be less than previous value")
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
        if !capacity.isEmpty, capacity["storage"] == nil || capacity.count > 1 {
            errors.add(
                .notSupported,
                "spec.capacity",
                "Unsupported value: \(JSON.object(capacity).text): supported values: \"storage\""
            )
        }
        checkSources(spec, &errors)
        let policy = spec["persistentVolumeReclaimPolicy"]?.string ?? ""
        let policies = ["Delete", "Recycle", "Retain"]
        if !policies.contains(policy) { errors.notSupported("spec.persistentVolumeReclaimPolicy", policy, policies) }
        StorageRules.checkMode(spec["volumeMode"]?.string, "spec", &errors)
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
            errors.required("metadata.annotations", "Local volume requires node affinity")
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        for source in Self.sources where object["spec"]?[source] != old["spec"]?[source] {
            errors.forbidden("spec.persistentvolumesource", "spec.persistentvolumesource is immutable after creation")
            break
        }
        if object[path: "spec", "volumeMode"] != old[path: "spec", "volumeMode"] {
            errors.invalid("spec.volumeMode", object[path: "spec", "volumeMode"] ?? .null, "field is immutable")
        }
    }
}
