// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Synchronization

/// What a container writes from now on, for one who reads along.
///
/// A reader who falls behind by more than ``limit`` holds the container's output up, as a full pipe would.
final class OutputTap: Sendable {
    typealias Piece = (stream: LogFraming.Stream, bytes: [UInt8])

    /// In bytes.
    static let limit = 256 * 1024

    private struct State {
        var pieces: [Piece] = []
        var size = 0
        var isOver = false
        var reader: CheckedContinuation<Void, Never>?
    }
    private let state = Mutex(State())
    /// Called when a tap that was full has room again.
    private let onRoom: @Sendable () -> Void

    init(onRoom: @escaping @Sendable () -> Void) { self.onRoom = onRoom }

    var isFull: Bool { state.withLock { $0.size > Self.limit && !$0.isOver } }

    func add(_ piece: Piece) {
        let reader = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.isOver else { return nil }
            state.pieces.append(piece)
            state.size += piece.bytes.count
            return state.reader.take()
        }
        reader?.resume()
    }

    /// Nothing comes any more; what is there can still be read.
    func finish() {
        state.withLock { state in
            state.isOver = true
            return state.reader.take()
        }?.resume()
    }

    /// What has been written since the last call; `nil` at the end, or when the calling task is cancelled.
    func next() async -> [Piece]? {
        while !Task.isCancelled {
            let (pieces, wasFull, isOver) = state.withLock { state in
                defer {
                    state.pieces = []
                    state.size = 0
                }
                return (state.pieces, state.size > Self.limit, state.isOver)
            }
            if wasFull { onRoom() }
            if !pieces.isEmpty { return pieces }
            if isOver { return nil }
            await waitForMore()
        }
        return nil
    }

    private func waitForMore() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDue = state.withLock { state in
                    guard state.pieces.isEmpty, !state.isOver, !Task.isCancelled else { return true }
                    state.reader = continuation
                    return false
                }
                if isDue { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.reader.take() }?.resume()
        }
    }
}
