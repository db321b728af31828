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
        stamped.json.set(.string(stamp(of: object)), at: ["metadata", "annotations", annotation])
        return stamped
    }

    /// A merge patch, or `nil` where the stored object already says all we want.
    package static func mergePatch(wanted: KubeObject, live: KubeObject) -> JSON? {
        let wanted = KubeObject(wanted.json.withoutNullMembers)
        let (stamp, lastStamp) = (stamp(of: wanted), live.annotations[annotation])
        let last = lastStamp.flatMap { try? JSON(parsing: $0) } ?? [:]
        var patch = patch(last: last, wanted: wanted.json, live: live.json, isAmount: false)
        guard patch != [:] || stamp != lastStamp else { return nil }
        patch.set(.string(stamp), at: ["metadata", "annotations", annotation])
        return patch
    }

    /// A Secret's values stay out of its note: there they would be shown wherever annotations are.
    private static func stamp(of object: KubeObject) -> String {
        var noted = object.json.withoutNullMembers
        if object.kind == "Secret" {
            for key in ["data", "stringData"] {
                if case .object(let values)? = noted[key] { noted[key] = .object(values.mapValues { _ in "" }) }
            }
        }
        return noted.sortedByKey.text
    }

    /// `isAmount`: the members are resource amounts, of which one has many spellings.
    private static func patch(last: JSON, wanted: JSON, live: JSON, isAmount: Bool) -> JSON {
        var patch: JSON = [:]
        for (key, value) in wanted.object ?? [:] {
            let areAmounts = holdsAmounts(key)
            if case .object = value, let stored = live[key], stored.object != nil {
                let inner = self.patch(last: last[key] ?? [:], wanted: value, live: stored, isAmount: areAmounts)
                if inner != [:] { patch[key] = inner }
                continue
            }
            // What we took out of a list does not show in what we want of it: it shows in that we said more before.
            let isShorter = value.array != nil && last[key] != nil && last[key] != value
            if isShorter || !covers(live[key], value, isAmount: isAmount || areAmounts) { patch[key] = value }
        }
        for (key, _) in last.object ?? [:] where wanted[key] == nil && live[key] != nil { patch[key] = .null }
        return patch
    }

    private static func holdsAmounts(_ key: String) -> Bool { key == "requests" || key == "limits" }

    /// Whether `live` holds everything that `wanted` says; what the server filled in beside it does not matter.
    static func covers(_ live: JSON?, _ wanted: JSON, isAmount: Bool = false) -> Bool {
        switch (live, wanted) {
        case (nil, .object(let members)): return members.isEmpty  // servers leave empty values out
        case (nil, .array(let elements)): return elements.isEmpty
        case (.object(let stored), .object(let members)):
            return members.allSatisfy { key, value in
                covers(stored[key], value, isAmount: isAmount || holdsAmounts(key))
            }
        case (.array(let stored), .array(let elements)):
            return stored.count == elements.count && zip(stored, elements).allSatisfy { covers($0, $1) }
        case (let stored?, _) where isAmount:
            guard let left = Quantity(stored.scalarText ?? ""), let right = Quantity(wanted.scalarText ?? "") else {
                return stored == wanted
            }
            return left == right
        default: return live == wanted
        }
    }
}

extension JSON {
    /// The value without members that are `null`: in an object to be stored they mean what their absence means.
    fileprivate var withoutNullMembers: JSON {
        switch self {
        case .object(let members): .object(members.filter { !$0.value.isNull }.mapValues(\.withoutNullMembers))
        case .array(let elements): .array(elements.map(\.withoutNullMembers))
        default: self
        }
    }
}
