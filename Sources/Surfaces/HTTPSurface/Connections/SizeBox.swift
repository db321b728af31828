// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Synchronization

/// The newest size of a client's terminal. Sizes that nobody saw in time do not matter any more.
final class SizeBox: Sendable {
    private struct State {
        var unseen: TerminalSize?
        var isOver = false
        var waiter: CheckedContinuation<Void, Never>?
    }
    private let state = Mutex(State())

    func put(_ size: TerminalSize) {
        state.withLock { state in
            state.unseen = size
            return state.waiter.take()
        }?.resume()
    }

    func finish() {
        state.withLock { state in
            state.isOver = true
            return state.waiter.take()
        }?.resume()
    }

    /// The next size; `nil` when there will be none, or when the task is cancelled.
    func next() async -> TerminalSize? {
        while !Task.isCancelled {
            let (size, isOver) = state.withLock { ($0.unseen.take(), $0.isOver) }
            if let size { return size }
            if isOver { return nil }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isDue = state.withLock { state in
                        guard state.unseen == nil, !state.isOver, !Task.isCancelled else { return true }
                        state.waiter = continuation
                        return false
                    }
                    if isDue { continuation.resume() }
                }
            } onCancel: {
                state.withLock { $0.waiter.take() }?.resume()
            }
        }
        return nil
    }
}

/// Reads the sizes that clients send: JSON objects in a row, cut into messages anywhere.
struct SizeReader {
    private var rest: [UInt8] = []
    /// More than that is no size.
    private static let limit = 4096

    /// The last size that is complete with these bytes.
    mutating func feed(_ bytes: [UInt8]) -> TerminalSize? {
        rest += bytes
        var last: TerminalSize?
        while let end = rest.firstIndex(of: UInt8(ascii: "}")) {
            if let size = Self.size(rest[...end]) { last = size }
            rest.removeFirst(end + 1)
        }
        if rest.count > Self.limit { rest = [] }
        return last
    }

    private static func size(_ bytes: ArraySlice<UInt8>) -> TerminalSize? {
        guard let json = try? JSON(parsing: Array(bytes)), let width = json["Width"]?.int,
            let height = json["Height"]?.int
        else { return nil }
        return TerminalSize(width: width, height: height)
    }
}
