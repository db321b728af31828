// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// An object that the app had in a cluster and wants no more.
struct SurplusObject: Sendable, Hashable {
    var entry: Inventory.Entry
    var fate: Pruner.Fate
}

/// What a release would do in one cluster.
package struct ClusterPlan: Sendable {
    /// One object of it.
    package struct Line: Sendable, Hashable {
        package enum Action: String, Sendable {
            case create, change, delete
            /// Nothing of the object changes but who owns its fields.
            case takeOver = "take over"
            /// It is not wanted any more, and stays.
            case keep
        }

        package var action: Action
        package var reference: ObjectReference
        /// Where it is written: `ballast.yaml`, or a manifest's file and line.
        package var place: String
        package var fields: [FieldChange] = []
        /// The server has judged it; else this is what the files say.
        package var isChecked = true
        package var note: String?
    }

    package var cluster: ClusterName
    /// What changes; unchanged objects are only counted.
    package var lines: [Line]
    package var unchanged: Int

    package var isEmpty: Bool { lines.allSatisfy { $0.action == .keep } }

    init(cluster: ClusterName, objects: [PlannedObject], surplus: [SurplusObject]) {
        self.cluster = cluster
        unchanged = objects.count { $0.action == .none }
        lines = objects.compactMap { Line($0) } + surplus.compactMap { Line($0) }
    }

    /// What the release makes by itself, before anything else; it was tried.
    mutating func willCreate(_ reference: ObjectReference) {
        lines.insert(Line(action: .create, reference: reference, place: "ballast.yaml"), at: 0)
    }

    package var json: JSON {
        [
            "cluster": .string(cluster.text), "unchanged": JSON(unchanged),
            "changes": .array(lines.map(\.json)),
        ]
    }
}

extension ClusterPlan.Line {
    init?(_ object: PlannedObject) {
        switch object.action {
        case .create: action = .create
        case .change: action = .change
        case .own: action = .takeOver
        case .none: return nil
        }
        reference = object.reference
        place = object.desired.place
        fields = object.fields
        isChecked = object.isChecked
        note = object.notes.first
    }

    init?(_ surplus: SurplusObject) {
        switch surplus.fate {
        case .gone: return nil
        case .delete: action = .delete
        case .keep(let why), .release(let why):
            action = .keep
            note = why
        }
        reference = surplus.entry.reference
        place = ""
    }

    package var json: JSON {
        var json: JSON = [
            "action": .string(action.rawValue), "apiVersion": .string(reference.type.apiVersion),
            "kind": .string(reference.type.kind), "name": .string(reference.name),
        ]
        if let namespace = reference.namespace { json["namespace"] = .string(namespace) }
        if !place.isEmpty { json["from"] = .string(place) }
        if !fields.isEmpty { json["fields"] = .array(fields.map(\.json)) }
        if action == .create { json["checked"] = .bool(isChecked) }
        if let note { json["note"] = .string(note) }
        return json
    }
}
