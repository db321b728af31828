// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model

@testable import KubeServer

/// A schema document of structured-merge-diff, translated into what custom resources declare.
struct PublishedSchema {
    private let types: [String: JSON]
    /// Types that contain themselves are cut off here; below, anything goes.
    private static let depthLimit = 24

    init(_ document: JSON) {
        let named = (document["types"]?.array ?? []).map { ($0["name"]?.string ?? "", $0) }
        types = Dictionary(named) { first, _ in first }
    }

    func type(_ name: String) -> FieldType {
        .custom(StructuralSchema(schema(["namedType": .string(name)], [:])), keepsUnknown: false)
    }

    /// `inside` counts how often each type is open around this place.
    private func schema(_ reference: JSON, _ inside: [String: Int], depth: Int = 0) -> JSON {
        let anything: JSON = ["x-kubernetes-preserve-unknown-fields": true]
        guard depth < Self.depthLimit else { return anything }
        guard let name = reference["namedType"]?.string else { return atom(reference, inside, depth) }
        guard inside[name, default: 0] < 3, let type = types[name] else { return anything }
        var schema = atom(type, inside.merging([name: 1], uniquingKeysWith: +), depth)
        switch reference["elementRelationship"]?.string {
        case "atomic": schema[schema["type"] == "array" ? "x-kubernetes-list-type" : "x-kubernetes-map-type"] = "atomic"
        case "granular", "separable": schema["x-kubernetes-map-type"] = "granular"
        default: break
        }
        return schema
    }

    private func atom(_ type: JSON, _ inside: [String: Int], _ depth: Int) -> JSON {
        let (scalar, list, map) = (type["scalar"]?.string, type["list"], type["map"])
        if [scalar != nil, list != nil, map != nil].count(where: { $0 }) > 1 {
            return map?["elementRelationship"] == "atomic"
                ? ["x-kubernetes-preserve-unknown-fields": true, "x-kubernetes-map-type": "atomic"]
                : ["x-kubernetes-preserve-unknown-fields": true]
        }
        if let list { return self.list(list, inside, depth) }
        if let map { return self.map(map, inside, depth) }
        switch scalar {
        case "string": return ["type": "string"]
        case "numeric": return ["type": "number"]
        case "boolean": return ["type": "boolean"]
        default: return ["x-kubernetes-preserve-unknown-fields": true]
        }
    }

    private func list(_ list: JSON, _ inside: [String: Int], _ depth: Int) -> JSON {
        var result: JSONObject = [
            "type": "array", "items": schema(list["elementType"] ?? [:], inside, depth: depth + 1),
            "x-kubernetes-list-type": "atomic",
        ]
        guard list["elementRelationship"] == "associative" else { return .object(result) }
        result["x-kubernetes-list-type"] = "set"
        if let keys = list["keys"]?.array, !keys.isEmpty {
            result["x-kubernetes-list-type"] = "map"
            result["x-kubernetes-list-map-keys"] = .array(keys)
        }
        return .object(result)
    }

    private func map(_ map: JSON, _ inside: [String: Int], _ depth: Int) -> JSON {
        var result: JSONObject = ["type": "object"]
        var properties: JSONObject = [:]
        for field in map["fields"]?.array ?? [] {
            var property = schema(field["type"] ?? [:], inside, depth: depth + 1)
            if let value = field["default"], property.object != nil { property["default"] = value }
            properties[field["name"]?.string ?? ""] = property
        }
        if !properties.isEmpty { result["properties"] = .object(properties) }
        if let element = map["elementType"] {
            result["additionalProperties"] = schema(element, inside, depth: depth + 1)
        }
        if map["elementRelationship"] == "atomic" { result["x-kubernetes-map-type"] = "atomic" }
        return .object(result)
    }
}
