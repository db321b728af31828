// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// JSON merge patch (RFC 7386): members replace, `null` removes, lists are replaced whole.
enum MergePatch {
    static func apply(_ patch: JSON, to object: JSON) throws(PatchError) -> JSON {
        guard !patch.isNull else { throw .badRequest("Invalid JSON Patch") }
        guard case .object = patch else {
            throw .badRequest(
                "error decoding patch: json: cannot unmarshal \(patch.goKind) into Go value of type map[string]interface {}"
            )
        }
        return merged(patch, into: object)
    }

    private static func merged(_ patch: JSON, into target: JSON) -> JSON {
        guard case .object(let changes) = patch else { return patch }
        var result = target.object ?? [:]
        for (key, change) in changes {
            if change.isNull {
                result[key] = nil
            } else if case .object = change {
                result[key] = merged(change, into: result[key] ?? .null)
            } else {
                result[key] = change
            }
        }
        return .object(result)
    }
}
