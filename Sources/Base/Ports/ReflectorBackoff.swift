// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// How long to wait after the n-th failure in a row: doubling from `first` up to `limit`, less up to half by chance.
package struct BackoffSchedule: Sendable, Hashable {
    package var first: Duration
    package var limit: Duration

    package init(first: Duration = .milliseconds(200), limit: Duration = .seconds(30)) {
        self.first = first
        self.limit = limit
    }

    /// `failures` counts from 1; `chance` lies in 0 ..< 1.
    package func delay(afterFailures failures: Int, chance: Double) -> Duration {
        var delay = first
        for _ in 1..<max(2, failures) where delay < limit && failures > 1 { delay *= 2 }
        return min(delay, limit) * (1 - chance / 2)
    }
}
