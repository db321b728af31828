// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// One writer's fields of an object.
private struct FakeOwner {
    var manager: String
    var operation: String
    var fields: FakeFields

    static func all(of object: KubeObject) -> [FakeOwner] {
        (object.metadata["managedFields"]?.array ?? []).map { entry in
            FakeOwner(
                manager: entry["manager"]?.string ?? "",
                operation: entry["operation"]?.string ?? "",
                fields: FakeFields(reading: entry["fieldsV1"] ?? [:])
            )
        }
    }

    static func write(_ owners: [FakeOwner], to object: inout KubeObject, at now: Timestamp) {
        let old = object.metadata["managedFields"]?.array ?? []
        let entries = owners.filter { !$0.fields.paths.isEmpty }.map { owner -> JSON in
            let fields = owner.fields.json
            let known = old.first {
                $0["manager"]?.string == owner.manager && $0["operation"]?.string == owner.operation
                    && FakeFields(reading: $0["fieldsV1"] ?? [:]) == owner.fields
            }
            return known ?? [
                "manager": .string(owner.manager), "operation": .string(owner.operation),
                "apiVersion": .string(object.apiVersion), "time": .string(now.description), "fieldsType": "FieldsV1",
                "fieldsV1": fields,
            ]
        }
        object.json.set(entries.isEmpty ? nil : .array(entries), at: ["metadata", "managedFields"])
    }
}

extension FakeCluster.State {
    /// Server-side apply: conflicts, take-overs, and removal of what the manager applied before and applies no more.
    mutating func apply(
        _ reference: ObjectReference,
        _ wanted: KubeObject,
        _ options: WriteOptions,
        at now: Timestamp
    ) throws -> KubeObject {
        guard let manager = options.fieldManager, !manager.isEmpty else {
            throw Failure(KubeStatus(code: 422, reason: "Invalid", message: "fieldManager is required for apply patch"))
        }
        guard wanted.name == reference.name, wanted.metadata["managedFields"] == nil else {
            throw Failure(
                KubeStatus(code: 400, reason: "BadRequest", message: "the object is no configuration to apply")
            )
        }
        let fields = FakeFields(of: wanted.json)
        guard let live = objects[reference.type]?[ObjectName(namespace: reference.namespace, name: reference.name)]
        else {
            var new = wanted
            let owner = FakeOwner(manager: manager, operation: "Apply", fields: fields)
            FakeOwner.write([owner], to: &new, at: now)
            return try create(new, as: reference.type, at: now, isDryRun: options.isDryRun)
        }
        var owners = FakeOwner.all(of: live)
        let own = owners.first { $0.manager == manager && $0.operation == "Apply" }
        owners.removeAll { $0.manager == manager && $0.operation == "Apply" }
        try contest(&owners, fields, wanted, live, isForced: options.isForced)
        var next = KubeObject(FakeFields.merged(live.json, wanted.json))
        let others = owners.reduce(into: Set<FakeFields.Path>()) { $0.formUnion($1.fields.paths) }
        let gone = (own?.fields.paths ?? []).subtracting(fields.paths).subtracting(others)
        // An element goes before its members, by which it is found.
        for path in gone.sorted(by: { ($0.count, $0.last == "." ? 0 : 1) < ($1.count, $1.last == "." ? 0 : 1) }) {
            next.json = FakeFields.removing(path[...], from: next.json)
        }
        FakeOwner.write([FakeOwner(manager: manager, operation: "Apply", fields: fields)] + owners, to: &next, at: now)
        return try replace(live, by: next, as: reference.type, nil, isDryRun: options.isDryRun)
    }

    private func contest(
        _ owners: inout [FakeOwner],
        _ fields: FakeFields,
        _ wanted: KubeObject,
        _ live: KubeObject,
        isForced: Bool
    ) throws {
        var causes: [KubeStatus.Cause] = []
        for place in owners.indices {
            let contested = owners[place].fields.paths.intersection(fields.paths).filter {
                FakeFields.value(wanted.json, $0) != FakeFields.value(live.json, $0)
            }
            let owner = owners[place]
            let tail = owner.operation == "Update" ? " using \(live.apiVersion)" : ""
            for path in contested.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
                causes.append(
                    .init(
                        reason: "FieldManagerConflict",
                        message: "conflict with \"\(owner.manager)\"\(tail)",
                        field: Self.words(path)
                    )
                )
            }
            if isForced { owners[place].fields.paths.subtract(contested) }
        }
        guard !causes.isEmpty, !isForced else { return }
        throw Failure(
            KubeStatus(
                code: 409,
                reason: "Conflict",
                message: "Apply failed with \(causes.count) conflicts",
                causes: causes
            )
        )
    }

    /// `.spec.template.spec.containers[name="cart"].image`.
    private static func words(_ path: FakeFields.Path) -> String {
        path.map { step in
            if step.hasPrefix("f:") { return ".\(step.dropFirst(2))" }
            guard let json = try? JSON(parsing: String(step.dropFirst(2))) else { return "" }
            return "[" + (json.object ?? [:]).map { "\($0.key)=\($0.value.text)" }.joined(separator: ",") + "]"
        }.joined()
    }

    /// After a plain write: what it changed belongs to the writer now, and to nobody where none is named.
    func tracked(_ next: KubeObject, from live: KubeObject?, manager: String?, at now: Timestamp) -> KubeObject {
        var next = next
        let (before, after) = (live.map { FakeFields(of: $0.json) } ?? FakeFields(), FakeFields(of: next.json))
        let changed = after.paths.filter {
            !before.paths.contains($0) || FakeFields.value(next.json, $0) != FakeFields.value(live?.json, $0)
        }
        var owners = FakeOwner.all(of: next)
        for place in owners.indices {
            owners[place].fields.paths.subtract(changed)
            owners[place].fields.paths.subtract(before.paths.subtracting(after.paths))
        }
        if let manager {
            if let place = owners.firstIndex(where: { $0.manager == manager && $0.operation == "Update" }) {
                owners[place].fields.paths.formUnion(changed)
            } else {
                owners.append(FakeOwner(manager: manager, operation: "Update", fields: FakeFields(changed)))
            }
        }
        FakeOwner.write(owners, to: &next, at: now)
        return next
    }
}

extension JSON {
    /// RFC 6902, as far as it replaces members.
    func replacing(by patch: JSON) throws -> JSON {
        var result = self
        for operation in patch.array ?? [] {
            let path = (operation["path"]?.string ?? "").split(separator: "/").map(String.init)
            guard operation["op"]?.string == "replace", result[path: path] != nil else {
                throw Failure(
                    KubeStatus(code: 422, reason: "Invalid", message: "the fake cluster only replaces members")
                )
            }
            result.set(operation["value"], at: path)
        }
        return result
    }
}
