// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports
import Synchronization
import TestKit
import Testing

@testable import Releases

@Suite("a release to several clusters", .timeLimit(.minutes(5)))
struct FleetReleaseTests {
    private static let names = ["local", "prod-a", "prod-b"]
    private static let waves = ", clusters: [[local], [prod-a, prod-b]]"
    private static let crashing: JSON = [
        "phase": "Running",
        "containerStatuses": [
            [
                "name": "cart", "restartCount": 2, "state": ["waiting": ["reason": "CrashLoopBackOff"]],
                "lastState": ["terminated": ["exitCode": 3, "reason": "Error"]],
            ]
        ],
    ]

    private func world() -> World { World(clusters: ["prod-a", "prod-b"]) }
    private func contents(_ world: World) -> [Character?] { Self.names.map(world.content(of:)) }

    @Test func everyClusterRunsOneImageThatWasPushedOnce() async throws {
        let world = world()
        let file = try World.file(Self.waves + ", overrides: { prod-a: { replicas: 3 } }")
        let record = try await world.running { try await $0.releaser().release(file) }
        #expect(contents(world) == ["a", "a", "a"])
        #expect(world.registries.pushes.count == 1)
        #expect(world.others["prod-a"]?.cluster.all(.deployments).first?.spec["replicas"] == 3)
        #expect(world.others["prod-b"]?.cluster.all(.deployments).first?.spec["replicas"] == 2)
        #expect(record.clusters.map(\.phase) == [.succeeded, .succeeded, .succeeded])
        #expect(record.clusters.map(\.wave) == [1, 2, 2] && record.clusters.map(\.cluster.text) == Self.names)
        #expect(record.changes.contains("prod-a: created deployment shop/cart"))
        #expect(world.cluster.all(.apps).count == 1 && world.others["prod-a"]?.cluster.all(.apps).isEmpty == true)
        let stored = try #require(world.releases.first)
        #expect(stored.clusters == record.clusters && stored.by == "ann@desk" && stored.revision == "c0ffee")
    }

    @Test func theRegistryOfThisMachineIsNoneForOtherClusters() async throws {
        let world = world()
        let runner = ScriptedRunner()
        let own = ", repository: localhost:5000/shop/cart"
        let file = try World.file(Self.waves, image: own)
        let refused =
            "/src/cart/ballast.yaml:6: spec.image.repository: 'localhost:5000' is the registry of this machine, from which 'prod-a' and 'prod-b' cannot pull; push to one that all"
        let error = await world.failure(of: world.releaser(runner), file)
        #expect(error.hasPrefix(refused), "\(error)")
        #expect(runner.commands.isEmpty && world.releases.isEmpty)
        let dry = await world.failure {
            _ = try await ReleaseDryRun(home: world.cluster, clusters: world.directory()).plan(file)
        }
        #expect(dry == error)
        // Nodes pull by another name, or only the home cluster is released to, by whatever name.
        let named = try World.file(Self.waves, image: own + ", pullHost: r.test")
        _ = try await world.cluster.create(KubeObject(.namespaces, name: "kube-system"), as: .namespaces)
        let twice = World(clusters: ["prod-a"])
        _ = try await twice.cluster.create(KubeObject(.namespaces, name: "kube-system"), as: .namespaces)
        let again = try World.file(", clusters: [[local], [prod-a]]", image: own)
        try await world.running { world in
            _ = try await world.releaser().release(named)
            _ = try await world.releaser().release(file, to: [.local])
        }
        try await twice.running { world in
            _ = try await world.releaser(reaching: ["prod-a": world.cluster]).release(again)
        }
    }

    @Test func aFailureInTheSecondWavePutsTheFirstBackToo() async throws {
        let world = world()
        let file = try World.file(Self.waves)
        let error = try await world.running { world in
            _ = try await world.releaser().release(file)
            world.builder.setContent("b")
            world.others["prod-b"]?.simulator.set(.stuck(Self.crashing), for: "b")
            async let failure = world.failure(of: world.releaser(), file)
            await world.progress.wait(for: "cart-2-1: CrashLoopBackOff")
            #expect(world.content(of: "local") == "b", "the first wave serves it already")
            await world.time.pass(.seconds(1)) { world.releases.last?.phase == .failed }
            return await failure
        }
        #expect(contents(world) == ["a", "a", "a"])
        #expect(
            error.hasPrefix(
                "release cart-2 failed in the cluster 'prod-b': B201 the container 'cart' keeps ending with exit code 3 (2 restarts); see its last lines; rolled back to release 1 in 'local', 'prod-a' and 'prod-b'"
            ),
            "\(error)"
        )
        let record = try #require(world.releases.last)
        #expect(record.phase == .failed && record.clusters.map(\.phase) == [.undone, .undone, .undone])
        #expect(record.clusters.map(\.undoneTo) == [1, 1, 1])
        #expect(record.clusters.last?.message.hasPrefix("B201") == true)
        #expect(world.cluster.all(.apps).first?.spec == file.app.object.spec)
    }

    @Test func anUnreachableClusterIsFoundBeforeTheTests() async throws {
        let world = world()
        let gone = InterceptedCluster(try #require(world.others["prod-a"]).cluster) { _, _ in .refused(.unavailable) }
        let runner = ScriptedRunner()
        let instant = World(time: VirtualTime { _ in true }, clusters: ["prod-a", "prod-b"])
        let error = await instant.failure(
            of: instant.releaser(runner, reaching: ["prod-a": gone]),
            try World.file(Self.waves)
        )
        #expect(
            error.hasPrefix(
                "the cluster 'prod-a' is no place for this release: could not look at the cluster in 4 tries: made to fail"
            ),
            "\(error)"
        )
        #expect(runner.commands.isEmpty && instant.releases.isEmpty)
    }

    @Test func anUnreachableClusterIsLeftOutWhereTheFileSaysSo() async throws {
        let world = World(
            time: VirtualTime { $0 != .seconds(1) && $0 != ReleaseBook.look },
            clusters: ["prod-a", "prod-b"]
        )
        let gone = InterceptedCluster(try #require(world.others["prod-a"]).cluster) { _, _ in .refused(.unavailable) }
        let file = try World.file(Self.waves + ", unreachable: skip")
        let record = try await world.running {
            try await $0.releaser(reaching: ["prod-a": gone]).release(file)
        }
        #expect(record.phase == .succeeded && record.clusters.map(\.phase) == [.succeeded, .skipped, .succeeded])
        #expect(record.message.hasSuffix("; without 'prod-a'"))
        #expect(contents(world) == ["a", nil, "a"])
        #expect(world.progress.lines.contains { $0.hasPrefix("prod-a: does not answer, and is left out: ") })
    }

    @Test func expiredCredentialsAreNoSilence() async throws {
        let world = world()
        let denied = InterceptedCluster(try #require(world.others["prod-a"]).cluster) { _, name in
            name == "get namespaces" ? .refused(.denied) : nil
        }
        let runner = ScriptedRunner()
        let error = await world.failure(
            of: world.releaser(runner, reaching: ["prod-a": denied]),
            try World.file(Self.waves + ", unreachable: skip")
        )
        #expect(error.hasPrefix("the cluster 'prod-a' is no place for this release: could not look at"), "\(error)")
        #expect(runner.commands.isEmpty)
    }

    @Test func aClusterThatGoesAwayInMidApplyIsPutBackWithTheOthersOrOwed() async throws {
        let world = World(
            time: VirtualTime { $0 != .seconds(1) && $0 != ReleaseBook.look },
            clusters: ["prod-a", "prod-b"]
        )
        let file = try World.file(Self.waves)
        let isGone = Switch()
        let patches = Atomic(0)
        let flaky = InterceptedCluster(try #require(world.others["prod-b"]).cluster) { _, name in
            guard isGone.isArmed else { return nil }
            // The first one only tries what would come of it.
            if name == "patch deployments.apps", patches.add(1, ordering: .relaxed).newValue == 2 { isGone.turnOn() }
            return isGone.isOn ? .refused(.unavailable) : nil
        }
        let error = try await world.running { world in
            _ = try await world.releaser(reaching: ["prod-b": flaky]).release(file)
            world.builder.setContent("b")
            isGone.arm()
            return await world.failure(of: world.releaser(reaching: ["prod-b": flaky]), file)
        }
        #expect(contents(world) == ["a", "a", "a"], "nothing was written to the one that went away")
        #expect(
            error.contains("release cart-2 failed in the cluster 'prod-b': could not change deployment shop/cart")
                && error.contains("rolled back to release 1 in 'local' and 'prod-a'; 'prod-b' could not be rolled back"),
            "\(error)"
        )
        #expect(world.releases.last?.clusters.map(\.phase) == [.undone, .undone, .owing])
    }

    /// Who scaled by hand keeps the field; the plan finds it before anything is written.
    private static func scale(_ cluster: FakeCluster, to count: Int) async throws {
        let reference = ObjectReference(.deployments, namespace: "shop", name: "cart")
        _ = try await cluster.patch(
            reference,
            subresource: nil,
            .merge,
            ["spec": ["replicas": JSON(count)]],
            options: WriteOptions(fieldManager: "kubectl")
        )
    }

    @Test func aFieldOfSomebodyElseRefusesTheReleaseAndNothingIsSaidOfGoingBack() async throws {
        let world = World()
        let (first, second) = (try World.file(), try World.file(", env: { NEW: 1 }"))
        let error = try await world.running { world in
            _ = try await world.releaser().release(first)
            world.builder.setContent("b")
            let scaling = ScriptedRunner(meanwhile: { try await Self.scale(world.cluster, to: 5) })
            return await world.failure(of: world.releaser(scaling), second)
        }
        #expect(error.contains(".spec.replicas is owned by 'kubectl'"), "\(error)")
        #expect(error.hasSuffix("nothing was changed in the cluster"), "\(error)")
        #expect(!error.contains("rolled back") && !world.progress.lines.contains { $0.hasPrefix("going back") })
        #expect(world.content(of: "local") == "a" && world.cluster.all(.apps).first?.spec == first.app.object.spec)
        let record = try #require(world.releases.last)
        #expect(record.phase == .failed && record.clusters.map(\.phase) == [.failed])
        #expect(record.clusters.allSatisfy { !$0.isTouched && $0.undoneTo == nil })
    }

    @Test func whoPressesControlCInTheSecondWaveGetsBothBack() async throws {
        let world = World(clusters: ["prod-a"])
        let waves = ", clusters: [[local], [prod-a]]"
        let (first, second) = (try World.file(waves), try World.file(waves + ", env: { NEW: 1 }"))
        world.others["prod-a"]?.simulator.set(.stuck(["phase": "Pending"]), for: "b")
        try await world.running { world in
            _ = try await world.releaser().release(first)
            world.builder.setContent("b")
            let task = Task { try await world.releaser().release(second) }
            await world.progress.wait(for: "cart-2-1: Pending")
            #expect(world.content(of: "local") == "b" && world.content(of: "prod-a") == "b")
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        #expect(contents(world).prefix(2) == ["a", "a"])
        let record = try #require(world.releases.last)
        #expect(record.phase == .interrupted && record.clusters.map(\.phase) == [.undone, .undone])
        #expect(world.cluster.all(.apps).first?.spec == first.app.object.spec)
        let note = "stopping; what was changed is put back first, and a second signal leaves it as it is"
        #expect(world.progress.lines.contains(note))
    }

    @Test func aFirstReleaseThatIsRefusedLeavesNoDeclaration() async throws {
        let world = World()
        let file = try World.file()
        let refusing = InterceptedCluster(world.cluster) { _, name in
            name == "patch services" ? .refused(.invalidInput) : nil
        }
        let error = try await world.running { await $0.failure(of: $0.releaser(on: refusing), file) }
        #expect(error.hasSuffix("nothing was changed in the cluster"), "\(error)")
        #expect(world.cluster.all(.apps).isEmpty && world.cluster.all(.deployments).isEmpty)
    }

    @Test func aFieldThatIsSomebodyElsesAtTheStartIsSaidBeforeTestsAndBuilds() async throws {
        let world = World(clusters: ["prod-a"])
        let runner = ScriptedRunner()
        let file = try World.file(", clusters: [[local], [prod-a]]")
        let error = try await world.running { world in
            _ = try await world.releaser().release(file)
            try await Self.scale(try #require(world.others["prod-a"]).cluster, to: 5)
            return await world.failure(of: world.releaser(runner), file)
        }
        #expect(error.hasPrefix("the cluster 'prod-a' is no place for this release: "), "\(error)")
        #expect(error.contains(".spec.replicas is owned by 'kubectl'"), "\(error)")
        #expect(runner.commands.isEmpty && world.releases.count == 1)
    }

    @Test func aRefusalInTheSecondWavePutsTheFirstBackAndSaysNothingOfTheOther() async throws {
        let world = World(clusters: ["prod-a"])
        let waves = ", clusters: [[local], [prod-a]]"
        let (first, second) = (try World.file(waves), try World.file(waves + ", env: { NEW: 1 }"))
        let error = try await world.running { world in
            _ = try await world.releaser().release(first)
            world.builder.setContent("b")
            let other = try #require(world.others["prod-a"]).cluster
            let scaling = ScriptedRunner(meanwhile: { try await Self.scale(other, to: 5) })
            return await world.failure(of: world.releaser(scaling), second)
        }
        #expect(error.hasPrefix("release cart-2 failed in the cluster 'prod-a': "), "\(error)")
        #expect(error.hasSuffix("rolled back to release 1 in 'local'"), "\(error)")
        #expect(world.releases.last?.clusters.map(\.phase) == [.undone, .failed])
        #expect(contents(world).prefix(2) == ["a", "a"])
        #expect(world.others["prod-a"]?.cluster.all(.deployments).first?.spec["replicas"] == 5)
    }

    @Test func goingBackTakesWhatOthersChangedButNotTheNumberOfReplicas() async throws {
        let world = World()
        let (first, second) = (try World.file(), try World.file(", env: { NEW: 1 }"))
        try await world.running { world in
            _ = try await world.releaser().release(first)
            world.builder.setContent("b")
            _ = try await world.releaser().release(second)
            try await Self.scale(world.cluster, to: 5)
            let reference = ObjectReference(.deployments, namespace: "shop", name: "cart")
            let live = try await world.cluster.get(reference)
            var containers = live[path: "spec", "template", "spec", "containers"]?.array ?? []
            containers[0]["image"] = "hot/fix:1"
            // A patch, as kubectl sends one: controllers write at the same time.
            var patch: JSON = [:]
            patch.set(.array(containers), at: ["spec", "template", "spec", "containers"])
            _ = try await world.cluster.patch(
                reference,
                subresource: nil,
                .merge,
                patch,
                options: WriteOptions(fieldManager: "kubectl-set")
            )
            _ = try await world.releaser().rollback(AppName("cart"), in: nil, to: 1)
        }
        #expect(world.content(of: "local") == "a")
        #expect(world.cluster.all(.deployments).first?.spec["replicas"] == 5)
        #expect(world.progress.lines.contains("deployment shop/cart keeps the 5 replicas that 'kubectl' gave it"))
        #expect(world.progress.lines.contains { $0.hasSuffix("is taken over from 'kubectl-set'") })
    }

    @Test func aDryRunTellsOfEachClusterWhatItWouldGet() async throws {
        let world = World(clusters: ["prod-a"])
        let clusters = ", clusters: [[local], [prod-a]]"
        let (first, second) = (
            try World.file(clusters), try World.file(clusters + ", overrides: { prod-a: { replicas: 3 } }")
        )
        let dry = ReleaseDryRun(home: world.cluster, clusters: world.directory())
        let new = try await dry.plan(first)
        #expect(new.map(\.cluster.text) == ["local", "prod-a"])
        #expect(new.allSatisfy { !$0.isEmpty } && world.objects.isEmpty)
        try await world.running { _ = try await $0.releaser().release(first) }
        let plans = try await dry.plan(second)
        #expect(plans.map(\.isEmpty) == [true, false])
        #expect(plans.last?.lines.flatMap(\.fields).map(\.words) == ["spec.replicas: 2 -> 3"])
        #expect(try await dry.plan(second, to: [ClusterName("prod-a")]).map(\.cluster.text) == ["prod-a"])
        let error = await world.failure { _ = try await dry.plan(try World.file(", clusters: [prod-b]")) }
        #expect(error.contains("the cluster 'prod-b' is not known; did you mean 'prod-a'?"), "\(error)")
    }

    @Test func anUnknownClusterIsNamedWithItsPlaceAndTheNearest() async throws {
        let world = world()
        let error = await world.failure(of: world.releaser(), try World.file(", clusters: [prod-c]"))
        #expect(
            error
                == "/src/cart/ballast.yaml:7: spec.deploy.clusters: the cluster 'prod-c' is not known; did you mean 'prod-a'?; 'ballast clusters add prod-c' makes it so",
            "\(error)"
        )
    }

    @Test func oneClusterOfTheFileCanBeReleasedToAlone() async throws {
        let world = world()
        let file = try World.file(Self.waves)
        let record = try await world.running { try await $0.releaser().release(file, to: [ClusterName("prod-b")]) }
        #expect(contents(world) == [nil, nil, "a"] && record.waves == [[ClusterName("prod-b")]])
        await #expect(throws: Failure.self) {
            _ = try await world.releaser().release(file, to: [ClusterName("prod")])
        }
    }

    @Test func betweenWavesTheFirstOneIsWatched() async throws {
        let world = world()
        let (first, second) = (
            try World.file(Self.waves + ", bake: 20s"), try World.file(Self.waves + ", bake: 21s")
        )
        let error = try await world.running { world in
            async let record = world.releaser().release(first)
            await world.progress.wait(for: "local: watching the new pods, 20 s left")
            #expect(contents(world) == ["a", nil, nil])
            await world.time.pass(.seconds(2)) { world.releases.last?.phase == .succeeded }
            let phases = try await record.clusters.map(\.phase)
            #expect(phases == [.succeeded, .succeeded, .succeeded])
            world.builder.setContent("b")
            async let failure = world.failure(of: world.releaser(), second)
            await world.progress.wait(for: "local: watching the new pods, 21 s left")
            await world.restart("cart-2-1", in: world.cluster)
            await world.time.pass(.seconds(2)) { world.releases.last?.phase == .failed }
            return await failure
        }
        #expect(
            error
                == "release cart-2 failed in the cluster 'local': the new pods did not hold: the container 'cart' of cart-2-1 ended with exit code 7; rolled back to release 1 in 'local'",
            "\(error)"
        )
        #expect(contents(world) == ["a", "a", "a"])
        #expect(world.releases.last?.clusters.map(\.phase) == [.undone, .pending, .pending])
    }
}

@Suite("what is watched after the pods are ready", .timeLimit(.minutes(5)))
struct VerificationTests {
    @Test func aContainerThatEndsInTheWindowUndoesTheRelease() async throws {
        let world = World()
        let (first, second) = (try World.file(), try World.file(", verify: { for: 30s }"))
        let error = try await world.running { world in
            _ = try await world.releaser().release(first)
            world.builder.setContent("b")
            async let failure = world.failure(of: world.releaser(), second)
            await world.progress.wait(for: "watching the new pods, 30 s left")
            await world.restart("cart-2-1", in: world.cluster)
            await world.time.pass(.seconds(2)) { world.releases.last?.phase == .failed }
            return await failure
        }
        #expect(
            error
                == "release cart-2 failed: the new pods did not hold: the container 'cart' of cart-2-1 ended with exit code 7; rolled back to release 1"
        )
        #expect(world.content(of: "local") == "a" && world.cluster.all(.apps).first?.spec == first.app.object.spec)
    }

    @Test func whatHoldsSucceedsAtTheEndOfTheWindow() async throws {
        let world = World()
        let file = try World.file(", verify: { for: 30s }")
        let record = try await world.running { world in
            async let record = world.releaser().release(file)
            await world.progress.wait(for: "watching the new pods, 30 s left")
            let start = world.time.now
            await world.time.pass(.seconds(2)) { world.releases.last?.phase == .succeeded }
            #expect(world.time.now.offset - start.offset >= .seconds(30))
            return try await record
        }
        #expect(record.phase == .succeeded)
    }

    private struct Metrics: ReleaseSignals {
        var rate: Double
        var samples = 1000
        var kinds: Set<ReleaseSignal.Kind> { [.objective(.errorRate)] }
        func read(_ kinds: Set<ReleaseSignal.Kind>, of subject: ReleaseSubject, since: Timestamp) async throws
            -> [ReleaseSignal]
        {
            [ReleaseSignal(.objective(.errorRate), value: rate, samples: samples, detail: "\(subject.cluster)")]
        }
    }

    @Test func aPluggedSourceDecidesAndAKeyWithoutOneIsSaid() async throws {
        let world = World()
        let file = try World.file(", verify: { for: 30s, errorRate: '< 1%', p99: '< 300ms' }")
        let error = try await world.running { world in
            async let failure = world.failure(of: world.releaser(signals: { _ in [Metrics(rate: 0.2)] }), file)
            await world.progress.wait(for: "watching the new pods, 30 s left")
            await world.time.pass(.seconds(2)) { world.releases.last?.phase == .failed }
            return await failure
        }
        #expect(
            error.hasPrefix(
                "release cart-1 failed: the new pods did not hold: errorRate is 20%, and should be < 1% (local); there is no earlier release"
            ),
            "\(error)"
        )
        let note = "spec.deploy.verify.p99 has no source of signals yet, and is not checked"
        #expect(world.progress.lines.contains(note))
        #expect(!world.progress.lines.contains { $0.contains("verify.errorRate") })
    }
}
