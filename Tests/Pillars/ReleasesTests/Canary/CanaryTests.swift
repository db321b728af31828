// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports
import TestKit
import Testing

@testable import Releases

@Suite("a canary by replica count", .timeLimit(.minutes(5)))
struct CanaryTests {
    private static let steps = ", canary: [{ percent: 20, for: 10s }, { percent: 50, for: 20s }]"
    private let reference = ObjectReference(.deployments, namespace: "shop", name: "cart-canary")

    @Test(arguments: [
        (1, 1, 1), (10, 1, 1), (10, 9, 1), (10, 10, 2), (20, 2, 1), (25, 3, 1), (25, 4, 2), (50, 4, 4), (90, 4, 4),
        (99, 3, 3), (50, 0, 1), (33, 100, 50),
    ])
    func aShareIsAtLeastOnePodAndAtMostAsManyAgain(_ percent: Int, _ stable: Int, _ pods: Int) {
        #expect(ReplicaShift.replicas(percent: percent, beside: stable) == pods)
    }

    private func canary(_ world: World) -> KubeObject? {
        world.cluster.all(.deployments).first { $0.name == "cart-canary" }
    }
    private func stable(_ world: World) -> KubeObject? { world.cluster.all(.deployments).first { $0.name == "cart" } }
    private func image(_ object: KubeObject?) -> Character? {
        object?[path: "spec", "template", "spec", "containers"]?[0]?["image"]?.string?.split(separator: "sha256:").last?
            .first
    }

    @Test func itGetsItsStepsAndThenReplacesTheStableOne() async throws {
        let world = World()
        let (first, second) = (try World.file(), try World.file(Self.steps))
        try await world.running { world in
            _ = try await world.releaser().release(first)
            world.builder.setContent("b")
            async let record = world.releaser().release(second)
            await world.progress.wait(for: "watching the new pods, 10 s left")
            #expect(world.progress.lines.contains("the canary gets 33% of the pods, asked for 20%"))
            let tried = try #require(canary(world))
            #expect(tried.spec["replicas"] == 1 && image(tried) == "b" && image(stable(world)) == "a")
            // The Service finds its pods by the one label that both have; its Deployment by one more.
            #expect(tried[path: "spec", "template", "metadata", "labels"]?["app.kubernetes.io/name"] == "cart")
            #expect(tried[path: "spec", "selector", "matchLabels"]?["ballast.dev/track"] == "canary")
            await world.time.pass(.seconds(1)) { world.progress.lines.contains("watching the new pods, 20 s left") }
            #expect(self.canary(world)?.spec["replicas"] == 2 && image(stable(world)) == "a")
            #expect(world.progress.lines.contains("the canary gets 50% of the pods"))
            await world.time.pass(.seconds(1)) { world.releases.last?.phase == .succeeded }
            _ = try await record
        }
        #expect(image(stable(world)) == "b" && canary(world) == nil)
    }

    @Test func aBreachTakesItAwayAndTheStablePodsWereNeverTouched() async throws {
        let world = World()
        let (first, second) = (try World.file(), try World.file(Self.steps))
        let error = try await world.running { world in
            _ = try await world.releaser().release(first)
            let generation = stable(world)?.generation
            world.builder.setContent("b")
            async let failure = world.failure(of: world.releaser(), second)
            await world.progress.wait(for: "watching the new pods, 10 s left")
            await world.restart("cart-canary-1-1", in: world.cluster)
            await world.time.pass(.seconds(1)) { world.releases.last?.phase == .failed }
            #expect(stable(world)?.generation == generation)
            return await failure
        }
        #expect(
            error
                == "release cart-2 failed: the new pods did not hold: the container 'cart' of cart-canary-1-1 ended with exit code 7; rolled back to release 1"
        )
        #expect(canary(world) == nil && world.cluster.all(.replicaSets).map(\.name) == ["cart-1"])
    }

    @Test func podsThatDoNotStartAreDiagnosed() async throws {
        let world = World()
        let (first, second) = (try World.file(), try World.file(Self.steps))
        let status: JSON = [
            "phase": "Running",
            "containerStatuses": [
                [
                    "name": "cart", "restartCount": 2, "state": ["waiting": ["reason": "CrashLoopBackOff"]],
                    "lastState": ["terminated": ["exitCode": 3, "reason": "Error"]],
                ]
            ],
        ]
        let error = try await world.running { world in
            _ = try await world.releaser().release(first)
            world.builder.setContent("b")
            world.simulator.set(.stuck(status), for: "b")
            async let failure = world.failure(of: world.releaser(), second)
            await world.time.pass(.seconds(1)) { world.releases.last?.phase == .failed }
            return await failure
        }
        #expect(
            error.hasPrefix("release cart-2 failed: B201 the container 'cart' keeps ending with exit code 3"),
            "\(error)"
        )
        #expect(canary(world) == nil && image(stable(world)) == "a")
    }

    @Test func aFirstReleaseAndAnUnchangedOneHaveNobodyToBeComparedWith() async throws {
        let world = World()
        let file = try World.file(Self.steps)
        let start = world.time.now.offset
        try await world.running { world in
            _ = try await world.releaser().release(file)
            _ = try await world.releaser().release(file)
        }
        #expect(world.time.now.offset == start && !world.progress.lines.contains { $0.contains("canary") })
    }

    @Test func oneThatAKilledReleaseLeftIsTakenAwayByTheNext() async throws {
        let world = World()
        let file = try World.file()
        try await world.running { world in
            _ = try await world.releaser().release(file)
            let shift = ReplicaShift(
                cluster: world.cluster,
                retry: CallRetry(clock: world.time, progress: world.progress)
            )
            let app = file.app
            let deployment = AppObjects(app: app, image: "r/cart:2").deployment
            let revision = CanaryRevision(app: app.name, namespace: app.namespace, release: 2, deployment: deployment)
            #expect(try await shift.shift(revision, toPercent: 50) == 50)
            #expect(canary(world)?.labels["ballast.dev/release"] == "2")
            _ = try await world.releaser().release(file)
        }
        #expect(canary(world) == nil)
    }

    @Test func whatHasThatNameAndIsNoCanaryIsNotTouched() async throws {
        let world = World()
        let file = try World.file()
        _ = try await world.cluster.create(KubeObject(.namespaces, name: "shop"), as: .namespaces)
        var mine = KubeObject(.deployments, namespace: "shop", name: "cart-canary")
        mine["spec"] = ["replicas": 1]
        _ = try await world.cluster.create(mine, as: .deployments)
        try await world.running { _ = try await $0.releaser().release(file) }
        #expect(canary(world)?.spec == ["replicas": 1])
    }

    @Test(arguments: [
        (
            ", canary: [{ percent: 50, for: 1s }, { percent: 50, for: 1s }]",
            "must be more than the 50 of the step before"
        ),
        (", canary: [{ percent: 5, for: 1s }], strategy: Recreate", "runs two revisions at once"),
        (", canary: [{ percent: 5, for: 1s }], volumes: [{ name: d, mountPath: /d, size: 1Gi }]", "cannot be combined"),
        (", canary: [{ percent: 100, for: 1s }]", "1 to 99"), (", canary: []", "at least 1"),
        (", clusters: [local, local]", "the cluster 'local' is given more than once"),
        (", unreachable: ignore", "fail"), (", verify: { for: 1s, errorRate: 5 }", "upper bound like '< 1%'"),
    ])
    func whatCannotWorkIsSaidWithTheFile(_ deploy: String, _ words: String) {
        do {
            _ = try World.file(deploy)
            Issue.record("\(deploy) was accepted")
        } catch {
            #expect("\(error)".contains(words), "\(error)")
        }
    }
}
