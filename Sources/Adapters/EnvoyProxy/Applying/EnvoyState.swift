// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Synchronization

/// What is known about the running Envoy.
package final class EnvoyState: Sendable {
    /// One of Envoy's files that it does not take, or not whole; what it took before stays in force.
    package struct Rejection: Sendable, Hashable {
        /// `clusters`, `listeners` or `routes`.
        package var file: String
        /// In Envoy's words.
        package var reason: String
    }

    private struct State {
        var isReady = false
        var restarts = 0
        var words: [String] = []
        var rejections: [String: Rejection] = [:]
        var generation = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var waiterCount = 0
    }

    private let state = Mutex(State())

    /// Whether Envoy has taken its first configuration, rejections aside.
    package var isReady: Bool { state.withLock { $0.isReady } }
    package var restarts: Int { state.withLock { $0.restarts } }
    package var rejections: [Rejection] { state.withLock { $0.rejections.values.sorted { $0.file < $1.file } } }
    /// How many plans were carried out.
    var generation: Int { state.withLock { $0.generation } }

    /// Envoy's latest log lines.
    var lastWords: [String] { state.withLock { $0.words } }

    private static let wordsKept = 50

    func noteWords(_ line: String) {
        state.withLock { state in
            state.words.append(line)
            if state.words.count > Self.wordsKept { state.words.removeFirst() }
        }
    }

    func noteRestart() { state.withLock { $0.restarts += 1 } }

    func note(_ rejection: Rejection?, for file: EnvoyFile) {
        state.withLock { $0.rejections[file.rawValue] = rejection }
    }

    func noteApplied() {
        let waiters = state.withLock { state in
            state.isReady = true
            state.generation += 1
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Forgets what was said, so that the next words belong to what comes next.
    func forgetWords() { state.withLock { $0.words = [] } }

    /// Returns once Envoy serves its first configuration, or the task is cancelled.
    package func waitUntilReady() async {
        let id = state.withLock { state in
            state.waiterCount += 1
            return state.waiterCount
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    guard !state.isReady, !Task.isCancelled else { return false }
                    state.waiters[id] = continuation
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
    }
}
