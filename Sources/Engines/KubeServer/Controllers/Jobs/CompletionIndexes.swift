// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Completion indexes as a job's status writes them: `0-2,5`.
struct CompletionIndexes: Sendable, Equatable, CustomStringConvertible {
    private(set) var values: Set<Int>

    init(_ values: Set<Int> = []) { self.values = values }

    /// Reads the text; parts that are none are left out, as are indexes not below `limit`.
    init(_ text: String, below limit: Int) {
        values = []
        for part in text.split(separator: ",") {
            let ends = part.split(separator: "-").compactMap { Int($0) }
            guard let first = ends.first, let last = ends.last, first <= last, first < limit else { continue }
            values.formUnion(first...min(last, limit - 1))
        }
    }

    mutating func insert(_ index: Int) { values.insert(index) }

    /// Runs of three and more are written with a dash, as are runs of two.
    var description: String {
        var runs: [(first: Int, last: Int)] = []
        for value in values.sorted() {
            if let last = runs.last, last.last + 1 == value {
                runs[runs.count - 1].last = value
            } else {
                runs.append((value, value))
            }
        }
        return runs.map { run in
            switch run.last - run.first {
            case 0: "\(run.first)"
            case 1: "\(run.first),\(run.last)"
            default: "\(run.first)-\(run.last)"
            }
        }.joined(separator: ",")
    }
}
