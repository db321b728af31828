// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Synchronization

extension Reactor {
    /// Returns when the descriptor can be read (or written) without blocking, when its other side has closed, or when the
    /// task is cancelled.
    func wait(for direction: Direction, on descriptor: Int32) async {
        let waiter = Waiter()
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard waiter.begin(continuation) else { return continuation.resume() }
                // A copy, which the reactor closes: the descriptor itself stays its owner's.
                let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
                guard copy >= 0 else {
                    waiter.end()
                    return
                }
                let token = watch(copy, direction) { _ in
                    waiter.end()
                    return false
                }
                if !waiter.keep(token) { forget(token) }
            }
        } onCancel: {
            if let token = waiter.end() { forget(token) }
        }
    }
}

/// One wait: whatever ends it first, the task goes on once.
private final class Waiter: Sendable {
    private struct State {
        var continuation: CheckedContinuation<Void, Never>?
        var token: Reactor.Token?
        var isOver = false
    }
    private let state = Mutex(State())

    /// `false` where it was cancelled before it began.
    func begin(_ continuation: CheckedContinuation<Void, Never>) -> Bool {
        state.withLock { state in
            guard !state.isOver else { return false }
            state.continuation = continuation
            return true
        }
    }

    /// `false` where the wait is over already.
    func keep(_ token: Reactor.Token) -> Bool {
        state.withLock { state in
            state.token = token
            return !state.isOver
        }
    }

    /// Lets the task go on; returns the watch that is to be ended.
    @discardableResult
    func end() -> Reactor.Token? {
        let (continuation, token) = state.withLock { state in
            state.isOver = true
            defer { state.continuation = nil }
            return (state.continuation, state.token)
        }
        continuation?.resume()
        return token
    }
}
