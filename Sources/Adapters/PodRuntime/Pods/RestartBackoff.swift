// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// How long a failing container (or image) waits before the next try: at once, then 10 s, doubled up to 5 minutes.
struct RestartBackoff: Sendable, Equatable {
    static let initial: Duration = .seconds(10)
    static let longest: Duration = .seconds(300)
    /// A failure this long after the last retry starts over.
    static let forgiveness: Duration = .seconds(600)

    private var delay: Duration?
    private var lastRetry = Timestamp(seconds: 0)

    /// Whether the first failure, too, has to wait.
    private let delaysFirst: Bool

    init(delaysFirst: Bool = false) { self.delaysFirst = delaysFirst }

    /// Notes a failure and says how long to wait from then on.
    mutating func fail(at now: Timestamp) -> Duration {
        guard let current = delay, now - lastRetry <= Self.forgiveness else {
            let first: Duration = delaysFirst ? Self.initial : .zero
            delay = delaysFirst ? Self.initial * 2 : Self.initial
            lastRetry = now + first
            return first
        }
        delay = min(current * 2, Self.longest)
        lastRetry = now + current
        return current
    }
}

extension Duration {
    /// As Go prints durations: `10s`, `1m20s`, `5m0s`.
    var goText: String {
        let seconds = components.seconds
        guard seconds >= 60 else { return "\(seconds)s" }
        guard seconds >= 3600 else { return "\(seconds / 60)m\(seconds % 60)s" }
        return "\(seconds / 3600)h\(seconds / 60 % 60)m\(seconds % 60)s"
    }

    /// As Go prints durations below a minute, with its units: `1.5s`, `340ms`.
    var goPreciseText: String {
        let milliseconds = components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
        guard milliseconds >= 1000 else { return "\(milliseconds)ms" }
        let (whole, rest) = (milliseconds / 1000, milliseconds % 1000)
        var fraction = String(rest)
        fraction = String(repeating: "0", count: 3 - fraction.count) + fraction
        while fraction.hasSuffix("0") { fraction.removeLast() }
        let seconds = "\(whole % 60)" + (fraction.isEmpty ? "s" : ".\(fraction)s")
        return whole < 60 ? seconds : "\(whole / 60)m\(seconds)"
    }
}
