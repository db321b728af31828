// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Kubernetes' strategic merge patch: a merge patch that knows which lists are sets or maps by a key.
///
/// Directives in the patch: `$patch: delete|replace|merge`, `$retainKeys`, `$deleteFromPrimitiveList/<field>`,
/// `$setElementOrder/<field>`. Results and error texts follow a real server's, oddities included: an element without
/// its merge key is a 500 there.
enum StrategicMergePatch {
    static let directive = "$patch"
    static let retainKeys = "$retainKeys"
    static let deleteFromList = "$deleteFromPrimitiveList"
    static let elementOrder = "$setElementOrder"

    static func apply(_ patch: JSON, to object: JSON, schema: Schema) throws(PatchError) -> JSON {
        guard case .object(let changes) = patch else {
            throw .badRequest("json: cannot unmarshal \(patch.goKind) into Go value of type map[string]interface {}")
        }
        return .object(try merge(changes, into: object.object ?? [:], schema: schema))
    }

    static func merge(_ patch: JSONObject, into original: JSONObject, schema: Schema?) throws(PatchError) -> JSONObject
    {
        if let action = patch[directive] { return try replacement(by: action, in: patch) }
        var original = original
        var patch = patch
        try retain(keysIn: &patch, of: &original)
        try orderLists(of: &original, by: &patch, schema: schema)
        for (key, change) in patch {
            try merge(change, of: key, into: &original, schema: schema)
        }
        return original
    }

    private static func replacement(by action: JSON, in patch: JSONObject) throws(PatchError) -> JSONObject {
        switch action.string {
        case "replace":
            var result = patch
            result[directive] = nil
            return result
        case "delete": return [:]
        default: throw .unexpected("unknown patch type: \(action.goText) in map: \(JSON.object(patch).goText)")
        }
    }

    /// `$retainKeys` lists all members the object may keep, those that the patch sets included.
    private static func retain(keysIn patch: inout JSONObject, of original: inout JSONObject) throws(PatchError) {
        guard let listed = patch[retainKeys] else { return }
        patch[retainKeys] = nil
        guard let names = listed.array else { throw .badRequest("invalid patch format of retainKeys") }
        let kept = Set(names.compactMap(\.string))
        for (key, value) in patch where !value.isNull && !key.hasPrefix(deleteFromList) && !key.hasPrefix(elementOrder)
        {
            guard kept.contains(key) else { throw .badRequest("invalid patch format of retainKeys") }
        }
        original = original.filter { kept.contains($0.key) }
    }

    private static func merge(
        _ change: JSON,
        of patchKey: String,
        into original: inout JSONObject,
        schema: Schema?
    ) throws(PatchError) {
        let isDeletion = patchKey.hasPrefix(deleteFromList)
        let key = isDeletion ? try fieldName(in: patchKey, after: deleteFromList) : patchKey
        guard !change.isNull else {
            original[key] = nil
            return
        }
        let field = schema?.field(key)
        switch (original[key], change) {
        case (.object(let current)?, .object(let changes)) where field?.isReplaced != true:
            original[key] = .object(try merge(changes, into: current, schema: schema?.member(key)))
        case (.object?, .object): original[key] = change
        case (.array(let current)?, .array(let changes)):
            let list = MergedList(field: field, element: schema?.member(key)?.element)
            original[key] = .array(try list.merge(changes, into: current, isDeletion: isDeletion))
        default:
            if !isDeletion { original[key] = try withoutDirectives(change) }
        }
    }

    /// `$setElementOrder/<field>`: merges that field's list at once and puts it into the given order.
    private static func orderLists(
        of original: inout JSONObject,
        by patch: inout JSONObject,
        schema: Schema?
    ) throws(PatchError) {
        for key in patch.keys where key.hasPrefix(elementOrder) {
            guard let order = patch[key]?.array else {
                throw .unexpected("expected a []interface {}, but received a \(goType(patch[key] ?? .null))")
            }
            patch[key] = nil
            let name = try fieldName(in: key, after: elementOrder)
            let current = try list(original[name])
            let changes = try list(patch[name])
            let list = MergedList(field: schema?.field(name), element: schema?.member(name)?.element)
            if let result = try list.merge(changes, into: current, order: order) { original[name] = .array(result) }
            patch[name] = nil
        }
    }

    private static func list(_ value: JSON?) throws(PatchError) -> [JSON]? {
        guard let value else { return nil }
        guard let elements = value.array else {
            throw .unexpected("expected a []interface {}, but received a \(goType(value))")
        }
        return elements
    }

    private static func fieldName(in key: String, after prefix: String) throws(PatchError) -> String {
        guard key.hasPrefix("\(prefix)/") else {
            throw .badRequest(
                prefix == elementOrder
                    ? "invalid patch format of setElementOrder list" : "invalid patch format of primitive list"
            )
        }
        return String(key.dropFirst(prefix.count + 1))
    }

    /// A part of the patch that meets nothing in the object: taken as it is, without `null`s and directives.
    static func withoutDirectives(_ value: JSON) throws(PatchError) -> JSON {
        switch value {
        case .object(let members):
            switch members[directive]?.string {
            case "delete": return [:]
            case nil where members[directive] == nil, "replace", "merge": break
            default: _ = try replacement(by: members[directive] ?? .null, in: members)
            }
            var kept: JSONObject = [:]
            for (key, member) in members where !member.isNull && !key.hasPrefix("$") {
                kept[key] = try withoutDirectives(member)
            }
            return .object(kept)
        case .array(let elements):
            var kept: [JSON] = []
            for element in elements where element[directive] == nil { kept.append(try withoutDirectives(element)) }
            return .array(kept)
        default: return value
        }
    }

    static func goType(_ value: JSON) -> String {
        switch value {
        case .null: "<nil>"
        case .bool: "bool"
        case .number(let number): number.isInteger ? "int64" : "float64"
        case .string: "string"
        case .array: "[]interface {}"
        case .object: "map[string]interface {}"
        }
    }
}
