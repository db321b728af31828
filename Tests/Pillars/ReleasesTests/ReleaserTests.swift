// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports
import TestKit
import Testing

@testable import Releases

@Suite("a release", .timeLimit(.minutes(5)))
struct ReleaserTests {
    @Test func aFirstReleaseMakesEverythingTheAppNeeds() async throws {
        let world = World()
        let file = try World.file(
            ", volumes: [{ name: data, mountPath: /data, size: 1Gi }]",
            spec: "routes: [{ hosts: [cart.localhost] }]"
        )
        let record = try await world.running { try await $0.releaser().release(file) }
        #expect(
            world.objects == [
                "Namespace ballast-system", "Namespace shop", "PersistentVolumeClaim shop/cart-data",
                "Deployment shop/cart",
                "Service shop/cart", "Ingress shop/cart", "App shop/cart",
            ]
        )
        let digest = ScriptedBuilder.digest("a")
        #expect(record.phase == .succeeded && record.image == "localhost:5000/shop/cart@\(digest)")
        #expect(world.image == record.image)
        #expect(world.registries.pushes == ["localhost:5000/shop/cart:1 by nobody"])
        #expect(world.releases.map(\.keptIn) == ["shop"], "the record moves to its namespace once that exists")
        #expect(world.releases.first?.stages.map(\.stage) == [.test, .image, .pods])
        #expect(world.releases.first?.phase == .succeeded)
        let stream = LogStream("releases", "shop", "cart", "1")
        #expect(try await world.records.read(stream).map(\.text) == ["[test unit] fine", "[build] fine"])
    }

    @Test func aReleaseThatChangesNothingSucceedsAtOnce() async throws {
        let world = World()
        let file = try World.file()
        let again = try await world.running { world in
            _ = try await world.releaser().release(file)
            return try await world.releaser().release(file)
        }
        #expect(again.number == 2 && again.phase == .succeeded && again.message == "nothing had to change")
        #expect(world.cluster.all(.replicaSets).count == 1)
        #expect(world.time.now.offset == .zero)
    }

    @Test func aNewImageReplacesThePodsAndSaysWhatChanged() async throws {
        let world = World()
        let file = try World.file()
        let second = try await world.running { world in
            _ = try await world.releaser().release(file)
            world.builder.setContent("b")
            return try await world.releaser().release(file)
        }
        let prefix = "deployment shop/cart spec.template.spec.containers[cart].image: "
        #expect(second.changes.count == 1 && second.changes[0].hasPrefix(prefix), "\(second.changes)")
        #expect(world.cluster.all(.pods).map(\.name) == ["cart-2-1", "cart-2-2"])
    }

    @Test(arguments: [
        (
            ScriptedRunner.Answer.ends(1, ["expected 2, got 3"]),
            "the step 'test unit' failed with exit code 1 (unit-tests); its last lines:\n  | expected 2, got 3\nnothing was changed in the cluster"
        ),
        (
            .ends(139, []),
            "the step 'test unit' was killed by signal 11 (unit-tests); it printed nothing; nothing was changed in the cluster"
        ),
        (
            .timesOut,
            "the step 'test unit' did not end within 600 s (unit-tests); raise its 'timeout' or make it faster; its last lines:\n  | still at it\nnothing was changed in the cluster"
        ),
    ])
    func aFailingTestChangesNothingNotEvenTheNamespace(_ answer: ScriptedRunner.Answer, _ message: String) async throws
    {
        let world = World()
        let error = await world.failure(of: world.releaser(ScriptedRunner(["unit-tests": answer])), try World.file())
        #expect(error == message)
        #expect(world.objects == ["Namespace ballast-system"])
        #expect(world.registries.pushes.isEmpty)
        #expect(world.releases.map(\.phase) == [.failed] && world.releases.map(\.keptIn) == ["ballast-system"])
        #expect(world.releases.first?.stages.first?.error?.hasPrefix("the step 'test unit'") == true)
    }

    @Test func aFailingBuildLeavesTheRunningReleaseAlone() async throws {
        let world = World()
        let file = try World.file()
        let before = try await world.running { world in
            _ = try await world.releaser().release(file)
            return (world.objects, world.image, world.cluster.all(.apps))
        }
        let runner = ScriptedRunner(["make": .ends(2, ["no rule"])])
        let error = await world.failure(of: world.releaser(runner), try World.file(", env: { NEW: 1 }"))
        #expect(error.hasPrefix("the step 'build' failed with exit code 2 (make)"))
        #expect(before == (world.objects, world.image, world.cluster.all(.apps)))
        #expect(world.releases.map(\.phase) == [.succeeded, .failed])
    }

    @Test func aRefusedPushSaysWhereAndWhatToCheck() async throws {
        let world = World(registries: MemoryRegistries(failure: Failure(.denied, "no push access")))
        let error = await world.failure(of: world.releaser(), try World.file())
        #expect(
            error
                == "the image could not be pushed to 'localhost:5000/shop/cart:1': no push access; check spec.image.credentials and the rights of that account; nothing was changed in the cluster"
        )
    }

    @Test func numbersGoOnAfterFailuresInAnotherNamespace() async throws {
        let world = World()
        let bad = ScriptedRunner(["unit-tests": .ends(1, [])])
        _ = await world.failure(of: world.releaser(bad), try World.file())
        _ = await world.failure(of: world.releaser(bad), try World.file())
        let file = try World.file()
        let record = try await world.running { try await $0.releaser().release(file) }
        #expect(record.number == 3)
        #expect(world.releases.map(\.keptIn) == ["ballast-system", "ballast-system", "shop"])
    }

    // MARK: Pods that fail

    private static let crashing: JSON = [
        "phase": "Running",
        "containerStatuses": [
            [
                "name": "cart", "restartCount": 2, "state": ["waiting": ["reason": "CrashLoopBackOff"]],
                "lastState": ["terminated": ["exitCode": 3, "reason": "Error"]],
            ]
        ],
    ]

    /// The error of a release whose pods keep ending for longer than they are given.
    private static func failureOnceCrashing(_ world: World, _ file: AppFile, pod: String) async -> String {
        async let failure = world.failure(of: world.releaser(), file)
        await world.progress.wait(for: "\(pod): CrashLoopBackOff")
        await world.time.passDuringRollout(.seconds(10))
        return await failure
    }

    @Test func aCrashingImageIsRolledBackToTheLastGoodRelease() async throws {
        let world = World()
        let (first, second) = (try World.file(), try World.file(", env: { NEW: 1 }"))
        let error = try await world.running { world in
            _ = try await world.releaser().release(first)
            world.builder.setContent("b")
            world.simulator.set(.stuck(Self.crashing), for: "b")
            return await Self.failureOnceCrashing(world, second, pod: "cart-2-1")
        }
        #expect(
            error == """
                release cart-2 failed: B201 the container 'cart' keeps ending with exit code 3 (2 restarts); see its last lines; rolled back to release 1
                last lines of cart-2-1:
                  | starting
                  | panic: no such table: carts
                """
        )
        #expect(world.image?.hasSuffix("\(ScriptedBuilder.digest("a"))") == true)
        #expect(world.cluster.all(.apps).first?.spec == first.app.object.spec)
        #expect(world.cluster.all(.pods).map(\.name) == ["cart-1-1", "cart-1-2"], "the old pods kept serving")
        #expect(world.releases.map(\.phase) == [.succeeded, .failed])
        #expect(world.releases.last?.message.hasSuffix("; rolled back to release 1") == true)
    }

    @Test func whatOnlyTheFailedReleaseHadIsRemovedAgain() async throws {
        let world = World()
        let first = try World.file()
        let second = try World.file(spec: "routes: [{ hosts: [cart.localhost] }]")
        _ = try await world.running { world in
            _ = try await world.releaser().release(first)
            world.builder.setContent("b")
            world.simulator.set(.stuck(Self.crashing), for: "b")
            return await Self.failureOnceCrashing(world, second, pod: "cart-2-1")
        }
        #expect(world.cluster.all(.ingresses).isEmpty)
    }

    @Test func aFirstReleaseThatFailsIsLeftToLookAt() async throws {
        let world = World()
        world.simulator.set(.stuck(Self.crashing), for: "a")
        let file = try World.file()
        let error = try await world.running { await Self.failureOnceCrashing($0, file, pod: "cart-1-1") }
        #expect(
            error.contains(
                "there is no earlier release to go back to, so everything is left for you to look at: 'kubectl -n shop describe pod cart-1-1'"
            )
        )
        #expect(world.objects.contains("Deployment shop/cart"))
    }

    @Test func aReadinessProbeThatNeverPassesFailsAtTheDeadline() async throws {
        let world = World()
        let file = try World.file()
        let error = try await world.running { world in
            _ = try await world.releaser().release(file)
            world.builder.setContent("b")
            world.simulator.set(
                .stuck([
                    "phase": "Running",
                    "containerStatuses": [["name": "cart", "ready": false, "state": ["running": [:]]]],
                ]),
                for: "b"
            )
            var event = KubeObject(.events, namespace: "shop", name: "e1")
            event["involvedObject"] = ["kind": "Pod", "name": "cart-2-1"]
            event["reason"] = "Unhealthy"
            event["message"] = "Readiness probe failed: HTTP probe failed with statuscode: 503"
            _ = try await world.cluster.create(event, as: .events)
            let calls = InterceptedCluster(world.cluster)
            async let failure = world.failure(of: world.releaser(on: calls), file)
            await world.progress.wait(for: "0 of 2 new pods ready; cart-2-1: running, not ready")
            while !calls.calls.contains("watch events") { await VirtualTime.breathe() }
            await world.time.passDuringRollout(.seconds(60))
            return await failure
        }
        #expect(
            error.hasPrefix(
                "release cart-2 failed: B301 the pod never became ready within 60 s: Readiness probe failed: HTTP probe failed with statuscode: 503;"
            ),
            "\(error)"
        )
        #expect(error.contains("rolled back to release 1"))
    }

    @Test func aDeploymentThatSomebodyElseChangesIsNotFoughtOver() async throws {
        let world = World()
        world.simulator.set(.stuck(["phase": "Pending"]), for: "a")
        let file = try World.file()
        let error = try await world.running { world in
            async let failure = world.failure(of: world.releaser(), file)
            await world.progress.wait(for: "cart-1-1: Pending")
            let other: JSON = ["spec": ["template": ["spec": ["containers": [["name": "cart", "image": "other:1"]]]]]]
            _ = try await world.cluster.patch(
                ObjectReference(.deployments, namespace: "shop", name: "cart"),
                .merge,
                other
            )
            return await failure
        }
        #expect(error.contains("B407 somebody else changed the Deployment meanwhile: it now asks for other:1"))
        #expect(world.image == "other:1")
    }

    // MARK: Interruption

    @Test func anInterruptedTestIsOnRecord() async throws {
        let world = World()
        let file = try World.file()
        let task = Task { try await world.releaser(ScriptedRunner(["unit-tests": .hangs])).release(file) }
        await world.progress.wait(for: "hanging")
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(world.releases.map(\.phase) == [.interrupted])
        #expect(
            world.releases.first?.message
                == "release cart-1 was interrupted in the stage 'test'; nothing was changed in the cluster"
        )
    }

    @Test func anInterruptedRolloutIsRolledBack() async throws {
        let world = World()
        let file = try World.file()
        try await world.running { world in
            _ = try await world.releaser().release(file)
            world.builder.setContent("b")
            world.simulator.set(.stuck(["phase": "Pending"]), for: "b")
            let task = Task { try await world.releaser().release(file) }
            await world.progress.wait(for: "cart-2-1: Pending")
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        #expect(world.image?.hasSuffix("\(ScriptedBuilder.digest("a"))") == true)
        #expect(world.releases.last?.phase == .interrupted)
        #expect(
            world.releases.last?.message
                == "release cart-2 was interrupted in the stage 'pods'; rolled back to release 1"
        )
    }
}
