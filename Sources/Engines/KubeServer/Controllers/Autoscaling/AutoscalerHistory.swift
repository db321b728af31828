// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What an autoscaler remembers: what it recommended, and how it scaled.
struct AutoscalerHistory: Sendable {
    struct Entry: Sendable, Equatable {
        var count: Int
        var time: Timestamp
    }

    private(set) var recommendations: [Entry] = []
    /// How many replicas were added or removed, and when.
    private(set) var added: [Entry] = []
    private(set) var removed: [Entry] = []

    private static let longest = Duration.seconds(3600)

    mutating func recommend(_ count: Int, at now: Timestamp) {
        recommendations.removeAll { $0.time + Self.longest < now }
        recommendations.append(Entry(count: count, time: now))
    }

    mutating func noteScale(from before: Int, to after: Int, at now: Timestamp) {
        let entry = Entry(count: abs(after - before), time: now)
        if after > before {
            added = added.filter { $0.time + Self.longest >= now } + [entry]
        } else if after < before {
            removed = removed.filter { $0.time + Self.longest >= now } + [entry]
        }
    }

    func recent(_ entries: [Entry], within window: Duration, _ now: Timestamp) -> [Int] {
        entries.filter { $0.time > now - window }.map(\.count)
    }
}

/// Bounds a proposed size: by what was recommended lately, by how fast it may change, and by the autoscaler's limits.
struct ReplicaLimits: Sendable {
    typealias Bound = (reason: String, message: String)

    struct Verdict: Sendable, Equatable {
        var replicas: Int
        /// What holds the recommendation back; `nil`: nothing.
        var stabilized: Bound?
        /// What bounds the size; `nil`: nothing.
        var limited: Bound?

        static func == (left: Verdict, right: Verdict) -> Bool {
            left.replicas == right.replicas && left.stabilized?.reason == right.stabilized?.reason
                && left.limited?.reason == right.limited?.reason
        }
    }

    let least: Int
    let most: Int
    let behavior: JSON?
    let history: AutoscalerHistory
    let now: Timestamp

    private static let calmDown = Duration.seconds(300)
    private static let lowered: Bound = (
        reason: "ScaleDownStabilized",
        message: "recent recommendations were higher than current one, applying the highest recent recommendation"
    )
    private static let raised: Bound = (
        reason: "ScaleUpStabilized",
        message: "recent recommendations were lower than current one, applying the lowest recent recommendation"
    )
    private static let tooMany: Bound = (
        reason: "TooManyReplicas",
        message: "the desired replica count is more than the maximum replica count"
    )
    private static let tooFew: Bound = (
        reason: "TooFewReplicas",
        message: "the desired replica count is less than the minimum replica count"
    )
    private static let tooFast: Bound = (
        reason: "ScaleUpLimit",
        message: "the desired replica count is increasing faster than the maximum scale rate"
    )
    private static let tooFastDown: Bound = (
        reason: "ScaleDownLimit",
        message: "the desired replica count is decreasing faster than the maximum scale rate"
    )

    /// The history holds the newest recommendation already.
    func verdict(_ desired: Int, current: Int) -> Verdict {
        behavior == nil ? plain(desired, current) : ruled(desired, current)
    }

    private func plain(_ desired: Int, _ current: Int) -> Verdict {
        let calm = max(desired, history.recent(history.recommendations, within: Self.calmDown, now).max() ?? desired)
        var verdict = Verdict(replicas: calm, stabilized: calm == desired ? nil : Self.lowered, limited: nil)
        let rate = max(2 * current, 4)
        let ceiling = min(rate, most)
        if calm < least {
            (verdict.replicas, verdict.limited) = (least, Self.tooFew)
        } else if calm > ceiling {
            (verdict.replicas, verdict.limited) = (ceiling, rate < most ? Self.tooFast : Self.tooMany)
        }
        return verdict
    }

    private func ruled(_ desired: Int, _ current: Int) -> Verdict {
        let (up, down) = (behavior?["scaleUp"] ?? [:], behavior?["scaleDown"] ?? [:])
        func window(_ rules: JSON, _ fallback: Int) -> Duration {
            .seconds(rules["stabilizationWindowSeconds"]?.int ?? fallback)
        }
        let all = history.recommendations
        let low = min(desired, history.recent(all, within: window(up, 0), now).min() ?? desired)
        let high = max(desired, history.recent(all, within: window(down, 300), now).max() ?? desired)
        let calm = min(max(current, low), high)
        var verdict = Verdict(replicas: calm, stabilized: nil, limited: nil)
        if calm != desired { verdict.stabilized = desired < calm ? Self.lowered : Self.raised }
        if calm > current {
            let rate = max(current, upLimit(up, current))
            let ceiling = min(rate, most)
            if calm > ceiling {
                (verdict.replicas, verdict.limited) = (ceiling, rate < most ? Self.tooFast : Self.tooMany)
            }
        } else if calm < current {
            let rate = min(current, downLimit(down, current))
            let floor = max(rate, least)
            if calm < floor {
                (verdict.replicas, verdict.limited) = (floor, rate > least ? Self.tooFastDown : Self.tooFew)
            }
        }
        if verdict.replicas < least { (verdict.replicas, verdict.limited) = (least, Self.tooFew) }
        if verdict.replicas > most { (verdict.replicas, verdict.limited) = (most, Self.tooMany) }
        return verdict
    }

    /// The size at the beginning of a policy's period.
    private func start(_ policy: JSON, _ current: Int) -> Int {
        let period = Duration.seconds(policy["periodSeconds"]?.int ?? 15)
        return current - history.recent(history.added, within: period, now).reduce(0, +)
            + history.recent(history.removed, within: period, now).reduce(0, +)
    }

    private func upLimit(_ rules: JSON, _ current: Int) -> Int {
        let limits = (rules["policies"]?.array ?? []).map { policy in
            let (start, value) = (start(policy, current), policy["value"]?.int ?? 0)
            guard policy["type"] == "Percent" else { return start + value }
            return Int((Double(start) * (1 + Double(value) / 100)).rounded(.up))
        }
        switch rules["selectPolicy"]?.string {
        case "Disabled": return current
        case "Min": return limits.min() ?? current
        default: return limits.max() ?? current
        }
    }

    private func downLimit(_ rules: JSON, _ current: Int) -> Int {
        let limits = (rules["policies"]?.array ?? []).map { policy in
            let (start, value) = (start(policy, current), policy["value"]?.int ?? 0)
            guard policy["type"] == "Percent" else { return start - value }
            return Int(Double(start) * (1 - Double(value) / 100))
        }
        switch rules["selectPolicy"]?.string {
        case "Disabled": return current
        case "Min": return limits.max() ?? current
        default: return limits.min() ?? current
        }
    }
}
