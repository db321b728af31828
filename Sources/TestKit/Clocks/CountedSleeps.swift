// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Synchronization

/// Sleeps pass at once and are noted; the last one that is allowed cancels its task.
package final class CountedSleeps: Clock {
    package struct Instant: InstantProtocol {
        package var offset: Duration
        package func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        package func duration(to other: Instant) -> Duration { other.offset - offset }
        package static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private let limit: Int
    private let state = Mutex((now: Duration.zero, durations: [Duration]()))

    package init(limit: Int) { self.limit = limit }

    package var now: Instant { Instant(offset: state.withLock { $0.now }) }
    package var minimumResolution: Duration { .nanoseconds(1) }
    package var durations: [Duration] { state.withLock { $0.durations } }

    package func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let count = state.withLock { state in
            state.durations.append(deadline.offset - state.now)
            state.now = deadline.offset
            return state.durations.count
        }
        if count >= limit { unsafe withUnsafeCurrentTask { unsafe $0?.cancel() } }
        try Task.checkCancellation()
    }
}
