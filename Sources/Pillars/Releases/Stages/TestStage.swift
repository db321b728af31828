// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports

/// Stage 1: the app's own tests, on this machine, one after the other.
struct TestStage: Sendable {
    let runner: any CommandRunner
    let output: OutputKeeper

    /// Throws `invalidInput` naming the first step that fails, with its last lines.
    func run(_ file: AppFile) async throws {
        for step in file.app.tests {
            if step.image != nil {
                throw Failure(
                    .invalidInput,
                    "\(file.path): the test step '\(step.name)' has 'image:'; steps in pods are not supported yet, remove the key to run it here"
                )
            }
            try await output.run("test \(step.name)", step.run, in: file.folder, timeout: step.timeout, by: runner)
        }
    }
}

/// Runs commands, shows and keeps their output, and turns failure into words.
struct OutputKeeper: Sendable {
    let records: any LogRecords
    let progress: any ReleaseProgress
    let stream: LogStream
    let clock: WallClock

    private static let tailLength = 15

    func run(
        _ step: String,
        _ command: String,
        in folder: String,
        timeout: Duration,
        by runner: any CommandRunner
    ) async throws {
        let tail = LineTail(limit: Self.tailLength)
        let code: Int32
        do {
            code = try await runner.run(command, in: folder, timeout: timeout) { line in
                await tail.add(line)
                await progress.report(.output(step: step, line: line))
                try? await records.append([LogLine(time: clock.now, text: "[\(step)] \(line)")], to: stream)
            }
        } catch let failure as Failure where failure.code == .deadlineExceeded {
            throw Failure(
                .deadlineExceeded,
                "the step '\(step)' did not end within \(timeout.components.seconds) s (\(command)); raise its 'timeout' or make it faster"
            )
        }
        guard code != 0 else { return }
        let lines = await tail.lines.map { "  | \($0)" }.joined(separator: "\n")
        let said = lines.isEmpty ? "it printed nothing" : "its last lines:\n\(lines)"
        throw Failure(.invalidInput, "the step '\(step)' failed with exit code \(code) (\(command)); \(said)")
    }
}

/// The last few lines of an output.
private actor LineTail {
    private(set) var lines: [String] = []
    private let limit: Int
    init(limit: Int) { self.limit = limit }

    func add(_ line: String) {
        lines.append(line)
        if lines.count > limit { lines.removeFirst() }
    }
}
