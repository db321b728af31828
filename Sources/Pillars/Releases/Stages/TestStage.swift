// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
package import Model
import Ports

/// Stage 1: the app's own tests, on this machine: one after the other, and side by side where neighbours say `parallel`.
struct TestStage: Sendable {
    let runner: any CommandRunner
    let output: OutputKeeper
    let clock: WallClock
    /// Called once for each step that ended, be it well or not.
    let note: @Sendable (StepResult) async -> Void

    /// Throws `invalidInput` naming the step that failed first, with its last lines and failing tests; steps beside it are
    /// stopped, and steps after it never start.
    func run(_ file: AppFile) async throws {
        for group in Self.groups(of: file.app.tests) {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for step in group { tasks.addTask { try await run(step, file) } }
                // The first failure ends the group, and so the steps beside it; waiting for all of them would not.
                while try await tasks.next() != nil {}
            }
        }
    }

    /// Steps that may run at the same time, in the order of the file.
    static func groups(of steps: [App.TestStep]) -> [[App.TestStep]] {
        var groups: [[App.TestStep]] = []
        for step in steps {
            if step.isParallel, groups.last?.last?.isParallel == true {
                groups[groups.count - 1].append(step)
            } else {
                groups.append([step])
            }
        }
        return groups
    }

    private func run(_ step: App.TestStep, _ file: AppFile) async throws {
        let start = clock.now
        var result = StepResult(name: step.name, outcome: .passed, took: .zero)
        do {
            result.tests = try await counting(step, file) {
                try await output.run("test \(step.name)", step.run, in: file.folder, timeout: step.timeout, by: runner)
            }
        } catch {
            result.tests = error.report?.counts
            result.outcome = error.isStopped ? .stopped : .failed
            result.took = clock.now - start
            await note(result)
            throw error.error
        }
        result.took = clock.now - start
        await note(result)
        if let tests = result.tests { await output.progress.report(.note("\(step.name): \(tests.words)")) }
    }

    // MARK: reports

    private struct StepFailed: Error {
        var error: any Error
        var report: TestReport?

        var isStopped: Bool { error is CancellationError }
    }

    /// Runs a step and reads what it wrote meanwhile; reports from before it began count for nothing.
    private func counting(
        _ step: App.TestStep,
        _ file: AppFile,
        _ work: () async throws -> Void
    ) async throws(StepFailed) -> TestCounts? {
        var before: Set<ReportFile> = []
        do {
            if !step.reports.isEmpty {
                before = Set(try await runner.reports(matching: step.reports, in: file.folder))
            }
            try await work()
        } catch {
            // What the tests said of themselves says more than the exit code, where it can be read.
            var failed = StepFailed(error: error)
            if !(error is CancellationError), !step.reports.isEmpty {
                failed.report = try? await read(step, file, before)?.report
                failed.error = Self.adding(failed.report, to: error)
            }
            throw failed
        }
        guard !step.reports.isEmpty else { return nil }
        let found: (report: TestReport, files: String)?
        do {
            found = try await settled(step, file, before)
        } catch {
            throw StepFailed(error: error)
        }
        guard let (report, files) = found, report.counts.failed > 0 else { return found?.report.counts }
        let problem = "the step 'test \(step.name)' ended well, but its report \(files) counts \(report.counts.words)"
        throw StepFailed(error: Self.adding(report, to: Failure(.invalidInput, problem)), report: report)
    }

    /// What a step that succeeded reports; `nil` where it had no reason to write it anew. Throws where it says nothing.
    private func settled(
        _ step: App.TestStep,
        _ file: AppFile,
        _ before: Set<ReportFile>
    ) async throws -> (report: TestReport, files: String)? {
        if let found = try await read(step, file, before) { return found }
        guard !before.isEmpty else {
            let patterns = step.reports.map { "'\($0)'" }.joined(separator: ", ")
            let advice = "correct 'junit', or let the tests write it"
            throw Failure(.invalidInput, "the step 'test \(step.name)' wrote no report \(patterns); \(advice)")
        }
        let old = "\(step.name): its reports are from before this run, so no tests are counted"
        await output.progress.report(.note(old))
        return nil
    }

    private func read(
        _ step: App.TestStep,
        _ file: AppFile,
        _ before: Set<ReportFile>
    ) async throws -> (report: TestReport, files: String)? {
        let fresh = try await runner.reports(matching: step.reports, in: file.folder).filter { !before.contains($0) }
        guard let first = fresh.first else { return nil }
        var sum = TestReport()
        for found in fresh {
            let bytes = try await runner.contents(of: found)
            do {
                sum.add(try JUnitReport.read(bytes))
            } catch {
                let problem =
                    "the step 'test \(step.name)' wrote a report that cannot be read: '\(found.name)': \(error)"
                throw Failure(.invalidInput, problem)
            }
        }
        return (sum, fresh.count == 1 ? "'\(first.name)'" : "of \(fresh.count) files")
    }

    /// The failing tests by name, before the last lines.
    private static func adding(_ report: TestReport?, to error: any Error) -> any Error {
        guard let report, !report.failures.isEmpty, var failure = error as? Failure else { return error }
        let list = report.failures.map { "  ✗ \($0)" }.joined(separator: "\n")
        let more = report.counts.failed - report.failures.count
        failure.message += "\nfailing tests:\n\(list)" + (more > 0 ? "\n  and \(more) more" : "")
        return failure
    }
}

/// How one step of a stage ended.
package struct StepResult: Sendable, Hashable {
    package enum Outcome: String, Sendable {
        case passed, failed
        /// By the failure of one beside it, or by a person.
        case stopped
    }

    package var name: String
    package var outcome: Outcome
    package var took: Duration
    /// What its reports count; `nil` where it has none.
    package var tests: TestCounts?

    package init(name: String, outcome: Outcome, took: Duration, tests: TestCounts? = nil) {
        self.name = name
        self.outcome = outcome
        self.took = took
        self.tests = tests
    }

    package init?(_ json: JSON) {
        guard let name = json["name"]?.string, let outcome = json["outcome"]?.string.flatMap(Outcome.init(rawValue:))
        else { return nil }
        self.init(
            name: name,
            outcome: outcome,
            took: .milliseconds(json["milliseconds"]?.int ?? 0),
            tests: TestCounts(json["tests"])
        )
    }

    package var json: JSON {
        let milliseconds = took.components.seconds * 1000 + took.components.attoseconds / 1_000_000_000_000_000
        var json: JSON = [
            "name": .string(name), "outcome": .string(outcome.rawValue), "milliseconds": JSON(Int(milliseconds)),
        ]
        if let tests { json["tests"] = tests.json }
        return json
    }
}
