// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Synchronization

/// Which names wait to be looked at, which are being looked at, and how often each failed. It knows no clock.
///
/// A name is never handed out twice at the same time; one that is added while it is looked at comes again afterwards.
struct WorkList<Name: Hashable & Sendable>: Sendable {
    private var order: [Name] = []
    private var first = 0
    private var waiting: Set<Name> = []
    private var running: Set<Name> = []
    private var dirty: Set<Name> = []
    private var failures: [Name: Int] = [:]

    var isEmpty: Bool { waiting.isEmpty }

    mutating func add(_ name: Name) {
        if running.contains(name) {
            dirty.insert(name)
            return
        }
        guard waiting.insert(name).inserted else { return }
        order.append(name)
    }

    mutating func take() -> Name? {
        guard first < order.count else { return nil }
        let name = order[first]
        first += 1
        if first > 64, first * 2 > order.count {
            order.removeFirst(first)
            first = 0
        }
        waiting.remove(name)
        running.insert(name)
        return name
    }

    /// The look at `name` is over.
    mutating func finish(_ name: Name) {
        running.remove(name)
        if dirty.remove(name) != nil { add(name) }
    }

    /// How many times in a row it failed now.
    mutating func countFailure(_ name: Name) -> Int {
        failures[name, default: 0] += 1
        return failures[name] ?? 1
    }

    mutating func forgetFailures(_ name: Name) { failures[name] = nil }
}

/// Hands names to workers, each once at a time, and brings some back later.
final class WorkQueue<Name: Hashable & Sendable>: Sendable {
    /// A name to be added after a while.
    struct Delay: Sendable {
        var name: Name
        var duration: Duration
    }

    private struct State {
        var list = WorkList<Name>()
        var idle: [Int: CheckedContinuation<Void, Never>] = [:]
        var due: [Name: Timestamp] = [:]
        var nextID = 0
    }

    private let state = Mutex(State())
    private let clock: WallClock
    private let backoff: BackoffSchedule
    private let delayed: AsyncStream<Delay>.Continuation
    /// Whoever runs the queue sleeps these and then calls `addDue`.
    let delays: AsyncStream<Delay>

    init(clock: WallClock, backoff: BackoffSchedule) {
        self.clock = clock
        self.backoff = backoff
        (delays, delayed) = AsyncStream.makeStream()
    }

    func add(_ name: Name) {
        let worker = state.withLock { state in
            state.list.add(name)
            return state.list.isEmpty ? nil : state.idle.popFirst()?.value
        }
        worker?.resume()
    }

    /// Adds the name after a while; the earliest of several wishes counts.
    func add(_ name: Name, after duration: Duration) {
        let now = clock.now
        let isEarliest = state.withLock { state in
            if let due = state.due[name], due > now, due <= now + duration { return false }
            state.due[name] = now + duration
            return true
        }
        if isEarliest { delayed.yield(Delay(name: name, duration: duration)) }
    }

    func addDue(_ name: Name) {
        state.withLock { $0.due[name] = nil }
        add(name)
    }

    /// The next name, as soon as there is one; `nil` when the task is cancelled.
    func next() async -> Name? {
        while !Task.isCancelled {
            if let name = state.withLock({ $0.list.take() }) { return name }
            await waitForWork()
        }
        return nil
    }

    private func waitForWork() async {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    guard state.list.isEmpty, !Task.isCancelled else { return false }
                    state.idle[id] = continuation
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.idle.removeValue(forKey: id) }?.resume()
        }
    }

    func succeed(_ name: Name, again: Duration?) {
        state.withLock { $0.list.forgetFailures(name) }
        finish(name)
        if let again { add(name, after: again) }
    }

    /// Brings the name back after a wait that grows with each failure; returns that wait.
    @discardableResult
    func fail(_ name: Name) -> Duration {
        let failures = state.withLock { $0.list.countFailure(name) }
        finish(name)
        let delay = backoff.delay(afterFailures: failures, chance: Double.random(in: 0..<1))
        add(name, after: delay)
        return delay
    }

    private func finish(_ name: Name) {
        let worker = state.withLock { state in
            state.list.finish(name)
            return state.list.isEmpty ? nil : state.idle.popFirst()?.value
        }
        worker?.resume()
    }
}
