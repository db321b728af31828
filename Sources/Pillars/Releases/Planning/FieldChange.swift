// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// One field of an object that a release changes.
package struct FieldChange: Sendable, Hashable {
    /// `spec.template.spec.containers[cart].image`.
    package var path: String
    /// `nil`: it was not there; for a Secret's values always.
    package var old: JSON?
    /// `nil`: it goes; for a Secret's values always.
    package var new: JSON?
    /// The values are not to be shown.
    package var isSecret = false

    /// `path: old -> new`, for people.
    package var words: String {
        if isSecret { return "\(path): changed" }
        return "\(path): \(Self.short(old) ?? "(none)") -> \(Self.short(new) ?? "(removed)")"
    }

    private static func short(_ value: JSON?) -> String? {
        guard let text = value?.text else { return nil }
        return text.count <= 120 ? text : text.prefix(117) + "..."
    }

    package var json: JSON {
        var json: JSON = ["path": .string(path)]
        if isSecret { json["secret"] = true }
        if let old { json["old"] = old }
        if let new { json["new"] = new }
        return json
    }
}

/// Compares an object as it is stored with what it would be: both as the server says them, so that nothing it fills in differs.
enum MeaningfulDiff {
    /// Written by tools for themselves; they tell nothing about what the object does.
    static let noise: Set<String> = [
        ObjectDifference.annotation, "kubectl.kubernetes.io/last-applied-configuration",
        "deployment.kubernetes.io/revision",
    ]

    /// The fields that differ, in the order of the new object; status and what only the server writes is left out.
    static func changes(from live: KubeObject, to next: KubeObject) -> [FieldChange] {
        var diff = Walk(isSecret: live.kind == "Secret")
        diff.compare(meaning(of: live), meaning(of: next), "", key: "")
        return diff.changes
    }

    private static func meaning(of object: KubeObject) -> JSON {
        var json = object.json
        json["status"] = nil
        json["apiVersion"] = nil
        json["kind"] = nil
        var metadata: JSON = [:]
        for key in ["labels", "annotations", "finalizers", "ownerReferences"] {
            guard let value = object.metadata[key] else { continue }
            metadata[key] =
                key == "annotations" ? .object((value.object ?? [:]).filter { !noise.contains($0.key) }) : value
        }
        json["metadata"] = metadata
        return json
    }

    private struct Walk {
        let isSecret: Bool
        var changes: [FieldChange] = []

        mutating func compare(_ old: JSON?, _ new: JSON?, _ path: String, key: String) {
            guard old != new else { return }
            switch (old, new) {
            case (.object(let before)?, .object(let after)?):
                for (name, value) in after { compareMember(before[name], value, name, path, key) }
                for (name, value) in before where after[name] == nil { compareMember(value, nil, name, path, key) }
            case (.array(let before)?, .array(let after)?): compareLists(before, after, path, key: key)
            case (nil, .object(let members)?) where isSecret && !members.isEmpty,
                (.object(let members)?, nil) where isSecret && !members.isEmpty:
                for (name, value) in members {
                    compareMember(old == nil ? nil : value, new == nil ? nil : value, name, path, key)
                }
            default:
                if old.isNothing, new.isNothing { return }
                if Amounts.holds(key), old.quantity != nil, old.quantity == new.quantity { return }
                note(path, old, new)
            }
        }

        private mutating func compareMember(
            _ old: JSON?,
            _ new: JSON?,
            _ name: String,
            _ path: String,
            _ key: String
        ) {
            compare(old, new, Walk.join(path, name), key: Amounts.key(of: name, below: key))
        }

        private mutating func note(_ path: String, _ old: JSON?, _ new: JSON?) {
            let hides = isSecret && !path.hasPrefix("metadata.")
            changes.append(FieldChange(path: path, old: hides ? nil : old, new: hides ? nil : new, isSecret: hides))
        }

        /// Elements with an identity are told by it; other lists are one value.
        private mutating func compareLists(_ before: [JSON], _ after: [JSON], _ path: String, key: String) {
            guard let names = ManifestOverlay.identity(of: key, before + after) else {
                return note(path, .array(before), .array(after))
            }
            func name(_ element: JSON) -> String {
                // A port with a name is better known by it, but has another where two share it.
                element["name"]?.string ?? names.map { element[$0]?.scalarText ?? "" }.joined(separator: ",")
            }
            func isSame(_ left: JSON, _ right: JSON) -> Bool {
                names.allSatisfy { left[$0] == right[$0] } && left["protocol"] == right["protocol"]
            }
            let count = changes.count
            for element in after {
                let stored = before.first { isSame($0, element) }
                compare(stored, element, "\(path)[\(name(element))]", key: "")
            }
            for element in before where !after.contains(where: { isSame($0, element) }) {
                note("\(path)[\(name(element))]", element, nil)
            }
            // Nothing but the order differs, of which names tell more than all they hold.
            let (old, new) = (before.map(name), after.map(name))
            guard changes.count == count, old != new else { return }
            note(path, .array(old.map { .string($0) }), .array(new.map { .string($0) }))
        }

        private static func join(_ path: String, _ name: String) -> String {
            let name = name.contains(".") || name.contains("/") ? "[\(name)]" : name
            return path.isEmpty ? name : name.hasPrefix("[") ? path + name : "\(path).\(name)"
        }
    }
}

extension JSON? {
    fileprivate var isNothing: Bool {
        switch self {
        case nil, .null?: true
        case .array(let elements)?: elements.isEmpty
        case .object(let members)?: members.isEmpty
        default: false
        }
    }

    fileprivate var quantity: Quantity? { self?.scalarText.flatMap { Quantity($0) } }
}
