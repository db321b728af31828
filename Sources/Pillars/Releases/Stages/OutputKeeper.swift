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
    private let buffer: OutputBuffer

    init(records: any LogRecords, progress: any ReleaseProgress, stream: LogStream, clock: WallClock) {
        self.records = records
        self.progress = progress
        self.stream = stream
        self.clock = clock
        buffer = OutputBuffer(startedAt: clock.now)
    }

    func run(
        _ step: String,
        _ command: String,
        in folder: String,
        timeout: Duration,
        by runner: any CommandRunner
    ) async throws {
        let tail = OutputTail()
        let code: Int32
        do {
            code = try await runner.run(command, in: folder, timeout: timeout) { line in
                await progress.report(.output(step: step, line: line))
                tail.add(line)
                await keep(buffer.add(LogLine(time: clock.now, text: "[\(step)] \(line)")))
            }
        } catch {
            await keep(buffer.flush())
            guard let failure = error as? Failure, failure.code == .deadlineExceeded else { throw error }
            throw Failure(
                .deadlineExceeded,
                "the step '\(step)' did not end within \(timeout.components.seconds) s (\(command)); raise its 'timeout' or make it faster; \(tail.words)"
            )
        }
        await keep(buffer.flush())
        guard code != 0 else { return }
        let how = code > 128 && code < 160 ? "was killed by signal \(code - 128)" : "failed with exit code \(code)"
        throw Failure(.invalidInput, "the step '\(step)' \(how) (\(command)); \(tail.words)")
    }

    /// Appends lines, and those that came meanwhile. Trouble with keeping must not fail a release, but is said once.
    private func keep(_ lines: [LogLine]) async {
        var lines = lines
        while !lines.isEmpty {
            do {
                try await records.append(lines, to: stream)
            } catch {
                if buffer.isFirstComplaint {
                    await progress.report(.note("the output is not kept: \(ErrorWords.text(of: error))"))
                }
            }
            lines = buffer.next()
        }
    }
}

/// Lines on their way to the records, from steps that may run side by side: one writer at a time, so that they stay in order.
///
/// Each hand-over is on disk when it returns, so lines go in batches, at most a second old.
private final class OutputBuffer: Sendable {
    private struct State {
        var pending: [LogLine] = []
        var handedOver: Timestamp
        var isWriting = false
        var hasComplained = false

        mutating func take() -> [LogLine] {
            isWriting = !pending.isEmpty
            handedOver = pending.last?.time ?? handedOver
            defer { pending = [] }
            return pending
        }
    }

    private static let batch = 256

    private let state: Mutex<State>

    init(startedAt start: Timestamp) { state = Mutex(State(handedOver: start)) }

    /// Returns what the caller has to write now; it asks for ``next()`` when that is done.
    func add(_ line: LogLine) -> [LogLine] {
        state.withLock { state in
            state.pending.append(line)
            let isDue = state.pending.count >= Self.batch || line.time - state.handedOver >= .seconds(1)
            return isDue && !state.isWriting ? state.take() : []
        }
    }

    /// All that is left, unless somebody is writing, who will take it.
    func flush() -> [LogLine] { state.withLock { $0.isWriting ? [] : $0.take() } }

    /// What came while the caller wrote; nothing ends its turn.
    func next() -> [LogLine] { state.withLock { $0.take() } }

    var isFirstComplaint: Bool {
        state.withLock { state in
            defer { state.hasComplained = true }
            return !state.hasComplained
        }
    }
}

/// The last lines of one command, for a person.
private final class OutputTail: Sendable {
    private static let length = 15

    private let lines = Mutex<[String]>([])

    func add(_ line: String) {
        lines.withLock { lines in
            lines.append(line)
            if lines.count > Self.length { lines.removeFirst() }
        }
    }

    /// For the end of a message.
    var words: String {
        let lines = lines.withLock(\.self)
        guard !lines.isEmpty else { return "it printed nothing" }
        return "its last lines:\n" + lines.map { "  | \($0)" }.joined(separator: "\n")
    }
}
