// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Finds the known name that a mistyped one probably meant.
package enum NearestName {
    /// `; did you mean 'x'?`, or nothing where no name is near.
    package static func hint(for name: String, among known: [String]) -> String {
        guard let near = near(name, among: known) else {
            return known.isEmpty ? "" : "; known here: \(known.joined(separator: ", "))"
        }
        return "; did you mean '\(near)'?"
    }

    /// The known name that differs least, where that is little.
    package static func near(_ name: String, among known: [String]) -> String? {
        let scored = known.map { (distance(name.lowercased(), $0.lowercased()), $0) }
        guard let best = scored.min(by: { $0.0 < $1.0 }), best.0 <= max(2, name.count / 3) else { return nil }
        return best.1
    }

    /// Edits (insert, delete, replace, swap neighbours) from one to the other.
    static func distance(_ left: String, _ right: String) -> Int {
        let left = Array(left), right = Array(right)
        var rows = [Array(0...right.count)]
        for i in 0..<left.count {
            var row = [i + 1]
            for j in 0..<right.count {
                var cost = min(row[j] + 1, rows[i][j + 1] + 1, rows[i][j] + (left[i] == right[j] ? 0 : 1))
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    cost = min(cost, rows[i - 1][j - 1] + 1)
                }
                row.append(cost)
            }
            rows.append(row)
        }
        return rows[left.count][right.count]
    }
}
