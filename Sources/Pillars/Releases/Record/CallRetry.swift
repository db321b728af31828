// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Repeats a piece of work that a busy, restarting or racing API server did not let through.
///
/// The work must be repeatable: it looks before it writes. What is refused for good is thrown at once.
struct CallRetry: Sendable {
    let clock: any Clock<Duration>
    let progress: any ReleaseProgress
    var backoff = BackoffSchedule(first: .milliseconds(200), limit: .seconds(4))
    var attempts = 9

    func callAsFunction<Value: Sendable>(
        _ what: String,
        _ work: @Sendable () async throws -> Value
    ) async throws -> Value {
        var failures = 0
        while true {
            do {
                return try await work()
            } catch let failure as Failure {
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
                if failures == 2, failure.code != .conflict {
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
