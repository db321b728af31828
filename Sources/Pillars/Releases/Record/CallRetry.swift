// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Synchronization

/// Repeats a piece of work that a busy, restarting or racing API server did not let through.
///
/// The work must be repeatable: it looks before it writes. What is refused for good is thrown at once.
struct CallRetry: Sendable {
    let clock: any Clock<Duration>
    let progress: any ReleaseProgress
    var backoff = BackoffSchedule(first: .milliseconds(200), limit: .seconds(4))
    var attempts = 9
    private let outage = Outage()

    init(clock: any Clock<Duration>, progress: any ReleaseProgress, attempts: Int = 9) {
        self.clock = clock
        self.progress = progress
        self.attempts = attempts
    }

    /// One outage is told once, however many calls it meets: it ends when the last of them got through or gave up.
    private final class Outage: Sendable {
        private let state = Mutex((calls: 0, isTold: false))

        func meet() { state.withLock { $0.calls += 1 } }

        /// Whether the caller is the one to tell.
        func tell() -> Bool {
            state.withLock { state in
                defer { state.isTold = true }
                return !state.isTold
            }
        }

        func leave() {
            state.withLock { state in
                state.calls -= 1
                if state.calls == 0 { state.isTold = false }
            }
        }
    }

    func callAsFunction<Value: Sendable>(
        _ what: String,
        _ work: @Sendable () async throws -> Value
    ) async throws -> Value {
        var failures = 0
        defer { if failures > 0 { outage.leave() } }
        while true {
            do {
                return try await work()
            } catch let failure as Failure {
                if failures == 0 { outage.meet() }
                failures += 1
                try Task.checkCancellation()
                guard Self.mayPass(failure.code) else {
                    throw Failure(failure.code, "could not \(what): \(failure.message)", cause: failure.cause)
                }
                guard failures < attempts else {
                    let tries = attempts > 1 ? " in \(attempts) tries" : ""
                    throw Failure(
                        failure.code,
                        "could not \(what)\(tries): \(failure.message)",
                        cause: failure.cause
                    )
                }
                if failures == 2, failure.code != .conflict, outage.tell() {
                    await progress.report(.note("the cluster does not answer (\(failure.message)); trying on"))
                }
                try await clock.sleep(for: backoff.delay(afterFailures: failures, chance: 0))
            }
        }
    }

    /// A conflict is somebody else's write in between: the next look sees it.
    private static func mayPass(_ code: Failure.Code) -> Bool {
        [.conflict, .unavailable, .deadlineExceeded, .expired].contains(code)
    }
}
