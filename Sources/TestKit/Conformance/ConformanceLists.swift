// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// The cases of a suite that the project has an opinion on, each with its reason.
///
/// `Tests/Corpus/out-of-scope/<suite>.txt` lists what Ballast does not set out to do: those cases are not run.
/// `Tests/Corpus/known-failures/<suite>.txt` lists what it should do and does not yet: those are run and counted
/// as failed, but only a failure that is not listed breaks the build.
package struct ConformanceLists: Equatable, Sendable {
    /// One line `name | reason`; in the name `*` stands for any text.
    package struct Entry: Equatable, Sendable {
        package var pattern: String
        package var reason: String

        package init(pattern: String, reason: String) {
            self.pattern = pattern
            self.reason = reason
        }
    }

    package var outOfScope: [Entry] = []
    package var knownFailures: [Entry] = []

    package init(outOfScope: [Entry] = [], knownFailures: [Entry] = []) {
        self.outOfScope = outOfScope
        self.knownFailures = knownFailures
    }

    /// Reads the lines of one list; blank lines and lines that start with `#` are comments.
    package static func entries(in text: String) throws(ConformanceMismatch) -> [Entry] {
        var entries: [Entry] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.trimmed
            if line.isEmpty || line.hasPrefix("#") { continue }
            guard let bar = line.lastIndex(of: "|") else {
                throw ConformanceMismatch("line \(index + 1): '\(line)' has no '| reason'")
            }
            let entry = Entry(
                pattern: String(line[..<bar].trimmed),
                reason: String(line[line.index(after: bar)...].trimmed)
            )
            guard !entry.pattern.isEmpty, !entry.reason.isEmpty else {
                throw ConformanceMismatch("line \(index + 1): '\(line)' lacks a name or a reason")
            }
            entries.append(entry)
        }
        return entries
    }
}

extension ConformanceLists.Entry {
    /// Whether the whole of `name` is what the pattern describes.
    package func matches(_ name: String) -> Bool {
        guard pattern.contains("*") else { return pattern == name }
        let pieces = pattern.split(separator: "*", omittingEmptySubsequences: false)
        guard let first = pieces.first, let last = pieces.last, name.hasPrefix(first) else { return false }
        var rest = name.dropFirst(first.count)
        for piece in pieces.dropFirst().dropLast() where !piece.isEmpty {
            guard let found = rest.firstRange(of: piece) else { return false }
            rest = rest[found.upperBound...]
        }
        return rest.count >= last.count && rest.hasSuffix(last)
    }
}

extension StringProtocol {
    fileprivate var trimmed: SubSequence {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace })
        else { return self[endIndex...] }
        return self[first...last]
    }
}
