// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Synchronization

/// Bytes on their way from one task to another, with a bound: whoever writes too much waits.
final class BytePipe: Sendable {
    private struct State {
        var pieces: [[UInt8]] = []
        var size = 0
        var isFinished = false
        var isAbandoned = false
        var sleepers: [Side: CheckedContinuation<Void, Never>] = [:]
    }

    private enum Side { case reader, writer }

    /// In bytes; a piece that goes beyond it is taken, the next one waits.
    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int = 256 * 1024) { self.limit = limit }

    /// Takes the bytes, and returns when there is room for more, when nobody reads any more, or when the task is cancelled.
    func write(_ bytes: [UInt8]) async {
        guard !bytes.isEmpty else { return }
        let reader = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.isFinished, !state.isAbandoned else { return nil }
            state.pieces.append(bytes)
            state.size += bytes.count
            return state.sleepers.removeValue(forKey: .reader)
        }
        reader?.resume()
        await wait(.writer) { $0.size <= self.limit || $0.isAbandoned }
    }

    /// Whether a writer waits for room.
    var isStalled: Bool { state.withLock { $0.sleepers[.writer] != nil } }

    var isAbandoned: Bool { state.withLock { $0.isAbandoned } }

    /// Nothing more will be written.
    func finish() {
        state.withLock { state in
            state.isFinished = true
            return state.sleepers.removeValue(forKey: .reader)
        }?.resume()
    }

    /// Nothing more will be read: what is there is dropped, and so is what comes.
    func abandon() {
        let (reader, writer) = state.withLock { state in
            state.isAbandoned = true
            state.pieces = []
            state.size = 0
            return (state.sleepers.removeValue(forKey: .reader), state.sleepers.removeValue(forKey: .writer))
        }
        reader?.resume()
        writer?.resume()
    }

    /// The next bytes; `nil` at the end, or when the task is cancelled.
    func next() async -> [UInt8]? {
        while !Task.isCancelled {
            let (piece, writer, isOver) = state.withLock { state in
                let piece = state.pieces.isEmpty ? nil : state.pieces.removeFirst()
                state.size -= piece?.count ?? 0
                let writer = state.size <= self.limit ? state.sleepers.removeValue(forKey: .writer) : nil
                return (piece, writer, state.isFinished || state.isAbandoned)
            }
            writer?.resume()
            if let piece { return piece }
            if isOver { return nil }
            await wait(.reader) { !$0.pieces.isEmpty || $0.isFinished || $0.isAbandoned }
        }
        return nil
    }

    /// Sleeps until somebody wakes it, unless what it waits for holds already.
    private func wait(
        _ side: Side,
        until holds: (State) -> Bool
    ) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDue = state.withLock { state in
                    guard !holds(state), !Task.isCancelled else { return true }
                    state.sleepers[side] = continuation
                    return false
                }
                if isDue { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: side) }?.resume()
        }
    }
}
