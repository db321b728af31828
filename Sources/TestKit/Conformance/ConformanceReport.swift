// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

internal import FoundationEssentials

/// Leaves one file per suite for `scripts/conformance`, whose ending says what became of it.
///
/// `.line` holds the result line, `.failed` the failed cases, `.skipped` why it was not run, `.started` that it began
/// (a suite with nothing but that took the process down), `.other` that another suite was asked for.
struct ConformanceReport {
    let suite: String
    /// None under `make test`, where the issues say enough.
    let folder: URL?

    func started() { write("", ending: "started") }

    func passedOver() { write("", ending: "other") }

    func skipped(because reason: String) {
        print("\(suite): skipped, \(reason)")
        write("\(suite): skipped, \(reason)\n", ending: "skipped")
    }

    func finished(_ tally: ConformanceTally) {
        write(tally.line + "\n", ending: "line")
        let failed = tally.failed.map { "\(suite): \($0.name): \($0.reason.firstLine)\n" }
        if !failed.isEmpty { write(failed.joined(), ending: "failed") }
    }

    private func write(_ text: String, ending: String) {
        guard let folder else { return }
        let file = folder.appending(path: "\(suite).\(ending)")
        do {
            try Data(text.utf8).write(to: file)
        } catch {
            print("\(suite): could not write \(file.path): \(error)")
        }
    }
}

extension String {
    fileprivate var firstLine: String {
        let line = prefix { !$0.isNewline }
        return line.count > 300 ? line.prefix(300) + "…" : String(line)
    }
}
