// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Tells from a stored object alone whether applying ours again would change nothing.
///
/// True only where the fields of our own entry are exactly those we would apply, each with the value we would give it. Who
/// else edits one of them takes it out of our entry, and who removes it does too, so the answer holds against edits by
/// others. Where it is not sure it says no: then the server decides.
struct AppliedCheck {
    private let wanted: KubeObject
    private let live: KubeObject

    static func isUnchanged(_ wanted: KubeObject, live: KubeObject, manager: String = FieldManagers.own) -> Bool {
        guard !hasNoFields(wanted) else { return !live.isTerminating }
        let own = ManagedEntry.entries(of: live).filter {
            $0.manager == manager && $0.operation == "Apply" && $0.subresource.isEmpty
        }
        guard own.count == 1, own[0].apiVersion == wanted.apiVersion, !live.isTerminating else { return false }
        return AppliedCheck(wanted: wanted, live: live).holds(own[0].fields)
    }

    /// An object that says nothing but its name wants only to be there; nobody can own a field of it.
    static func hasNoFields(_ wanted: KubeObject) -> Bool { body(of: wanted) == [:] }

    /// What a field set is about: all but the object's address.
    private static func body(of object: KubeObject) -> JSON {
        var body = object.json
        body["apiVersion"] = nil
        body["kind"] = nil
        var metadata = object.metadata
        metadata["name"] = nil
        metadata["namespace"] = nil
        body["metadata"] = metadata == [:] ? nil : metadata
        return body
    }

    private func holds(_ tree: JSON) -> Bool {
        guard !FieldTree.children(of: tree).isEmpty else { return false }
        return matches(tree, Self.body(of: wanted), live.json, "")
    }

    private func matches(_ tree: JSON, _ wanted: JSON, _ stored: JSON?, _ key: String) -> Bool {
        let children = FieldTree.children(of: tree)
        guard let first = children.first else { return isSame(wanted, stored, key) }
        if first.key.hasPrefix("f:") { return membersMatch(children, wanted, stored, key) }
        guard let wanted = wanted.array, let stored = stored?.array, wanted.count == children.count else {
            return false
        }
        if first.key.hasPrefix("k:") { return elementsMatch(children, wanted, stored, key) }
        if first.key.hasPrefix("v:") { return valuesMatch(children, wanted, stored) }
        return false
    }

    private func membersMatch(_ children: [JSONObject.Member], _ wanted: JSON, _ stored: JSON?, _ key: String) -> Bool {
        guard let members = wanted.object, members.count == children.count else { return false }
        return children.allSatisfy { child in
            guard child.key.hasPrefix("f:") else { return false }
            let name = String(child.key.dropFirst(2))
            guard let value = members[name] else { return false }
            return matches(child.value, value, stored?[name], Amounts.key(of: name, below: key))
        }
    }

    /// Elements that the server tells apart by some of their members.
    private func elementsMatch(_ children: [JSONObject.Member], _ wanted: [JSON], _ stored: [JSON], _ key: String)
        -> Bool
    {
        var places: [(wanted: Int, stored: Int)] = []
        for child in children {
            guard child.key.hasPrefix("k:"), let identity = try? JSON(parsing: String(child.key.dropFirst(2))),
                let mine = place(of: identity, in: wanted), let theirs = place(of: identity, in: stored)
            else { return false }
            guard matches(child.value, wanted[mine], stored[theirs], "") else { return false }
            places.append((mine, theirs))
        }
        return keepsOrder(places)
    }

    private func place(of identity: JSON, in elements: [JSON]) -> Int? {
        let members = identity.object ?? [:]
        return elements.firstIndex { element in
            members.allSatisfy { key, value in (element[key] ?? Self.keyDefaults[key]) == value }
        }
    }

    private static let keyDefaults: [String: JSON] = ["protocol": "TCP"]

    private func valuesMatch(_ children: [JSONObject.Member], _ wanted: [JSON], _ stored: [JSON]) -> Bool {
        var places: [(wanted: Int, stored: Int)] = []
        for child in children {
            guard child.key.hasPrefix("v:"), let value = try? JSON(parsing: String(child.key.dropFirst(2))),
                let mine = wanted.firstIndex(of: value), let theirs = stored.firstIndex(of: value)
            else { return false }
            places.append((mine, theirs))
        }
        return keepsOrder(places)
    }

    /// Applying a list in another order puts it in that order.
    private func keepsOrder(_ places: [(wanted: Int, stored: Int)]) -> Bool {
        let stored = places.sorted { $0.wanted < $1.wanted }.map(\.stored)
        return zip(stored, stored.dropFirst()).allSatisfy { $0 < $1 }
    }

    /// A value that is owned whole: nothing may differ but spelling and what the server is known to fill in.
    private func isSame(_ wanted: JSON, _ stored: JSON?, _ key: String) -> Bool {
        guard let stored else { return wanted.isZero }
        if wanted == [:], ServerDefaults.isFilledFromNothing(key) { return true }
        if Amounts.holds(key), let left = wanted.scalarText.flatMap({ Quantity($0) }),
            let right = stored.scalarText.flatMap({ Quantity($0) })
        {
            return left == right
        }
        return wanted == stored || ServerDefaults.filled(wanted, at: key) == ServerDefaults.filled(stored, at: key)
    }
}

/// Where values are resource amounts, of which one has many spellings.
enum Amounts {
    private static let keys: Set<String> = ["requests", "limits", "capacity", "hard", "overhead", "sizeLimit"]

    /// Maps whose members are anybody's, whatever they are called.
    private static let free: Set<String> = [
        "labels", "annotations", "matchLabels", "nodeSelector", "selector", "data", "stringData", "binaryData",
        "parameters",
    ]

    static func holds(_ key: String) -> Bool { keys.contains(key) }

    /// What decides about the members of `name`, which stands below `key`.
    static func key(of name: String, below key: String) -> String {
        keys.contains(key) || free.contains(key) ? key : name
    }
}

extension JSON {
    /// What servers leave out: an empty or zero value.
    fileprivate var isZero: Bool {
        switch self {
        case .null: true
        case .bool(let flag): !flag
        case .number(let number): number.double == 0
        case .string(let text): text.isEmpty
        case .array(let elements): elements.isEmpty
        case .object(let members): members.isEmpty
        }
    }
}

/// What the server fills into values that are owned whole.
enum ServerDefaults {
    /// Members that people often write as `{}`, and that the server then fills member by member.
    static func isFilledFromNothing(_ key: String) -> Bool { key == "strategy" || key == "updateStrategy" }

    static func filled(_ value: JSON, at key: String) -> JSON {
        switch (key, value) {
        case ("fieldRef", .object): return value.with("v1", at: "apiVersion")
        case ("resourceFieldRef", .object): return value.with("0", at: "divisor")
        case ("roleRef", .object): return value.with("rbac.authorization.k8s.io", at: "apiGroup")
        case ("subjects", .array(let subjects)):
            return .array(
                subjects.map {
                    guard $0["kind"]?.string != "ServiceAccount" else { return $0 }
                    return $0.with("rbac.authorization.k8s.io", at: "apiGroup")
                }
            )
        case ("volumeClaimTemplates", .array(let templates)): return .array(templates.map(claimTemplate))
        default: return value
        }
    }

    private static func claimTemplate(_ template: JSON) -> JSON {
        var template = template
        template["status"] = nil
        template["apiVersion"] = "v1"
        template["kind"] = "PersistentVolumeClaim"
        template.set(nil, at: ["metadata", "creationTimestamp"])
        if template[path: "spec", "volumeMode"] == nil { template.set("Filesystem", at: ["spec", "volumeMode"]) }
        return template
    }
}

extension JSON {
    fileprivate func with(_ value: JSON, at key: String) -> JSON {
        guard self[key] == nil else { return self }
        var copy = self
        copy[key] = value
        return copy
    }
}
