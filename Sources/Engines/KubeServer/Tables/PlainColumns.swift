// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Cells that several kinds share.
enum Cell {
    static func name(_ object: JSON) -> JSON { object[path: "metadata", "name"] ?? "" }
    static func text(_ value: JSON?, or absent: String = "") -> JSON {
        let text = SelectableFields.text(value)
        return .string(text.isEmpty ? absent : text)
    }
    static func whole(_ value: JSON?) -> JSON { JSON(value?.int ?? 0) }

    /// Names and images of a template's containers.
    static func containers(_ podSpec: JSON?) -> (names: JSON, images: JSON) {
        let containers = podSpec?["containers"]?.array ?? []
        func joined(_ member: String) -> JSON {
            .string(containers.compactMap { $0[member]?.string }.joined(separator: ","))
        }
        return (joined("name"), joined("image"))
    }

    /// A selector object's text, `<none>` where it selects nothing in particular.
    static func selector(_ selector: JSON?) -> JSON {
        guard let text = SelectorText.of(selector), !text.isEmpty else { return "<none>" }
        return .string(text)
    }

    /// `a=b,c=d`, sorted; `<none>` for no labels.
    static func labels(_ map: JSON?) -> JSON {
        let pairs = (map?.stringMap ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return .string(pairs.isEmpty ? "<none>" : pairs.joined(separator: ","))
    }

    static func accessModes(_ modes: JSON?) -> JSON {
        let short = [
            "ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP",
        ]
        let given = (modes?.array ?? []).compactMap(\.string)
        return .string(
            ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"]
                .filter { given.contains($0) }.compactMap { short[$0] }.joined(separator: ",")
        )
    }
}

struct ConfigMapColumns: TableColumns {
    let columns: [TableColumn] = [.name, .text("Data"), .age]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        let count = (object["data"]?.object?.count ?? 0) + (object["binaryData"]?.object?.count ?? 0)
        return [Cell.name(object), JSON(count), Age.of(object, now)]
    }
}

struct SecretColumns: TableColumns {
    let columns: [TableColumn] = [.name, .text("Type"), .text("Data"), .age]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        [
            Cell.name(object), Cell.text(object["type"]), JSON(object["data"]?.object?.count ?? 0),
            Age.of(object, now),
        ]
    }
}

struct ServiceAccountColumns: TableColumns {
    let columns: [TableColumn] = [.name, .age]
    func cells(_ object: JSON, now: Timestamp) -> [JSON] { [Cell.name(object), Age.of(object, now)] }
}

struct NamespaceColumns: TableColumns {
    let columns: [TableColumn] = [.name, .text("Status"), .age]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        [Cell.name(object), Cell.text(object[path: "status", "phase"]), Age.of(object, now)]
    }
}

struct LeaseColumns: TableColumns {
    let columns: [TableColumn] = [.name, .text("Holder"), .age]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        [Cell.name(object), Cell.text(object[path: "spec", "holderIdentity"]), Age.of(object, now)]
    }
}

struct DefinitionColumns: TableColumns {
    let columns: [TableColumn] = [
        .name,
        TableColumn(
            name: "Created At",
            type: "date",
            description: "When the object was created."
        ),
    ]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        [Cell.name(object), Cell.text(object[path: "metadata", "creationTimestamp"])]
    }
}

struct StorageClassColumns: TableColumns {
    let columns: [TableColumn] = [
        .name, .text("Provisioner"), .text("ReclaimPolicy"), .text("VolumeBindingMode"),
        .text("AllowVolumeExpansion"), .age,
    ]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        let annotations = object[path: "metadata", "annotations"]
        let isDefault = annotations?["storageclass.kubernetes.io/is-default-class"]?.string == "true"
        let name = object[path: "metadata", "name"]?.string ?? ""
        return [
            .string(isDefault ? "\(name) (default)" : name), Cell.text(object["provisioner"]),
            Cell.text(object["reclaimPolicy"], or: "Delete"), Cell.text(object["volumeBindingMode"], or: "Immediate"),
            .bool(object["allowVolumeExpansion"]?.bool ?? false), Age.of(object, now),
        ]
    }
}

struct VolumeColumns: TableColumns {
    let columns: [TableColumn] = [
        .name, .text("Capacity"), .text("Access Modes"), .text("Reclaim Policy"), .text("Status"), .text("Claim"),
        .text("StorageClass"), .text("VolumeAttributesClass"), .text("Reason"), .age, .text("VolumeMode", wide: true),
    ]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        let spec = object["spec"] ?? [:]
        let isLeaving = object[path: "metadata", "deletionTimestamp"]?.string != nil
        let claim = spec["claimRef"].map {
            "\($0["namespace"]?.string ?? "")/\($0["name"]?.string ?? "")"
        }
        return [
            Cell.name(object), Cell.text(spec[path: "capacity", "storage"]), Cell.accessModes(spec["accessModes"]),
            Cell.text(spec["persistentVolumeReclaimPolicy"]),
            isLeaving ? "Terminating" : Cell.text(object[path: "status", "phase"]), .string(claim ?? ""),
            Cell.text(spec["storageClassName"]), Cell.text(spec["volumeAttributesClassName"], or: "<unset>"),
            Cell.text(object[path: "status", "reason"]), Age.of(object, now),
            Cell.text(spec["volumeMode"], or: "<unset>"),
        ]
    }
}

struct ClaimColumns: TableColumns {
    let columns: [TableColumn] = [
        .name, .text("Status"), .text("Volume"), .text("Capacity"), .text("Access Modes"), .text("StorageClass"),
        .text("VolumeAttributesClass"), .age, .text("VolumeMode", wide: true),
    ]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        let spec = object["spec"] ?? [:]
        let status = object["status"] ?? [:]
        let isLeaving = object[path: "metadata", "deletionTimestamp"]?.string != nil
        let isBound = !(spec["volumeName"]?.string ?? "").isEmpty
        return [
            Cell.name(object), isLeaving ? "Terminating" : Cell.text(status["phase"]), Cell.text(spec["volumeName"]),
            isBound ? Cell.text(status[path: "capacity", "storage"] ?? "0") : "",
            isBound ? Cell.accessModes(status["accessModes"]) : "", Cell.text(spec["storageClassName"]),
            Cell.text(spec["volumeAttributesClassName"], or: "<unset>"), Age.of(object, now),
            Cell.text(spec["volumeMode"], or: "<unset>"),
        ]
    }
}
