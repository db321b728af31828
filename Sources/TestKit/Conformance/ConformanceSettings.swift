// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import FoundationEssentials

/// Where conformance cases and lists are, how much is run and where the results go.
package struct ConformanceSettings: Sendable {
    /// The folder with `releases/`, `monitoring/` and so on.
    package var root: URL
    /// The folder with `out-of-scope/` and `known-failures/`.
    package var corpus: URL
    /// Every case, instead of the quick part.
    package var isWhole = false
    package var onlySuite: String?
    /// Where each suite leaves its results for `scripts/conformance`; nowhere under `make test`.
    package var reports: URL?

    package init(root: URL, corpus: URL) {
        self.root = root
        self.corpus = corpus
    }

    /// What the environment says: `BALLAST_CONFORMANCE`, `BALLAST_CONFORMANCE_REPORTS` and `BALLAST_CONFORMANCE_SUITE`.
    package static let ofThisProcess = ConformanceSettings(environment: ProcessInfo.processInfo.environment)

    package init(environment: [String: String], project: URL = .ballastProject) {
        let set = environment.filter { !$0.value.isEmpty }
        self.root =
            set["BALLAST_CONFORMANCE"].map { URL(filePath: $0, directoryHint: .isDirectory) }
            ?? project.deletingLastPathComponent().appending(path: "shared/conformance", directoryHint: .isDirectory)
        self.corpus = project.appending(path: "Tests/Corpus", directoryHint: .isDirectory)
        self.reports = set["BALLAST_CONFORMANCE_REPORTS"].map { URL(filePath: $0, directoryHint: .isDirectory) }
        self.isWhole = reports != nil
        self.onlySuite = set["BALLAST_CONFORMANCE_SUITE"]
    }

    /// The suite's two lists; a list that is not there is empty.
    package func lists(of suite: String) throws -> ConformanceLists {
        try ConformanceLists(
            outOfScope: entries(in: "out-of-scope/\(suite).txt"),
            knownFailures: entries(in: "known-failures/\(suite).txt")
        )
    }

    private func entries(in path: String) throws -> [ConformanceLists.Entry] {
        let file = corpus.appending(path: path)
        guard FileManager.default.fileExists(atPath: file.path) else { return [] }
        do {
            return try ConformanceLists.entries(in: String(contentsOf: file, encoding: .utf8))
        } catch let error as ConformanceMismatch {
            throw ConformanceMismatch("\(path), \(error)")
        }
    }
}

extension URL {
    /// The project this file was compiled in: tests read its corpus and its sources.
    package static let ballastProject = URL(filePath: #filePath)
        .deletingLastPathComponent()  // Conformance
        .deletingLastPathComponent()  // TestKit
        .deletingLastPathComponent()  // Sources
        .deletingLastPathComponent()
}
