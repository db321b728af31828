// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Synchronization

/// Runs commands, shows and keeps their output, and turns failure into words.
struct OutputKeeper: Sendable {
    let records: any LogRecords
    let progress: any ReleaseProgress
    let stream: LogStream
    let clock: WallClock

    func run(
        _ step: String,
        _ command: String,
        in folder: String,
        timeout: Duration,
        by runner: any CommandRunner
    ) async throws {
        let collected = CollectedOutput(startedAt: clock.now)
        let code: Int32
        do {
            code = try await runner.run(command, in: folder, timeout: timeout) { line in
                await progress.report(.output(step: step, line: line))
                await keep(collected.add(line, of: step, at: clock.now), collected)
            }
        } catch {
            await keep(collected.rest, collected)
            guard let failure = error as? Failure, failure.code == .deadlineExceeded else { throw error }
            throw Failure(
                .deadlineExceeded,
                "the step '\(step)' did not end within \(timeout.components.seconds) s (\(command)); raise its 'timeout' or make it faster; \(collected.tail)"
            )
        }
        await keep(collected.rest, collected)
        guard code != 0 else { return }
        let how = code > 128 && code < 160 ? "was killed by signal \(code - 128)" : "failed with exit code \(code)"
        throw Failure(.invalidInput, "the step '\(step)' \(how) (\(command)); \(collected.tail)")
    }

    /// Trouble with keeping must not fail a release, but is said once.
    private func keep(_ lines: [LogLine], _ collected: CollectedOutput) async {
        guard !lines.isEmpty else { return }
        do {
            try await records.append(lines, to: stream)
        } catch {
            guard collected.isFirstComplaint else { return }
            await progress.report(.note("the output is not kept: \(ErrorWords.text(of: error))"))
        }
    }
}

/// The output of one command: its last lines for a person, and what was not handed to the records yet.
///
/// Each hand-over is on disk when it returns, so lines go in batches, at most a second old.
private final class CollectedOutput: Sendable {
    private struct State {
        var tail: [String] = []
        var pending: [LogLine] = []
        var handedOver: Timestamp
        var hasComplained = false

        mutating func takePending() -> [LogLine] {
            defer { pending = [] }
            return pending
        }
    }

    private static let tailLength = 15
    private static let batch = 256

    private let state: Mutex<State>

    init(startedAt start: Timestamp) { state = Mutex(State(handedOver: start)) }

    /// Returns what is due to be kept.
    func add(_ line: String, of step: String, at now: Timestamp) -> [LogLine] {
        state.withLock { state in
            state.tail.append(line)
            if state.tail.count > Self.tailLength { state.tail.removeFirst() }
            state.pending.append(LogLine(time: now, text: "[\(step)] \(line)"))
            guard state.pending.count >= Self.batch || now - state.handedOver >= .seconds(1) else { return [] }
            state.handedOver = now
            return state.takePending()
        }
    }

    var rest: [LogLine] { state.withLock { $0.takePending() } }

    var isFirstComplaint: Bool {
        state.withLock { state in
            defer { state.hasComplained = true }
            return !state.hasComplained
        }
    }

    /// For the end of a message.
    var tail: String {
        let lines = state.withLock(\.tail)
        guard !lines.isEmpty else { return "it printed nothing" }
        return "its last lines:\n" + lines.map { "  | \($0)" }.joined(separator: "\n")
    }
}
