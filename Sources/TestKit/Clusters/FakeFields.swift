// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Field sets as server-side apply keeps them, for the lists and mappings that tests use.
///
/// A path is a list of `f:name`, `k:{"name":"x"}` and `.`, as in `FieldsV1`.
struct FakeFields: Equatable {
    typealias Path = [String]

    var paths: Set<Path>

    init(_ paths: Set<Path> = []) { self.paths = paths }

    /// The fields that an object says.
    init(of object: JSON) {
        var body = object
        for key in ["apiVersion", "kind", "status"] { body[key] = nil }
        for key in [
            "name", "namespace", "uid", "creationTimestamp", "resourceVersion", "generation", "managedFields",
            "deletionTimestamp", "deletionGracePeriodSeconds",
        ] where body["metadata"]?[key] != nil {
            body.set(nil, at: ["metadata", key])
        }
        if body["metadata"] == [:] { body["metadata"] = nil }
        paths = []
        collect(body, [], "")
    }

    /// Reads `FieldsV1`.
    init(reading fields: JSON) {
        paths = []
        read(fields, [])
    }

    private mutating func read(_ tree: JSON, _ path: Path) {
        guard case .object(let members) = tree, !members.isEmpty else {
            if !path.isEmpty { paths.insert(path) }
            return
        }
        for (key, value) in members { read(value, path + [key]) }
    }

    var json: JSON {
        var tree: JSON = [:]
        for path in paths.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            if tree[path: path] == nil { tree.set([:], at: path) }
        }
        return tree
    }

    private mutating func collect(_ value: JSON, _ path: Path, _ key: String) {
        switch value {
        case .object(let members) where !members.isEmpty && !Self.isAtomic(key):
            for (name, member) in members { collect(member, path + ["f:\(name)"], name) }
        case .array(let elements):
            guard let keys = Self.keys(of: key, elements) else {
                paths.insert(path)
                return
            }
            for element in elements {
                let place = path + [Self.identity(element, keys)]
                paths.insert(place + ["."])
                for (name, member) in element.object ?? [:] { collect(member, place + ["f:\(name)"], name) }
            }
        default: if !path.isEmpty { paths.insert(path) }
        }
    }

    // MARK: Shapes

    private static let lists: [String: [[String]]] = [
        "containers": [["name"]], "initContainers": [["name"]], "env": [["name"]], "volumes": [["name"]],
        "volumeMounts": [["mountPath"]], "imagePullSecrets": [["name"]],
        "ports": [["containerPort", "protocol"], ["port", "protocol"]],
    ]

    private static func isAtomic(_ key: String) -> Bool {
        ["selector", "nodeSelector", "secretKeyRef", "configMapKeyRef"].contains(key)
    }

    static func keys(of list: String, _ elements: [JSON]) -> [String]? {
        guard !elements.isEmpty else { return nil }
        return lists[list]?.first { keys in elements.allSatisfy { element in keys.allSatisfy { element[$0] != nil } } }
    }

    static func identity(_ element: JSON, _ keys: [String]) -> String {
        "k:" + JSON.object(JSONObject(keys.map { ($0, element[$0] ?? .null) })).text
    }

    // MARK: Values

    /// What stands at a path.
    static func value(_ json: JSON?, _ path: Path) -> JSON? {
        var value = json
        for (place, step) in path.enumerated() {
            if step == "." { return value.map { _ in true } }
            if step.hasPrefix("f:") {
                value = value?[String(step.dropFirst(2))]
            } else {
                let key = place > 0 ? String(path[place - 1].dropFirst(2)) : ""
                let elements = value?.array ?? []
                guard let keys = keys(of: key, elements) else { return nil }
                value = elements.first { identity($0, keys) == step }
            }
        }
        return value
    }

    /// The value without what stands at a path; an element goes with its `.`.
    static func removing(_ path: ArraySlice<String>, from json: JSON, key: String = "") -> JSON {
        guard let step = path.first else { return json }
        let rest = path.dropFirst()
        var json = json
        if step.hasPrefix("f:") {
            let name = String(step.dropFirst(2))
            guard let child = json[name] else { return json }
            let left = rest.isEmpty ? nil : removing(rest, from: child, key: name)
            // What is emptied by a removal goes with it.
            json[name] = left == [:] || left == .array([]) ? nil : left
            return json
        }
        guard case .array(let elements) = json, let keys = keys(of: key, elements) else { return json }
        return .array(
            elements.compactMap { element in
                guard identity(element, keys) == step else { return element }
                return rest == ["."] ? nil : removing(rest, from: element)
            }
        )
    }

    /// `live` with everything that `wanted` says.
    static func merged(_ live: JSON?, _ wanted: JSON, key: String = "") -> JSON {
        switch (live, wanted) {
        case (.object(let old)?, .object(let members)) where !isAtomic(key):
            var result = old
            for (name, value) in members { result[name] = merged(old[name], value, key: name) }
            return .object(result)
        case (.array(let old)?, .array(let elements)):
            guard let keys = keys(of: key, old + elements) else { return wanted }
            var result = old
            for element in elements {
                if let place = result.firstIndex(where: { identity($0, keys) == identity(element, keys) }) {
                    result[place] = merged(result[place], element)
                } else {
                    result.append(element)
                }
            }
            return .array(result)
        default: return wanted
        }
    }
}
