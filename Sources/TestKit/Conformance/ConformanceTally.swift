// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Counts what became of the cases of one suite, and tells which results nobody expected.
package struct ConformanceTally: Sendable {
    package enum Outcome: Sendable {
        case passed
        case failed(because: String)
    }

    package struct Failed: Equatable, Sendable {
        package var name: String
        package var reason: String

        package init(name: String, reason: String) {
            self.name = name
            self.reason = reason
        }
    }

    package let suite: String
    private let lists: ConformanceLists
    private var seen: Set<String> = []
    private var usedEntries: Set<String> = []

    package private(set) var passed = 0
    package private(set) var outOfScope = 0
    package private(set) var failed: [Failed] = []
    /// What breaks the build: a failure that is not listed, a listed one that passes, a name used twice.
    package private(set) var surprises: [String] = []

    package init(suite: String, lists: ConformanceLists) {
        self.suite = suite
        self.lists = lists
    }

    /// Counts the case as out of scope and answers true, if it is; else it is to be run.
    package mutating func skips(_ name: String) -> Bool {
        if !seen.insert(name).inserted { surprises.append("two cases are named '\(name)'") }
        guard let entry = lists.outOfScope.first(where: { $0.matches(name) }) else { return false }
        usedEntries.insert(entry.pattern)
        outOfScope += 1
        return true
    }

    package mutating func count(_ name: String, _ outcome: Outcome) {
        let known = lists.knownFailures.first { $0.matches(name) }
        if let known { usedEntries.insert(known.pattern) }
        switch (outcome, known) {
        case (.passed, nil):
            passed += 1
        case (.passed, .some(let entry)):
            passed += 1
            // A pattern may cover cases that pass; a plain name that passes is an outdated entry.
            if entry.pattern == name { surprises.append("'\(name)' passes now: take it off the known failures") }
        case (.failed(let reason), let known):
            failed.append(Failed(name: name, reason: reason))
            if known == nil { surprises.append("'\(name)' failed: \(reason)") }
        }
    }

    /// Entries that met no case, once every case was offered; an outdated list hides what it was written for.
    package mutating func close() {
        for entry in lists.outOfScope + lists.knownFailures where !usedEntries.contains(entry.pattern) {
            surprises.append("the list entry '\(entry.pattern)' matches no case")
        }
        if seen.isEmpty { surprises.append("the folder holds no cases") }
    }

    /// `suite: N passed, N failed, N out of scope`.
    package var line: String {
        "\(suite): \(passed) passed, \(failed.count) failed, \(outOfScope) out of scope"
    }
}
