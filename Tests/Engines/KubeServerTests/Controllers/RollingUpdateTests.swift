// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

@Suite("rolling update arithmetic")
struct RollingUpdateTests {
    func member(_ name: String, _ size: Int, available: Int? = nil, created: Int64 = 0, max: Int = 0) -> RolloutMember {
        RolloutMember(
            name: name,
            size: size,
            available: available ?? size,
            created: Timestamp(seconds: created),
            maxReplicas: max
        )
    }

    @Test(
        "percentages round up for the surge and down for what may be missing; zero of both allows one missing",
        arguments: [
            (10, "25%", "25%", 3, 2), (1, "25%", "25%", 1, 0), (3, "0", "0%", 0, 1), (0, "25%", "25%", 0, 0),
            (4, "100%", "0", 4, 0), (2, "0%", "90%", 0, 1), (3, "10", "7", 10, 3),
            (3, "9223372036854775807%", "0", 2_147_483_647, 0),
        ] as [(Int, String, String, Int, Int)]
    )
    func bounds(replicas: Int, surge: String, missing: String, maxSurge: Int, maxUnavailable: Int) {
        func value(_ text: String) -> JSON { Int(text).map { JSON($0) } ?? .string(text) }
        var deployment = Sample.deployment("web", replicas: replicas)
        deployment.json.set(
            ["type": "RollingUpdate", "rollingUpdate": ["maxSurge": value(surge), "maxUnavailable": value(missing)]],
            at: ["spec", "strategy"]
        )
        let bounds = RolloutBounds(deployment)
        #expect(bounds == RolloutBounds(replicas: replicas, maxSurge: maxSurge, maxUnavailable: maxUnavailable))
    }

    @Test("the newest set grows into the room the surge leaves, and shrinks at once")
    func newSize() {
        let update = RollingUpdate(bounds: RolloutBounds(replicas: 10, maxSurge: 2, maxUnavailable: 0))
        #expect(update.newSize(of: member("new", 0), total: 10) == 2)
        #expect(update.newSize(of: member("new", 2), total: 12) == 2)
        #expect(update.newSize(of: member("new", 9), total: 9) == 10)
        #expect(update.newSize(of: member("new", 12), total: 14) == 10)
    }

    @Test("old sets shrink only by what the newest has available, unhealthy pods first, oldest set first")
    func oldSizes() {
        let update = RollingUpdate(bounds: RolloutBounds(replicas: 10, maxSurge: 2, maxUnavailable: 2))
        #expect(update.oldSizes([member("old", 10)], newest: member("new", 2, available: 0)) == ["old": 8])
        #expect(update.oldSizes([member("old", 8)], newest: member("new", 4, available: 0)) == [:])
        #expect(update.oldSizes([member("old", 8, available: 5)], newest: member("new", 2, available: 2)) == ["old": 6])
        let two = [member("b", 5, created: 2), member("a", 3, created: 1)]
        #expect(update.oldSizes(two, newest: member("new", 4)) == ["a": 0, "b": 4])
        #expect(update.oldSizes([], newest: member("new", 10)) == [:])
    }

    @Test("a change of size spreads over active sets in proportion, the rest goes to the largest")
    func proportional() {
        let up = RollingUpdate(bounds: RolloutBounds(replicas: 15, maxSurge: 3, maxUnavailable: 2))
        let members = [member("old", 8, created: 1, max: 13), member("new", 5, created: 2, max: 13)]
        #expect(up.proportionalSizes(members, statusReplicas: 13) == ["old": 11, "new": 7])
        let down = RollingUpdate(bounds: RolloutBounds(replicas: 5, maxSurge: 3, maxUnavailable: 2))
        #expect(down.proportionalSizes(members, statusReplicas: 13) == ["old": 5, "new": 3])
        let none = RollingUpdate(bounds: RolloutBounds(replicas: 0, maxSurge: 3, maxUnavailable: 2))
        #expect(none.proportionalSizes(members, statusReplicas: 13) == ["old": 0, "new": 0])
    }

    @Test("any rollout ends, and never leaves the bounds, whatever the order in which pods become ready")
    func smallWorlds() {
        for replicas in 0...5 {
            for surge in 0...3 {
                for missing in 0...3 where surge + missing > 0 {
                    for lag in 0...2 {
                        simulate(
                            RolloutBounds(replicas: replicas, maxSurge: surge, maxUnavailable: min(missing, replicas)),
                            lag
                        )
                    }
                }
            }
        }
    }

    /// Rolls two old sets over to a new one; of its pods at most `lag` stay unavailable for a round.
    private func simulate(_ bounds: RolloutBounds, _ lag: Int) {
        guard bounds.maxSurge + bounds.maxUnavailable > 0 else { return }
        let update = RollingUpdate(bounds: bounds)
        var old = [
            member("a", bounds.replicas / 2, created: 1),
            member("b", bounds.replicas - bounds.replicas / 2, created: 2),
        ]
        var new = member("new", 0)
        for round in 0..<100 {
            let total = old.reduce(new.size) { $0 + $1.size }
            new.size = update.newSize(of: new, total: total)
            let sizes = update.oldSizes(old.filter { $0.size > 0 }, newest: new)
            old = old.map { member($0.name, sizes[$0.name] ?? $0.size, created: $0.created.seconds) }
            let after = old.reduce(new.size) { $0 + $1.size }
            let available = old.reduce(new.available) { $0 + $1.available }
            #expect(after <= bounds.replicas + bounds.maxSurge)
            #expect(available >= bounds.minAvailable)
            if new.size == bounds.replicas, old.allSatisfy({ $0.size == 0 }), new.available == new.size { return }
            new.available = round % 3 == 2 ? new.size : max(new.available, new.size - lag)
        }
        Issue.record("the rollout within \(bounds) does not end")
    }
}
