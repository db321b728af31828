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
        var logged: [String] = []
        var rejections: [String: Rejection] = [:]
        var generation = 0
        var inUse: Set<EnvoyCluster.Endpoint> = []
        var waiters: [Int: Waiter] = [:]
        var waiterCount = 0
    }

    private struct Waiter {
        var holds: @Sendable (State) -> Bool
        var continuation: CheckedContinuation<Void, Never>
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

    /// Whether the line was not said lately; from now on it was.
    func isNews(_ line: String) -> Bool {
        state.withLock { state in
            guard !state.logged.contains(line) else { return false }
            state.logged.append(line)
            if state.logged.count > Self.wordsKept { state.logged.removeFirst() }
            return true
        }
    }

    func noteRestart() { state.withLock { $0.restarts += 1 } }

    func note(_ rejection: Rejection?, for file: EnvoyFile) {
        state.withLock { $0.rejections[file.rawValue] = rejection }
    }

    func isRejected(_ file: EnvoyFile) -> Bool { state.withLock { $0.rejections[file.rawValue] != nil } }

    func noteApplied() {
        change { state in
            state.isReady = true
            state.generation += 1
        }
    }

    /// Takes note of where requests may go: to these as well; and to these alone once Envoy has settled for them.
    func noteInUse(_ endpoints: Set<EnvoyCluster.Endpoint>, isSettled: Bool) {
        change { state in
            state.inUse = isSettled ? endpoints : state.inUse.union(endpoints)
        }
    }

    /// The ports of an address to which Envoy may lead requests.
    func portsInUse(_ address: String) -> Set<Int> {
        state.withLock { Set($0.inUse.lazy.filter { $0.address == address }.map(\.port)) }
    }

    /// Forgets what was said, so that the next words belong to what comes next.
    func forgetWords() { state.withLock { $0.words = [] } }

    /// Returns once Envoy serves its first configuration, or the task is cancelled.
    package func waitUntilReady() async { await wait { $0.isReady } }

    /// Returns once Envoy leads nothing more to the address, or the task is cancelled.
    func waitUntilUnused(_ address: String) async { await wait { !$0.inUse.contains { $0.address == address } } }

    /// Waiters are resumed outside the lock, since what they cancel takes it.
    private func change(_ body: (inout State) -> Void) {
        let waiters = state.withLock { state in
            body(&state)
            let done = state.waiters.filter { $0.value.holds(state) }
            for id in done.keys { state.waiters[id] = nil }
            return Array(done.values)
        }
        for waiter in waiters { waiter.continuation.resume() }
    }

    private func wait(_ holds: @escaping @Sendable (State) -> Bool) async {
        let id = state.withLock { state in
            state.waiterCount += 1
            return state.waiterCount
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    guard !holds(state), !Task.isCancelled else { return false }
                    state.waiters[id] = Waiter(holds: holds, continuation: continuation)
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.continuation.resume()
        }
    }
}
