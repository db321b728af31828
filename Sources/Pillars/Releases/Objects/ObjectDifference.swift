// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// What must change in a stored object so that it says what we want, without touching what others own.
///
/// Three ways: what we applied last (kept in an annotation), what we want, and what is stored. A list counts as one value.
package enum ObjectDifference {
    package static let annotation = "ballast.dev/last-applied"

    /// The object with a note of itself, so that the next release knows which fields were ours.
    package static func stamped(_ object: KubeObject) -> KubeObject {
        var stamped = object
        stamped.json.set(.string(object.json.sortedByKey.text), at: ["metadata", "annotations", annotation])
        return stamped
    }

    /// A merge patch, or `nil` where the stored object already says all we want.
    package static func mergePatch(wanted: KubeObject, live: KubeObject) -> JSON? {
        let last = live.annotations[annotation].flatMap { try? JSON(parsing: $0) } ?? [:]
        guard let patch = patch(last: last, wanted: wanted.json, live: live.json), patch != [:] else { return nil }
        var stamp = patch
        stamp.set(.string(wanted.json.sortedByKey.text), at: ["metadata", "annotations", annotation])
        return stamp
    }

    /// The fields that change, as dotted paths with old and new value, for people.
    package static func summary(of patch: JSON, live: KubeObject) -> [String] {
        var lines: [String] = []
        func walk(_ patch: JSON, _ live: JSON?, _ path: String) {
            guard case .object(let members) = patch else {
                lines.append("\(path): \(live?.text ?? "(none)") -> \(patch.isNull ? "(removed)" : patch.text)")
                return
            }
            for (key, value) in members where key != annotation {
                walk(value, live?[key], path.isEmpty ? key : "\(path).\(key)")
            }
        }
        walk(patch, live.json, "")
        return lines
    }

    private static func patch(last: JSON, wanted: JSON, live: JSON) -> JSON? {
        var patch: JSON = [:]
        for (key, value) in wanted.object ?? [:] {
            guard let stored = live[key] else {
                patch[key] = value
                continue
            }
            if case .object = value, case .object = stored {
                if let inner = self.patch(last: last[key] ?? [:], wanted: value, live: stored), inner != [:] {
                    patch[key] = inner
                }
            } else if !covers(stored, value) {
                patch[key] = value
            }
        }
        for (key, _) in last.object ?? [:] where wanted[key] == nil && live[key] != nil { patch[key] = .null }
        return patch
    }

    /// Whether `live` holds everything that `wanted` says; what the server filled in beside it does not matter.
    package static func covers(_ live: JSON, _ wanted: JSON) -> Bool {
        switch (live, wanted) {
        case (.object(let stored), .object(let members)):
            return members.allSatisfy { member in stored[member.key].map { covers($0, member.value) } ?? false }
        case (.array(let stored), .array(let elements)):
            return stored.count == elements.count && zip(stored, elements).allSatisfy { covers($0, $1) }
        case (.string(let stored), .string(let text)):
            if stored == text { return true }
            guard let left = Quantity(stored), let right = Quantity(text) else { return false }
            return left == right
        default: return live == wanted
        }
    }
}
