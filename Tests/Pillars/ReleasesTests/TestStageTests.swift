// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports
import Synchronization
import Testing

@testable import Releases

@Suite("the stage of tests")
struct TestStageTests {
    /// The results in order, the error's text, and what was kept.
    private func run(
        _ steps: String,
        _ runner: some CommandRunner
    ) async throws -> (results: [StepResult], error: String, kept: [String], said: [String]) {
        let text = """
            apiVersion: ballast.dev/v1alpha1
            kind: App
            metadata: { name: cart }
            spec: { test: [\(steps)], image: { build: { files: [{ from: a, to: /a }] } }, deploy: {} }
            """
        let file = try AppFile.read(text, path: "/src/ballast.yaml", shownAs: "ballast.yaml")
        let (records, progress, stream) = (MemoryRecords(), RecordedProgress(), LogStream("t"))
        let clock = VirtualTime().wall
        let keeper = OutputKeeper(records: records, progress: progress, stream: stream, clock: clock)
        let results = Mutex<[StepResult]>([])
        let stage = TestStage(runner: runner, output: keeper, clock: clock) { result in
            results.withLock { $0.append(result) }
        }
        var error = ""
        do { try await stage.run(file) } catch let failure { error = "\(failure)" }
        return (results.withLock(\.self), error, try await records.read(stream).map(\.text), progress.lines)
    }

    private static let good = #"<testsuite><testcase name="a"/><testcase name="b"><skipped/></testcase></testsuite>"#
    private static let bad =
        #"<testsuite><testcase name="a"/><testcase name="sum"><failure message="3 is not 4"/></testcase></testsuite>"#

    @Test("neighbours that say so run at the same time, the others one after the other")
    func groups() async throws {
        func step(_ name: String, _ isParallel: Bool) -> String {
            "{ name: \(name), run: \(name), parallel: \(isParallel) }"
        }
        let steps = [step("a", false), step("b", true), step("c", true), step("d", false), step("e", true)]
        let meeting = MeetingRunner(["b", "c"])
        let outcome = try await run(steps.joined(separator: ", "), meeting)
        #expect(outcome.error.isEmpty)
        #expect(outcome.results.map(\.name).sorted() == ["a", "b", "c", "d", "e"])
        // b and c can end only once both have begun; nothing else was under way with anything.
        #expect(meeting.company == ["a": [], "b": ["c"], "c": ["b"], "d": [], "e": []])
    }

    @Test("the first failure stops the steps beside it, and no later one starts")
    func failFast() async throws {
        let runner = ScriptedRunner(["one": .hangs, "two": .ends(3, ["assertion failed"])])
        let outcome = try await run(
            "{ name: x, run: one, parallel: true }, { name: y, run: two, parallel: true }, { name: z, run: three }",
            runner
        )
        #expect(outcome.error.hasPrefix("the step 'test y' failed with exit code 3 (two)"), "\(outcome.error)")
        #expect(outcome.error.contains("assertion failed"))
        #expect(
            Dictionary(uniqueKeysWithValues: outcome.results.map { ($0.name, $0.outcome) }) == [
                "x": .stopped, "y": .failed,
            ]
        )
        #expect(!runner.commands.contains("three"))
    }

    @Test("counts of fresh reports go on record, and what is older does not")
    func counts() async throws {
        let runner = ScriptedRunner(writes: ["make": ["out/1.xml": Self.good, "out/2.xml": Self.good]])
        runner.put("out/0.xml", Self.bad)
        let outcome = try await run("{ name: unit, run: make, junit: out/ }", runner)
        #expect(outcome.error.isEmpty)
        #expect(outcome.results.map(\.tests) == [TestCounts(total: 4, skipped: 2)])
        #expect(outcome.said.contains("unit: 2 tests passed, 2 skipped"))
    }

    @Test("a step whose report counts failures has failed, whatever its exit code")
    func liars() async throws {
        let runner = ScriptedRunner(writes: ["make": ["out/1.xml": Self.bad]])
        let outcome = try await run("{ name: unit, run: make, junit: [out/] }", runner)
        #expect(
            outcome.error.hasPrefix(
                "the step 'test unit' ended well, but its report 'out/1.xml' counts 1 test passed, 1 failed"
            ),
            "\(outcome.error)"
        )
        #expect(outcome.error.hasSuffix("failing tests:\n  ✗ sum: 3 is not 4"), "\(outcome.error)")
        #expect(outcome.results.map(\.tests) == [TestCounts(total: 2, failed: 1)])
    }

    @Test("the failing tests of a step that failed are named, and counted")
    func failing() async throws {
        let runner = ScriptedRunner(["make": .ends(1, ["boom"])], writes: ["make": ["out/1.xml": Self.bad]])
        let outcome = try await run("{ name: unit, run: make, junit: out/ }", runner)
        #expect(outcome.error.contains("failed with exit code 1") && outcome.error.contains("✗ sum: 3 is not 4"))
        #expect(outcome.results.map(\.tests) == [TestCounts(total: 2, failed: 1)])
    }

    @Test("no report, one from before, and one that is cut off are three different things")
    func missing() async throws {
        let none = try await run("{ name: unit, run: make, junit: out/ }", ScriptedRunner())
        #expect(none.error.contains("wrote no report 'out/'; correct 'junit'"), "\(none.error)")
        let old = ScriptedRunner()
        old.put("out/1.xml", Self.good)
        let stale = try await run("{ name: unit, run: make, junit: out/ }", old)
        #expect(stale.error.isEmpty && stale.results.map(\.tests) == [nil])
        #expect(stale.said.contains("unit: its reports are from before this run, so no tests are counted"))
        let cut = ScriptedRunner(writes: ["make": ["out/1.xml": "<testsuite><testcase "]])
        let broken = try await run("{ name: unit, run: make, junit: out/ }", cut)
        #expect(
            broken.error.contains("'out/1.xml'") && broken.error.contains("ends inside of a tag"),
            "\(broken.error)"
        )
    }

    @Test("a step that takes too long is named with its timeout, and its output is kept")
    func timeout() async throws {
        let outcome = try await run("{ name: slow, run: crawl, timeout: 3s }", ScriptedRunner(["crawl": .timesOut]))
        #expect(outcome.error.hasPrefix("the step 'test slow' did not end within 3 s (crawl)"), "\(outcome.error)")
        #expect(outcome.kept == ["[test slow] still at it"])
        #expect(outcome.results.map(\.outcome) == [.failed])
    }

    @Test("results survive the record")
    func record() {
        let result = StepResult(
            name: "unit",
            outcome: .stopped,
            took: .milliseconds(1500),
            tests: TestCounts(total: 9, failed: 1, skipped: 2)
        )
        #expect(StepResult(result.json) == result)
        let bare = StepResult(name: "lint", outcome: .passed, took: .zero)
        #expect(StepResult(bare.json) == bare)
    }
}

/// Notes who runs at the same time as whom; those of a meeting wait for each other.
private final class MeetingRunner: CommandRunner {
    private struct State {
        var present: Set<String> = []
        var company: [String: Set<String>] = [:]
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let meeting: Set<String>
    private let state = Mutex(State())

    init(_ meeting: Set<String>) { self.meeting = meeting }

    var company: [String: Set<String>] { state.withLock(\.company) }

    func run(
        _ command: String,
        in folder: String,
        timeout: Duration,
        output: @escaping @Sendable (String) async -> Void
    ) async throws -> Int32 {
        state.withLock { state in
            state.company[command] = state.present
            for other in state.present { state.company[other]?.insert(command) }
            state.present.insert(command)
        }
        if meeting.contains(command) {
            await withCheckedContinuation { continuation in
                let woken = state.withLock { state -> [CheckedContinuation<Void, Never>] in
                    state.waiting.append(continuation)
                    guard state.waiting.count == meeting.count else { return [] }
                    defer { state.waiting = [] }
                    return state.waiting
                }
                for other in woken { other.resume() }
            }
        }
        _ = state.withLock { $0.present.remove(command) }
        return 0
    }

    func reports(matching patterns: [String], in folder: String) async throws -> [ReportFile] { [] }
    func contents(of report: ReportFile) async throws -> [UInt8] { [] }
}
