// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model

@testable import KubeServer

/// A schema document of structured-merge-diff, translated into what custom resources declare.
///
/// Types may contain themselves there, so the translation follows sample values: what none of them has is left open.
struct PublishedSchema {
    private let types: [String: JSON]
    private static let anything: JSON = ["x-kubernetes-preserve-unknown-fields": true]

    init(_ document: JSON) {
        let named = (document["types"]?.array ?? []).map { ($0["name"]?.string ?? "", $0) }
        types = Dictionary(named) { first, _ in first }
    }

    func type(_ name: String, for values: JSON...) -> FieldType {
        .custom(StructuralSchema(schema(["namedType": .string(name)], values)), keepsUnknown: false)
    }

    private func schema(_ reference: JSON, _ values: [JSON]) -> JSON {
        guard !values.isEmpty else { return Self.anything }
        guard let name = reference["namedType"]?.string else { return atom(reference, values) }
        guard let type = types[name] else { return Self.anything }
        var schema = atom(type, values)
        switch reference["elementRelationship"]?.string {
        case "atomic": schema[schema["type"] == "array" ? "x-kubernetes-list-type" : "x-kubernetes-map-type"] = "atomic"
        case "granular", "separable": schema["x-kubernetes-map-type"] = "granular"
        default: break
        }
        return schema
    }

    private func atom(_ type: JSON, _ values: [JSON]) -> JSON {
        let (scalar, list, map) = (type["scalar"]?.string, type["list"], type["map"])
        if [scalar != nil, list != nil, map != nil].count(where: { $0 }) > 1 {
            return map?["elementRelationship"] == "atomic"
                ? ["x-kubernetes-preserve-unknown-fields": true, "x-kubernetes-map-type": "atomic"]
                : Self.anything
        }
        if let list { return self.list(list, values) }
        if let map { return self.map(map, values) }
        switch scalar {
        case "string": return ["type": "string"]
        case "numeric": return ["type": "number"]
        case "boolean": return ["type": "boolean"]
        default: return Self.anything
        }
    }

    private func list(_ list: JSON, _ values: [JSON]) -> JSON {
        let elements = values.flatMap { $0.array ?? [] }
        var result: JSONObject = [
            "type": "array", "items": schema(list["elementType"] ?? [:], elements),
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

    private func map(_ map: JSON, _ values: [JSON]) -> JSON {
        var result: JSONObject = ["type": "object"]
        var properties: JSONObject = [:]
        for field in map["fields"]?.array ?? [] {
            let name = field["name"]?.string ?? ""
            var property = schema(field["type"] ?? [:], values.compactMap { $0[name] })
            if let value = field["default"], property.object != nil { property["default"] = value }
            properties[name] = property
        }
        if !properties.isEmpty { result["properties"] = .object(properties) }
        if let element = map["elementType"] {
            result["additionalProperties"] = schema(element, values.flatMap { $0.object?.map(\.value) ?? [] })
        }
        if map["elementRelationship"] == "atomic" { result["x-kubernetes-map-type"] = "atomic" }
        return .object(result)
    }
}
