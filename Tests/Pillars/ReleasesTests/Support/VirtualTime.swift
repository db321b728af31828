// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Synchronization

/// Time that passes only when a test says so.
final class VirtualTime: Clock {
    struct Instant: InstantProtocol {
        var offset: Duration
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private struct State {
        var now = Duration.zero
        var sleepers: [Int: (deadline: Duration, continuation: CheckedContinuation<Void, any Error>)] = [:]
        var count = 0
    }

    private let state = Mutex(State())
    private let isInstant: @Sendable (Duration) -> Bool

    /// Waits for which `isInstant` holds return at once and take their time on the clock.
    init(isInstant: @escaping @Sendable (Duration) -> Bool = { _ in false }) { self.isInstant = isInstant }

    var now: Instant { Instant(offset: state.withLock(\.now)) }
    var minimumResolution: Duration { .nanoseconds(1) }
    var wall: WallClock {
        WallClock { Timestamp(seconds: 1_800_000_000) + self.now.offset }
    }

    func advance(by duration: Duration) {
        let woken = state.withLock { state in
            state.now += duration
            let due = state.sleepers.filter { $0.value.deadline <= state.now }
            for id in due.keys { state.sleepers[id] = nil }
            return due.values.map(\.continuation)
        }
        for continuation in woken { continuation.resume() }
    }

    /// Lets time pass once somebody waits for exactly a second: the observer of a rollout between two looks.
    func passDuringRollout(_ duration: Duration) async {
        while !Task.isCancelled,
            !state.withLock({ state in state.sleepers.values.contains { $0.deadline == state.now + .seconds(1) } })
        {
            await Task.yield()
        }
        advance(by: duration)
    }

    /// Lets time pass in steps, each once somebody waits, until something holds.
    func pass(_ step: Duration, until holds: () -> Bool) async {
        while !holds(), !Task.isCancelled {
            await Self.breathe()
            if state.withLock({ !$0.sleepers.isEmpty }), !holds() { advance(by: step) }
        }
    }

    /// Lets everybody else go on for a moment. A real one: on a busy machine yields alone let time rush past others.
    static func breathe() async {
        for _ in 0..<20 { await Task.yield() }
        try? await Task.sleep(for: .milliseconds(1))
    }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        guard !isInstant(deadline.offset - now.offset) else {
            await Task.yield()
            return state.withLock { $0.now = max($0.now, deadline.offset) }
        }
        let id = state.withLock { state in
            state.count += 1
            return state.count
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isOver = state.withLock { state in
                    guard deadline.offset > state.now, !Task.isCancelled else { return true }
                    state.sleepers[id] = (deadline.offset, continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: id) }?.continuation.resume(throwing: CancellationError())
        }
        try Task.checkCancellation()
    }
}
