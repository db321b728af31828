// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

extension StructuralSchema {
    /// Reads a custom resource: unknown fields are dropped and reported, metadata is checked and brought into form,
    /// members are sorted by name as the real server does.
    func decode(_ value: JSON, duplicates: [String] = []) throws(DecodingError) -> DecodedObject {
        guard case .object(let members) = value else {
            throw DecodingError(
                message: "json: cannot unmarshal \(value.goKind) into Go value of type map[string]interface {}"
            )
        }
        var unknown: [String] = []
        let object = try prunedResource(members, unknown: &unknown)
        let problems = duplicates.map { "duplicate field \"\($0)\"" } + unknown.map { "unknown field \"\($0)\"" }
        return DecodedObject(object: .object(object), problems: Array(problems.prefix(100)))
    }

    /// A whole object: `apiVersion`, `kind` and `metadata` are known without being declared.
    private func prunedResource(
        _ members: JSONObject,
        unknown: inout [String]
    ) throws(DecodingError) -> JSONObject {
        var result: [(key: String, value: JSON)] = []
        for (key, value) in members.sorted(by: { $0.key < $1.key }) {
            switch key {
            case "apiVersion", "kind": result.append((key, value))
            case "metadata":
                if let metadata = try Self.decodedMetadata(value, unknown: &unknown) { result.append((key, metadata)) }
            default: try prune(key, value, into: &result, unknown: &unknown)
            }
        }
        return JSONObject(unique: result)
    }

    private static let metadataSchema = SchemaTable.builtIn.schema(
        named: "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
    )

    private static func decodedMetadata(_ value: JSON, unknown: inout [String]) throws(DecodingError) -> JSON? {
        guard let metadataSchema, !value.isNull else { return nil }
        var walk = DecodingWalk(table: metadataSchema.table, duplicates: [])
        let metadata = try walk.read(value, metadataSchema.shape)
        if let error = walk.typeError { throw DecodingError(message: error) }
        unknown += walk.problems.map { "metadata.\($0.path)" }
        return metadata.sortedByKey
    }

    /// Appends the member unless it is unknown.
    private func prune(
        _ key: String,
        _ value: JSON,
        into result: inout [(key: String, value: JSON)],
        unknown: inout [String]
    ) throws(DecodingError) {
        guard let schema = member(key) else {
            if preservesUnknownFields || isOpen { result.append((key, value.sortedByKey)) } else { unknown.append(key) }
            return
        }
        let start = unknown.count
        result.append((key, try schema.pruned(value, unknown: &unknown)))
        for place in unknown[start...].indices {
            let tail = unknown[place]
            unknown[place] = tail.hasPrefix("[") ? key + tail : "\(key).\(tail)"
        }
    }

    /// Whether `additionalProperties: true` lets any member in.
    private var isOpen: Bool {
        if case .allowed(true) = additionalProperties { return true }
        return false
    }

    func pruned(_ value: JSON, unknown: inout [String]) throws(DecodingError) -> JSON {
        switch value {
        case .object(let members):
            if isEmbeddedResource { return .object(try prunedResource(members, unknown: &unknown)) }
            var result: [(key: String, value: JSON)] = []
            result.reserveCapacity(members.count)
            for (key, member) in members.sorted(by: { $0.key < $1.key }) {
                try prune(key, member, into: &result, unknown: &unknown)
            }
            return .object(JSONObject(unique: result))
        case .array(let elements):
            guard let items else { return value.sortedByKey }
            var result: [JSON] = []
            result.reserveCapacity(elements.count)
            for (place, element) in elements.enumerated() {
                let start = unknown.count
                result.append(try items.pruned(element, unknown: &unknown))
                for each in unknown[start...].indices {
                    let tail = unknown[each]
                    unknown[each] = tail.hasPrefix("[") ? "[\(place)]\(tail)" : "[\(place)].\(tail)"
                }
            }
            return .array(result)
        default: return value
        }
    }
}
