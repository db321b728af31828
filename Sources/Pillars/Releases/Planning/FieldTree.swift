// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The fields that an entry of `managedFields` names, as `FieldsV1` writes them: `{"f:spec":{"f:replicas":{}}}`.
enum FieldTree {
    /// The fields of both.
    static func union(_ left: JSON, _ right: JSON) -> JSON {
        guard case .object(let members) = right else { return left }
        var result: JSON = left.object == nil ? [:] : left
        for (key, value) in members { result[key] = result[key].map { union($0, value) } ?? value }
        return result
    }

    /// The fields without the one at a path of member names, and without what that leaves empty.
    static func removing(_ path: [String], from tree: JSON) -> JSON {
        guard let first = path.first, case .object(let members) = tree, let child = members["f:\(first)"] else {
            return tree
        }
        let rest = path.count == 1 ? [:] : removing(Array(path.dropFirst()), from: child)
        var result = tree
        result["f:\(first)"] = children(of: rest).isEmpty ? nil : rest
        return result
    }

    /// What stands below a field, `.` left out: nothing, where the field is owned as one value.
    static func children(of tree: JSON) -> [JSONObject.Member] {
        (tree.object ?? [:]).filter { $0.key != "." }.map { $0 }
    }

    /// The tree below a path of member names such as `spec`, `replicas`.
    static func subtree(_ tree: JSON, _ path: [String]) -> JSON? {
        path.reduce(Optional(tree)) { $0?["f:\($1)"] }
    }
}

/// One entry of `metadata.managedFields`.
struct ManagedEntry: Hashable {
    var json: JSON

    var manager: String { json["manager"]?.string ?? "" }
    var operation: String { json["operation"]?.string ?? "" }
    var apiVersion: String { json["apiVersion"]?.string ?? "" }
    var subresource: String { json["subresource"]?.string ?? "" }
    var time: String? { json["time"]?.string }
    var fields: JSON {
        get { json["fieldsV1"] ?? [:] }
        set { json["fieldsV1"] = newValue }
    }

    static func entries(of object: KubeObject) -> [ManagedEntry] {
        (object.metadata["managedFields"]?.array ?? []).map { ManagedEntry(json: $0) }
    }
}

/// Under which names Ballast writes.
enum FieldManagers {
    /// What a release applies is owned under this name.
    static let own = "ballast"
    /// Names under which Ballast wrote before it applied on the server's side.
    static let earlier: Set<String> = ["ballast", "ballast-release"]

    /// Keeps a number of replicas that the app names no more, until an autoscaler or a person sets it.
    static let handover = "ballast-handover"

    /// The writers whose fields a person hands over with an object: they wrote for that person and never come back by
    /// themselves, as controllers do.
    static func isHandedOver(_ manager: String) -> Bool {
        manager == "kubectl" || manager.hasPrefix("kubectl-") || manager == "helm"
    }
}
