// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Synchronization

/// Tells the parts of a release that it is to end, and why. The first reason stays.
final class StopSignal: Sendable {
    enum Reason: Sendable, Hashable {
        /// A person or the system wants the process to end.
        case interrupted
        /// A newer release of the app has begun; it changes these clusters itself.
        case superseded(by: String, clusters: Set<ClusterName>)
        /// Somebody else closed the record, or took the release over.
        case lost(String)
        /// Another cluster of this release failed.
        case peerFailed

        /// Whether even a change that is being written is given up.
        var isUrgent: Bool {
            switch self {
            case .interrupted, .lost: true
            case .superseded, .peerFailed: false
            }
        }
    }

    /// The work was given up because of the signal.
    struct Stopped: Error {
        var reason: Reason
    }

    private struct State {
        var reason: Reason?
        var isUrgent = false
        var count = 0
        var waiters: [Int: (needsUrgency: Bool, continuation: CheckedContinuation<Void, Never>)] = [:]
    }

    private let state = Mutex(State())

    var reason: Reason? { state.withLock(\.reason) }

    func fire(_ reason: Reason) {
        let woken = state.withLock { state in
            if state.reason == nil || reason.isUrgent && !state.isUrgent { state.reason = reason }
            state.isUrgent = state.isUrgent || reason.isUrgent
            let due = state.waiters.filter { state.isUrgent || !$0.value.needsUrgency }
            for id in due.keys { state.waiters[id] = nil }
            return due.values.map(\.continuation)
        }
        for continuation in woken { continuation.resume() }
    }

    /// Does the work; where the signal comes first, cancels it, awaits its end and throws ``Stopped``.
    ///
    /// Work that leaves things half-way when it is cut says `ifUrgent`: it is cut only where the process is to end.
    func cutting<Value: Sendable>(
        ifUrgent: Bool = false,
        _ work: @Sendable @escaping () async throws -> Value
    ) async throws -> Value {
        if let reason, reason.isUrgent || !ifUrgent { throw Stopped(reason: reason) }
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            defer { group.cancelAll() }
            group.addTask { try await work() }
            group.addTask {
                await self.wait(ifUrgent: ifUrgent)
                return nil
            }
            guard let first = try await group.next(), let value = first else {
                group.cancelAll()
                // What ended just now counts as done.
                while let next = await group.nextResult() {
                    if case .success(let value?) = next { return value }
                }
                throw Stopped(reason: reason ?? .interrupted)
            }
            return value
        }
    }

    /// The reason, once there is one; `nil` on cancellation.
    func fired() async -> Reason? {
        await wait(ifUrgent: false)
        return reason
    }

    /// Returns when the signal fired, or on cancellation.
    private func wait(ifUrgent: Bool) async {
        let id = state.withLock { state in
            state.count += 1
            return state.count
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard !Task.isCancelled, ifUrgent ? !state.isUrgent : state.reason == nil else { return true }
                    state.waiters[id] = (ifUrgent, continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            // Resumed outside the lock: whoever waited may come back for it.
            let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
            waiter?.continuation.resume()
        }
    }
}
