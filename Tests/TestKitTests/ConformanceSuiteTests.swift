// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Synchronization
import TestKit
import Testing

@Suite("the conformance runner")
struct ConformanceSuiteTests {
    @Test("counts what passed, what failed and what is out of scope")
    func countsOutcomes() throws {
        var tally = ConformanceTally(
            suite: "demo",
            lists: ConformanceLists(
                outOfScope: [.init(pattern: "alpha/*", reason: "not ours")],
                knownFailures: [.init(pattern: "slow", reason: "later")]
            )
        )
        let skipped = ["alpha/one", "good", "slow"].filter { tally.skips($0) }
        #expect(skipped == ["alpha/one"])
        tally.count("good", .passed)
        tally.count("slow", .failed(because: "too late"))
        tally.close()
        #expect(tally.line == "demo: 1 passed, 1 failed, 1 out of scope")
        #expect(tally.failed == [.init(name: "slow", reason: "too late")])
        #expect(tally.surprises == [])
    }

    @Test("a failure nobody listed is a surprise")
    func unlistedFailure() {
        var tally = ConformanceTally(suite: "demo", lists: ConformanceLists())
        _ = tally.skips("bad")
        tally.count("bad", .failed(because: "3 is not 4"))
        tally.close()
        #expect(tally.surprises == ["'bad' failed: 3 is not 4"])
    }

    @Test("a known failure that passes must leave the list")
    func outdatedKnownFailure() {
        var tally = ConformanceTally(
            suite: "demo",
            lists: ConformanceLists(knownFailures: [.init(pattern: "mended", reason: "was hard")])
        )
        _ = tally.skips("mended")
        tally.count("mended", .passed)
        tally.close()
        #expect(tally.surprises == ["'mended' passes now: take it off the known failures"])
    }

    @Test("an entry that matches nothing, and a folder without cases, are surprises")
    func outdatedEntries() {
        var tally = ConformanceTally(
            suite: "demo",
            lists: ConformanceLists(outOfScope: [.init(pattern: "gone*", reason: "was here once")])
        )
        tally.close()
        #expect(tally.surprises == ["the list entry 'gone*' matches no case", "the folder holds no cases"])
    }

    @Test("two cases of one name are a surprise")
    func repeatedNames() {
        var tally = ConformanceTally(suite: "demo", lists: ConformanceLists())
        _ = tally.skips("twin")
        _ = tally.skips("twin")
        #expect(tally.surprises == ["two cases are named 'twin'"])
    }

    @Test(
        "a star stands for any text",
        arguments: [
            ("a", "a", true), ("a", "ab", false), ("*", "", true), ("a*", "abc", true), ("*c", "abc", true),
            ("a*c", "ac", true), ("a*c", "abcd", false), ("a*b*c", "aXbYc", true), ("a*b*c", "acb", false),
            ("ab*ba", "aba", false), ("*b*", "abc", true), ("a**c", "abc", true),
        ]
    )
    func patterns(pattern: String, name: String, isMatch: Bool) {
        #expect(ConformanceLists.Entry(pattern: pattern, reason: "x").matches(name) == isMatch)
    }

    @Test("lists are lines of name and reason, and say which line is wrong")
    func listLines() throws {
        let entries = try ConformanceLists.entries(in: "# why\n\n a | b  | no such engine \nc*|later\n")
        #expect(entries == [.init(pattern: "a | b", reason: "no such engine"), .init(pattern: "c*", reason: "later")])
        for text in ["# ok\nname without reason\n", "# ok\nname |\n", "# ok\n| reason\n"] {
            let error = #expect(throws: ConformanceMismatch.self) { try ConformanceLists.entries(in: text) }
            #expect(error?.description.hasPrefix("line 2:") == true)
        }
    }

    @Test("a whole run leaves its line and its failed cases for the script")
    func leavesAReport() async throws {
        try await withTemporaryFolder { folder in
            try Data("bad | not built yet\n".utf8).write(to: folder.appending(path: "known-failures/demo.txt"))
            var settings = ConformanceSettings(root: folder, corpus: folder)
            settings.isWhole = true
            settings.reports = folder.appending(path: "reports")
            try await ConformanceSuite("demo", in: "cases", quickStride: 5, settings: settings)
                .run { _ in
                    ["good", "bad"].map { ConformanceCase($0, $0) }
                } check: { name in
                    try requireEqual(name, "good", "name")
                }
            #expect(try text("demo.line", in: settings) == "demo: 1 passed, 1 failed, 0 out of scope\n")
            #expect(try text("demo.failed", in: settings) == "demo: bad: name is bad, expected good\n")
        }
    }

    @Test("an unlisted failure fails the test that runs the suite")
    func failsItsTest() async throws {
        try await withTemporaryFolder { folder in
            let recorded = Mutex<[String]>([])
            try await ConformanceSuite(
                "demo",
                in: "cases",
                settings: ConformanceSettings(root: folder, corpus: folder),
                record: { text, _ in recorded.withLock { $0.append(text) } }
            ).run { _ in
                [ConformanceCase("bad", 1), ConformanceCase("good", 2)]
            } check: { number in
                try requireEqual(number, 2)
            }
            #expect(recorded.withLock { $0 } == ["demo: 'bad' failed: answer is 1, expected 2"])
        }
    }

    @Test("an absent folder is said, and another suite is passed over")
    func absentFolder() async throws {
        try await withTemporaryFolder { folder in
            var settings = ConformanceSettings(root: folder, corpus: folder)
            settings.reports = folder.appending(path: "reports")
            let suite = ConformanceSuite("demo", in: "nowhere", settings: settings)
            try await suite.run { _ in
                [ConformanceCase("x", 1)]
            } check: { _ in
                Issue.record("must not run")
            }
            #expect(try text("demo.skipped", in: settings).hasPrefix("demo: skipped, there is no folder nowhere in "))

            settings.onlySuite = "other"
            let passedOver = ConformanceSuite("third", in: "cases", settings: settings)
            try await passedOver.run { _ in
                [ConformanceCase("x", 1)]
            } check: { _ in
                Issue.record("must not run")
            }
            #expect(try text("third.other", in: settings).isEmpty)
        }
    }

    @Test("the quick part runs every so many cases")
    func quickPart() async throws {
        try await withTemporaryFolder { folder in
            let ran = Mutex<[Int]>([])
            let suite = ConformanceSuite(
                "demo",
                in: "cases",
                quickStride: 4,
                settings: ConformanceSettings(root: folder, corpus: folder)
            )
            try await suite.run { _ in
                (0..<9).map { ConformanceCase("case \($0)", $0) }
            } check: { number in
                ran.withLock { $0.append(number) }
            }
            #expect(ran.withLock { $0 } == [0, 4, 8])
        }
    }

    @Test("the environment decides where cases are and what is run")
    func settingsFromEnvironment() {
        let project = URL(filePath: "/src/ballast", directoryHint: .isDirectory)
        let plain = ConformanceSettings(environment: [:], project: project)
        #expect(plain.root.path == "/src/shared/conformance")
        #expect(plain.corpus.path == "/src/ballast/Tests/Corpus")
        #expect(!plain.isWhole && plain.onlySuite == nil)

        let whole = ConformanceSettings(
            environment: [
                "BALLAST_CONFORMANCE": "/cases", "BALLAST_CONFORMANCE_REPORTS": "/out",
                "BALLAST_CONFORMANCE_SUITE": "promql",
            ],
            project: project
        )
        #expect(whole.root.path == "/cases")
        #expect(whole.isWhole && whole.onlySuite == "promql")
    }

    private func text(_ name: String, in settings: ConformanceSettings) throws -> String {
        let reports = try #require(settings.reports)
        return try String(contentsOf: reports.appending(path: name), encoding: .utf8)
    }

    private func withTemporaryFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "ballast-suite-\(UUID().uuidString)")
        for name in ["cases", "reports", "known-failures"] {
            let path = folder.appending(path: name, directoryHint: .isDirectory)
            try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
        }
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }
}
