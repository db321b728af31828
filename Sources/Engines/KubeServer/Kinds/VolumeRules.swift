// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What the API demands of a pod's volumes.
enum VolumeRules {
    /// In the order in which the real server looks at them.
    private static let sources = [
        "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi",
        "glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI", "fc",
        "flexVolume", "configMap", "azureFile", "vsphereVolume", "azureDisk", "storageos", "photonPersistentDisk",
        "portworxVolume", "scaleIO", "projected", "ephemeral", "csi", "image",
    ]

    static func check(_ volumes: [JSON], _ field: String, _ spec: JSON, _ errors: inout FieldErrors) {
        var names: Set<String> = []
        for (place, volume) in volumes.enumerated() {
            let at = "\(field)[\(place)]"
            let name = volume["name"]?.string ?? ""
            checkSource(volume, at, &errors)
            if name.isEmpty {
                errors.required("\(at).name")
            } else {
                for problem in NameRules.dnsLabelProblems(name) { errors.invalid("\(at).name", name, problem) }
                if !names.insert(name).inserted { errors.duplicate("\(at).name", .string(name)) }
            }
        }
    }

    private static func checkSource(_ volume: JSON, _ at: String, _ errors: inout FieldErrors) {
        let given = sources.filter { volume[$0] != nil }
        if given.isEmpty { errors.required(at, "must specify a volume type") }
        for (place, kind) in given.enumerated() {
            guard place == 0 else {
                errors.forbidden("\(at).\(kind)", "may not specify more than 1 volume type")
                continue
            }
            check(kind, volume[kind] ?? [:], "\(at).\(kind)", &errors)
        }
    }

    private static func check(_ kind: String, _ source: JSON, _ at: String, _ errors: inout FieldErrors) {
        switch kind {
        case "secret":
            if (source["secretName"]?.string ?? "").isEmpty { errors.required("\(at).secretName") }
            checkFiles(source, at, &errors)
        case "configMap":
            if (source["name"]?.string ?? "").isEmpty { errors.required("\(at).name") }
            checkFiles(source, at, &errors)
        case "persistentVolumeClaim":
            if (source["claimName"]?.string ?? "").isEmpty { errors.required("\(at).claimName") }
        case "hostPath":
            let path = source["path"]?.string ?? ""
            if path.isEmpty { errors.required("\(at).path") }
            if path.split(separator: "/").contains("..") { errors.invalid("\(at).path", path, "must not contain '..'") }
            let types = [
                "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket",
            ]
            if let type = source["type"]?.string, !types.contains(type) {
                errors.notSupported("\(at).type", type, types)
            }
        case "emptyDir":
            if let limit = source["sizeLimit"]?.string.flatMap({ Quantity($0) }), limit.nanos < 0 {
                errors.forbidden("\(at).sizeLimit", "SizeLimit field must be a valid resource quantity")
            }
        case "downwardAPI":
            checkMode(source["defaultMode"], "\(at).defaultMode", &errors)
            checkDownward(source["items"]?.array ?? [], at, &errors)
        case "projected": checkProjected(source, at, &errors)
        case "nfs":
            for member in ["server", "path"] where (source[member]?.string ?? "").isEmpty {
                errors.required("\(at).\(member)")
            }
            let path = source["path"]?.string ?? ""
            if !path.hasPrefix("/") { errors.invalid("\(at).path", path, "must be an absolute path") }
        case "csi":
            if (source["driver"]?.string ?? "").isEmpty { errors.required("\(at).driver") }
        case "ephemeral":
            guard let template = source["volumeClaimTemplate"] else {
                return errors.required("\(at).volumeClaimTemplate")
            }
            ClaimStrategy.checkSpec(template["spec"] ?? [:], "\(at).volumeClaimTemplate.spec", &errors)
        default:
            for member in required[kind] ?? [] where (source[member]?.string ?? "").isEmpty {
                guard source[member]?.array?.isEmpty ?? true else { continue }
                errors.required("\(at).\(member)")
            }
        }
    }

    /// What sources that no node of ours serves must name at least.
    private static let required = [
        "image": ["reference"], "awsElasticBlockStore": ["volumeID"], "gcePersistentDisk": ["pdName"],
        "rbd": ["monitors", "image"], "glusterfs": ["endpoints", "path"], "gitRepo": ["repository"],
        "iscsi": ["targetPortal", "iqn"], "cephfs": ["monitors"], "cinder": ["volumeID"],
    ]

    private static func checkMode(_ mode: JSON?, _ field: String, _ errors: inout FieldErrors) {
        guard let mode = mode?.int, !(0...0o777).contains(mode) else { return }
        errors.invalid(field, mode, "must be a number between 0 and 0777 (octal), both inclusive")
    }

    private static func checkFiles(_ source: JSON, _ at: String, _ errors: inout FieldErrors) {
        checkMode(source["defaultMode"], "\(at).defaultMode", &errors)
        for (place, item) in (source["items"]?.array ?? []).enumerated() {
            let field = "\(at).items[\(place)]"
            if (item["key"]?.string ?? "").isEmpty { errors.required("\(field).key") }
            let path = item["path"]?.string ?? ""
            if path.isEmpty { errors.required("\(field).path") } else { checkLocal(path, "\(field).path", &errors) }
            checkMode(item["mode"], "\(field).mode", &errors)
        }
    }

    private static func checkLocal(_ path: String, _ field: String, _ errors: inout FieldErrors) {
        RelativePath.check(path, field, &errors)
        if path.hasPrefix(".."), !path.hasPrefix("../") {
            errors.invalid(field, path, "must not start with '..'")
        }
    }

    private static let downwardPaths = [
        "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid",
    ]

    private static func checkDownward(_ items: [JSON], _ at: String, _ errors: inout FieldErrors) {
        for (place, item) in items.enumerated() {
            let field = "\(at)[\(place)]"
            let path = item["path"]?.string ?? ""
            if path.isEmpty { errors.required("\(at).path") } else { checkLocal(path, "\(at).path", &errors) }
            if let reference = item["fieldRef"] {
                FieldReferenceRules.check(reference, "\(at).fieldRef", downwardPaths, &errors)
                if item["resourceFieldRef"] != nil {
                    errors.invalid(
                        field,
                        "resource",
                        "fieldRef and resourceFieldRef can not be specified simultaneously"
                    )
                }
            } else if let reference = item["resourceFieldRef"] {
                ResourceReferenceRules.check(reference, "\(at).resourceFieldRef", needsContainer: true, &errors)
            } else {
                errors.required(at, "one of fieldRef and resourceFieldRef is required")
            }
            checkMode(item["mode"], "\(at).mode", &errors)
        }
    }

    private static func checkProjected(_ source: JSON, _ at: String, _ errors: inout FieldErrors) {
        checkMode(source["defaultMode"], "\(at).defaultMode", &errors)
        var paths: Set<String> = []
        for (place, part) in (source["sources"]?.array ?? []).enumerated() {
            let field = "\(at).sources[\(place)]"
            let kinds = ["secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle"]
                .filter { part[$0] != nil }
            if kinds.count > 1 { errors.forbidden(field, "may not specify more than 1 volume type per source") }
            for kind in kinds {
                let inner = part[kind] ?? [:]
                if kind == "secret" || kind == "configMap" {
                    if (inner["name"]?.string ?? "").isEmpty { errors.required("\(field).\(kind).name") }
                    checkFiles(inner, "\(field).\(kind)", &errors)
                }
                if kind == "downwardAPI" {
                    checkDownward(inner["items"]?.array ?? [], "\(field).downwardAPI", &errors)
                }
                if kind == "serviceAccountToken" {
                    if (inner["path"]?.string ?? "").isEmpty { errors.required("\(at).path") }
                    if let seconds = inner["expirationSeconds"]?.int, seconds < 600 {
                        errors.invalid(
                            "\(field).\(kind).expirationSeconds",
                            seconds,
                            "may not specify a duration less than 10 minutes"
                        )
                    }
                }
                for item in inner["items"]?.array ?? [] {
                    guard let path = item["path"]?.string, !path.isEmpty, !paths.insert(path).inserted else { continue }
                    errors.invalid(at, inner["name"]?.string ?? path, "conflicting duplicate paths")
                }
            }
        }
    }
}
