// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports
import TestKit
import Testing

@testable import Releases

@Suite("what belongs to somebody else", .timeLimit(.minutes(5)))
struct ReleaseConflictTests {
    private func foreign(_ type: ResourceType, selector: JSON = ["matchLabels": ["app.kubernetes.io/name": "cart"]])
        -> KubeObject
    {
        var object = KubeObject(type, namespace: "shop", name: "cart", labels: ["app.kubernetes.io/managed-by": "Helm"])
        object["spec"] = ["selector": selector]
        object.json.set("web", at: ["metadata", "annotations", "meta.helm.sh/release-name"])
        return object
    }

    private func world() async throws -> World {
        let world = World()
        _ = try await world.cluster.create(KubeObject(.namespaces, name: "shop"), as: .namespaces)
        return world
    }

    @Test(arguments: [ResourceType.deployments, .services, .ingresses])
    func aForeignObjectIsLeftAloneAndItsOwnerNamed(_ type: ResourceType) async throws {
        let world = try await world()
        _ = try await world.cluster.create(foreign(type), as: type)
        let runner = ScriptedRunner()
        let before = world.cluster.all(type)
        let error = await world.failure(of: world.releaser(runner), try World.file(spec: "routes: [{ hosts: [a] }]"))
        #expect(
            error
                == "the \(type.kind) 'shop/cart' exists already and belongs to Helm (release 'web'), so nothing was changed; give the app another name, delete that object, or hand it over with 'kubectl -n shop annotate \(type.plural) cart ballast.dev/adopt=true'"
        )
        #expect(runner.commands.isEmpty && world.cluster.all(type) == before && world.releases.isEmpty)
    }

    @Test func aForeignPullSecretIsRefusedAtOnce() async throws {
        let world = try await world()
        for name in ["login", "ballast-pull-login.r.internal"] {
            var secret = KubeObject(.secrets, namespace: "shop", name: name)
            secret["data"] = ["username": "Ym90", "password": "cA=="]
            _ = try await world.cluster.create(secret, as: .secrets)
        }
        let file = try World.file(image: ", repository: r.internal/cart, credentials: { secretRef: login }")
        let error = try await world.running { await $0.failure(of: $0.releaser(), file) }
        #expect(
            error.hasPrefix(
                "the Secret 'shop/ballast-pull-login.r.internal' exists already and belongs to somebody else"
            ),
            "\(error)"
        )
    }

    @Test func anObjectThatWasHandedOverIsTakenOver() async throws {
        let world = try await world()
        var mine = foreign(.deployments)
        mine.json.set("true", at: ["metadata", "annotations", "ballast.dev/adopt"])
        _ = try await world.cluster.create(mine, as: .deployments)
        let file = try World.file()
        let record = try await world.running { try await $0.releaser().release(file) }
        #expect(record.phase == .succeeded && world.image == record.image)
    }

    @Test func anotherSelectorIsAnErrorBeforeTheTests() async throws {
        let world = try await world()
        var mine = foreign(.deployments, selector: ["matchLabels": ["app": "cart"]])
        mine.json.set("true", at: ["metadata", "annotations", "ballast.dev/adopt"])
        _ = try await world.cluster.create(mine, as: .deployments)
        let error = await world.failure(of: world.releaser(), try World.file())
        #expect(
            error.hasPrefix(
                "the Deployment 'shop/cart' selects its pods by 'app=cart', which cannot be changed, so nothing was changed;"
            )
        )
    }

    @Test func aNamespaceThatIsBeingDeletedIsNoPlace() async throws {
        let world = try await world()
        let reference = ObjectReference(.namespaces, name: "shop")
        _ = try await world.cluster.patch(reference, .merge, ["metadata": ["finalizers": ["kubernetes"]]])
        try await world.cluster.delete(reference)
        let error = await world.failure(of: world.releaser(), try World.file())
        #expect(error == "the namespace 'shop' is being deleted; release again once it is gone")
    }

    @Test(arguments: [
        ("2Gi", "2Gi", nil), ("512Mi", "1Gi", "stays at 1Gi: a claim cannot shrink"), ("1024Mi", "1Gi", nil),
    ])
    func ofAClaimOnlyTheSizeChangesAndOnlyUpwards(_ wanted: String, _ stored: String, _ note: String?) async throws {
        let world = World()
        let (first, second) = (
            try World.file(", volumes: [{ name: data, mountPath: /data, size: 1Gi }]"),
            try World.file(", volumes: [{ name: data, mountPath: /data, size: \(wanted), storageClass: fast }]")
        )
        try await world.running { world in
            _ = try await world.releaser().release(first)
            var patch: JSON = ["spec": ["volumeName": "pv-1", "storageClassName": "local-path"]]
            patch["status"] = ["phase": "Bound"]
            let reference = ObjectReference(.persistentVolumeClaims, namespace: "shop", name: "cart-data")
            _ = try await world.cluster.patch(reference, .merge, patch)
            _ = try await world.releaser().release(second)
        }
        let claim = try #require(world.cluster.all(.persistentVolumeClaims).first)
        #expect(claim.spec[path: "resources", "requests", "storage"]?.string == stored)
        #expect(claim.spec["storageClassName"] == "local-path" && claim.spec["volumeName"] == "pv-1")
        #expect(world.progress.lines.contains { $0.contains("stays in the storage class 'local-path'") })
        if let note { #expect(world.progress.lines.contains { $0.hasSuffix(note) }) }
    }

    @Test func aServiceKeepsTheAddressTheClusterGaveIt() async throws {
        let world = World()
        let (first, second) = (try World.file(), try World.file(", env: { A: b }"))
        try await world.running { world in
            _ = try await world.releaser().release(first)
            let reference = ObjectReference(.services, namespace: "shop", name: "cart")
            _ = try await world.cluster.patch(
                reference,
                .merge,
                ["spec": ["clusterIP": "10.96.0.7", "type": "ClusterIP"]]
            )
            _ = try await world.releaser().release(second)
        }
        #expect(world.cluster.all(.services).first?.spec["clusterIP"] == "10.96.0.7")
    }

    @Test func aServiceThatIsNoLongerWantedGoesOnlyAfterTheNewPodsServe() async throws {
        let world = World()
        let (first, second) = (
            try World.file(spec: "routes: [{ hosts: [a] }]"), try World.file()
        )
        try await world.running { world in
            _ = try await world.releaser().release(first)
            world.builder.setContent("b")
            world.simulator.set(.stuck(["phase": "Pending"]), for: "b")
            async let failure = world.failure(of: world.releaser(), second)
            await world.progress.wait(for: "cart-2-1: Pending")
            #expect(world.cluster.all(.ingresses).count == 1)
            await world.time.passDuringRollout(.seconds(61))
            _ = await failure
            #expect(world.cluster.all(.ingresses).count == 1)
            world.simulator.set(.serves, for: "c")
            world.builder.setContent("c")
            let third = try await world.releaser().release(second)
            #expect(third.changes.contains("deleted ingress shop/cart"))
        }
        #expect(world.cluster.all(.ingresses).isEmpty)
    }
}

@Suite("who releases", .timeLimit(.minutes(5)))
struct ReleaseHolderTests {
    @Test func aNewerReleaseWinsAndTheOlderOneSaysWhoSupersededIt() async throws {
        let world = World()
        let file = try World.file()
        let record = try await world.running { world in
            async let older = world.failure(of: world.releaser(ScriptedRunner(["unit-tests": .hangs])), file)
            await world.progress.wait(for: "hanging")
            async let newer = world.releaser().release(file)
            await world.progress.wait(for: "waiting for release cart-1 (process 42 on desk) to stop")
            // Both look every two seconds.
            await world.time.pass(ReleaseBook.look) { world.releases.first?.phase == .superseded }
            #expect(
                await older
                    == "release cart-1 was superseded by release cart-2 (ann@desk) and stopped in the stage 'test'; nothing was changed in the cluster"
            )
            await world.time.pass(ReleaseBook.look) { world.releases.last?.phase == .succeeded }
            return try await newer
        }
        #expect(record.number == 2 && world.releases.map(\.phase) == [.superseded, .succeeded])
    }

    @Test func anOlderReleaseStopsInItsRolloutAndLeavesItToTheNewer() async throws {
        let world = World()
        let file = try World.file()
        world.simulator.set(.stuck(["phase": "Pending"]), for: "b")
        try await world.running { world in
            _ = try await world.releaser().release(file)
            world.builder.setContent("b")
            async let older = world.failure(of: world.releaser(), file)
            await world.progress.wait(for: "cart-2-1: Pending")
            world.builder.setContent("c")
            async let newer = world.releaser().release(file)
            await world.progress.wait(for: "waiting for release cart-2")
            await world.time.pass(.seconds(1)) { world.releases.last?.phase == .succeeded }
            _ = try await newer
            #expect(
                await older
                    == "release cart-2 was superseded by release cart-3 (ann@desk) and stopped in the stage 'pods'"
            )
        }
        #expect(world.releases.map(\.phase) == [.succeeded, .superseded, .succeeded])
        #expect(world.image?.hasSuffix("\(ScriptedBuilder.digest("c"))") == true)
        #expect(!world.progress.lines.contains { $0.hasPrefix("going back") }, "nothing went back and forth")
    }

    /// A record as a killed process leaves it.
    private func abandoned(_ world: World) async throws {
        let book = ReleaseBook(
            cluster: world.cluster,
            clock: world.time.wall,
            retry: CallRetry(clock: world.time, progress: world.progress),
            holder: ReleaseHolder(host: "lap", scope: "boot", process: 7, started: "1"),
            run: "gone",
            hasEnded: { _ in nil }
        )
        _ = try await book.open(ReleaseDraft(app: try World.file().app, waves: [[.local]]))
    }

    @Test func aKilledReleaseIsMarkedByTheNext() async throws {
        let world = World()
        try await abandoned(world)
        let file = try World.file()
        let record = try await world.running { try await $0.releaser(hasEnded: { $0.process == 7 }).release(file) }
        #expect(record.number == 2)
        #expect(world.releases.map(\.phase) == [.interrupted, .succeeded])
        #expect(world.releases.first?.message == "process 7 on lap ended without a word")
    }

    @Test func aKilledReleaseIsMarkedWithoutANextOneToo() async throws {
        let world = World()
        try await abandoned(world)
        func sweep(_ since: Timestamp, _ hasEnded: Bool?) async throws -> ReleaseRecord.Phase? {
            try await ReleaseSweeper(cluster: world.cluster, clock: world.time.wall, sleeper: world.time) { _ in
                hasEnded
            }
            .sweep(since: since)
            return world.releases.first?.phase
        }
        let start = world.time.wall.now
        world.time.advance(by: .seconds(600))
        #expect(try await sweep(start, false) == .running)
        // Nobody could renew it before now.
        #expect(try await sweep(world.time.wall.now, nil) == .running)
        #expect(try await sweep(start, true) == .interrupted)
        #expect(world.releases.first?.message == "process 7 on lap ended without a word")
        try await abandoned(world)
        world.time.advance(by: .seconds(46))
        _ = try await sweep(start, nil)
        #expect(world.releases.map(\.phase) == [.interrupted, .interrupted])
    }

    @Test func aReleaseOnAnUnreachableMachineCountsAsRunningUntilItLapses() async throws {
        let world = World()
        try await abandoned(world)
        let file = try World.file()
        let record = try await world.running { world in
            async let next = world.releaser().release(file)
            await world.progress.wait(for: "waiting for release cart-1 (process 7 on lap) to stop")
            world.time.advance(by: ReleaseBook.lapse)
            #expect(world.releases.first?.phase == .running)
            world.time.advance(by: ReleaseBook.look)
            return try await next
        }
        #expect(record.number == 2 && world.releases.map(\.phase) == [.interrupted, .succeeded])
    }

    @Test func aLongReleaseStaysHeld() async throws {
        let world = World()
        let file = try World.file()
        let task = Task { try await world.releaser(ScriptedRunner(["unit-tests": .hangs])).release(file) }
        await world.progress.wait(for: "hanging")
        var last = try #require(world.releases.first).renewed
        for round in 1...6 {
            await world.time.pass(ReleaseBook.look) { world.releases.first.map { $0.renewed > last } ?? true }
            let renewed = try #require(world.releases.first).renewed
            // Who waits for so long believes that it has ended.
            #expect(renewed - last <= ReleaseBook.lapse, "round \(round)")
            #expect(world.releases.first?.phase == .running, "round \(round)")
            last = renewed
        }
        task.cancel()
        _ = try? await task.value
    }

    @Test func aReleaseWhoseRecordWasClosedMeanwhileTouchesNothing() async throws {
        let world = World()
        let file = try World.file()
        let calls = InterceptedCluster(world.cluster)
        let task = Task { try await world.releaser(ScriptedRunner(["unit-tests": .hangs]), on: calls).release(file) }
        await world.progress.wait(for: "hanging")
        task.cancel()
        _ = try? await task.value
        let closing = InterceptedCluster(world.cluster) { _, name in
            guard name == "get releases.ballast.dev" else { return nil }
            return .refused(.notFound)
        }
        let error = await world.failure(of: world.releaser(on: closing), file)
        #expect(error.hasPrefix("the record of release cart-2 was closed by somebody else, so this release stops here"))
        #expect(world.objects == ["Namespace ballast-system"])
    }

    @Test func twoAtOnceGetTwoNumbersAndOneOfThemRuns() async throws {
        for _ in 0..<20 {
            let world = World()
            let file = try World.file()
            let results = try await world.running { world in
                async let first = world.failure(of: world.releaser(), file)
                async let second = world.failure(of: world.releaser(), file)
                // Time trickles: a watch that ended waits for its back-off. It ends with the test's own work.
                let trickle = Task {
                    while !Task.isCancelled {
                        world.time.advance(by: .milliseconds(20))
                        await VirtualTime.breathe()
                    }
                }
                defer { trickle.cancel() }
                return await [first, second]
            }
            #expect(results.contains(""), "\(results)")
            #expect(Set(world.releases.map(\.number)).count == world.releases.count)
            #expect(world.releases.allSatisfy { $0.phase != .running }, "\(world.releases.map(\.phase))")
        }
    }

    @Test func thisProcessIsAliveAndAnUnknownScopeIsUnknown() {
        let me = ReleaseHolder.current
        #expect(ReleaseHolder.hasEnded(me) == false)
        var reused = me
        reused.started = "1"
        #expect(ReleaseHolder.hasEnded(reused) == true)
        var elsewhere = me
        elsewhere.scope = "another boot"
        #expect(ReleaseHolder.hasEnded(elsewhere) == nil)
    }
}
