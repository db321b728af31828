// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// How many pods a deployment may have too many and too few while it changes.
struct RolloutBounds: Sendable, Equatable {
    var replicas: Int
    /// Above `replicas`.
    var maxSurge: Int
    /// Below `replicas`.
    var maxUnavailable: Int

    var minAvailable: Int { replicas - maxUnavailable }

    /// Reads `spec.replicas` and `spec.strategy`; percentages round up for the surge and down for what may be missing,
    /// and if both come out as zero, one pod may be missing.
    init(_ deployment: KubeObject) {
        replicas = deployment.replicas
        guard deployment.isRolling else {
            (maxSurge, maxUnavailable) = (0, 0)
            return
        }
        let strategy = deployment.spec[path: "strategy", "rollingUpdate"] ?? [:]
        maxSurge = Self.resolve(strategy["maxSurge"] ?? "25%", of: replicas, roundsUp: true)
        let missing = Self.resolve(strategy["maxUnavailable"] ?? "25%", of: replicas, roundsUp: false)
        maxUnavailable = min(maxSurge == 0 && missing == 0 ? 1 : missing, replicas)
    }

    init(replicas: Int, maxSurge: Int, maxUnavailable: Int) {
        self.replicas = replicas
        self.maxSurge = maxSurge
        self.maxUnavailable = maxUnavailable
    }

    /// A number, or a percentage of `total`.
    static func resolve(_ value: JSON, of total: Int, roundsUp: Bool) -> Int {
        if let number = value.int { return number }
        guard let text = value.string, text.hasSuffix("%"), let percent = Int(text.dropLast()) else { return 0 }
        // No number of pods is as large as an absurd percentage makes it.
        let (share, overflows) = percent.multipliedReportingOverflow(by: total)
        return (min(overflows ? .max : share, 100 * Int(Int32.max)) + (roundsUp ? 99 : 0)) / 100
    }
}

/// A replica set as a rollout sees it.
struct RolloutMember: Sendable, Equatable {
    var name: String
    /// `spec.replicas`
    var size: Int
    var available: Int
    var created: Timestamp
    /// What its deployment's upper bound was when it was last scaled; zero if unknown.
    var maxReplicas = 0
}

/// The arithmetic of a rolling update: new sizes by name, only for those that change.
struct RollingUpdate: Sendable {
    let bounds: RolloutBounds

    /// What the newest replica set grows (or shrinks) to; `total` is the size of all, itself included.
    func newSize(of newest: RolloutMember, total: Int) -> Int {
        guard newest.size < bounds.replicas else { return bounds.replicas }
        let room = bounds.replicas + bounds.maxSurge - total
        guard room > 0 else { return newest.size }
        return newest.size + min(room, bounds.replicas - newest.size)
    }

    /// How far the old replica sets shrink without leaving too few pods available.
    func oldSizes(_ old: [RolloutMember], newest: RolloutMember) -> [String: Int] {
        let total = old.reduce(newest.size) { $0 + $1.size }
        let allowance = total - bounds.minAvailable - (newest.size - newest.available)
        guard total > newest.size, allowance > 0 else { return [:] }
        let oldestFirst = old.sorted { ($0.created, $0.name) < ($1.created, $1.name) }
        let cleaned = withoutUnhealthy(oldestFirst, upTo: allowance)
        let available = cleaned.reduce(newest.available) { $0 + $1.available }
        let shrunk = shrink(cleaned, by: available - bounds.minAvailable)
        var sizes: [String: Int] = [:]
        for (before, after) in zip(oldestFirst, shrunk) where before.size != after.size {
            sizes[before.name] = after.size
        }
        return sizes
    }

    /// Pods that are not available anyway go first.
    private func withoutUnhealthy(_ old: [RolloutMember], upTo limit: Int) -> [RolloutMember] {
        var left = limit
        return old.map { member in
            var member = member
            let count = min(left, max(0, member.size - member.available))
            member.size -= count
            left -= count
            return member
        }
    }

    private func shrink(_ old: [RolloutMember], by count: Int) -> [RolloutMember] {
        var left = max(0, count)
        return old.map { member in
            var member = member
            let step = min(member.size, left)
            member.size -= step
            left -= step
            return member
        }
    }

    /// Spreads a change of the deployment's size over several active replica sets in proportion to their sizes.
    /// `statusReplicas` stands in where a member's own upper bound is unknown.
    func proportionalSizes(_ active: [RolloutMember], statusReplicas: Int) -> [String: Int] {
        let total = active.reduce(0) { $0 + $1.size }
        let allowed = bounds.replicas > 0 ? bounds.replicas + bounds.maxSurge : 0
        let change = allowed - total
        let sorted = active.sorted { left, right in
            guard left.size == right.size else { return left.size > right.size }
            return change > 0 ? left.created > right.created : left.created < right.created
        }
        var added = 0
        var sizes = sorted.map { member in
            let share = share(of: member, change: change, added: added, statusReplicas: statusReplicas)
            added += share
            return member.size + share
        }
        if change != 0, !sizes.isEmpty { sizes[0] = max(0, sizes[0] + change - added) }
        return Dictionary(zip(sorted.map(\.name), sizes)) { first, _ in first }
    }

    private func share(of member: RolloutMember, change: Int, added: Int, statusReplicas: Int) -> Int {
        guard member.size > 0, change != 0, change != added else { return 0 }
        let fraction = fraction(of: member, statusReplicas: statusReplicas)
        return change > 0 ? min(fraction, change - added) : max(fraction, change - added)
    }

    private func fraction(of member: RolloutMember, statusReplicas: Int) -> Int {
        guard bounds.replicas > 0 else { return -member.size }
        let upper = bounds.replicas + bounds.maxSurge
        let before = member.maxReplicas > 0 ? member.maxReplicas : statusReplicas > 0 ? statusReplicas : upper
        let size = (Double(member.size * upper) / Double(before)).rounded()
        return Int(size) - member.size
    }
}

extension KubeObject {
    var isRolling: Bool { spec[path: "strategy", "type"]?.string ?? "RollingUpdate" == "RollingUpdate" }
}
