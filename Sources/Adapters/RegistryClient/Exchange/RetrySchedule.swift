// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Decides whether and when something that failed for a passing reason is tried again. It knows no clock and no task.
struct RetrySchedule: Sendable {
    /// The pauses between tries; one try more than pauses.
    static let pauses: [Duration] = [.milliseconds(300), .seconds(1), .seconds(3)]
    /// A registry that asks for more patience than this is given up on.
    static let patience = Duration.seconds(60)

    private var failures = 0

    /// The pause before the next try; `nil` when there is none. `asked` is what the registry wants.
    mutating func next(asked: Duration?) -> Duration? {
        guard failures < Self.pauses.count, (asked ?? .zero) <= Self.patience else { return nil }
        failures += 1
        return max(Self.pauses[failures - 1], asked ?? .zero)
    }
}
