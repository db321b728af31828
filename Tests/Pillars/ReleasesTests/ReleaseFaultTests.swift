// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports
import Synchronization
import TestKit
import Testing

@testable import Releases

@Suite("a release on a cluster that stumbles", .timeLimit(.minutes(5)))
struct ReleaseFaultTests {
    private static let file =
        ", volumes: [{ name: data, mountPath: /data, size: 1Gi }], env: { A: b }"

    /// Waits of the retries pass at once; the second of the observer and the lease stand still.
    private func world() -> World {
        World(time: VirtualTime { $0 != .seconds(1) && $0 != ReleaseBook.look })
    }

    private func release(_ fault: @escaping @Sendable (Int, String) -> InterceptedCluster.Fault?) async throws -> (
        World, [String]
    ) {
        let world = world()
        let file = try World.file(Self.file, spec: "routes: [{ hosts: [cart.localhost] }]")
        let calls = InterceptedCluster(world.cluster, fault: fault)
        let record = try await world.running { try await $0.releaser(on: calls).release(file) }
        #expect(record.phase == .succeeded)
        return (world, calls.calls)
    }

    @Test(arguments: [
        InterceptedCluster.Fault.refused(.unavailable), .refused(.conflict), .refused(.expired), .answerLost,
        .refused(.deadlineExceeded),
    ])
    func aFaultAtAnyOneCallIsGotOver(_ fault: InterceptedCluster.Fault) async throws {
        let (calm, calls) = try await release { _, _ in nil }
        #expect(calls.count > 25, "\(calls)")
        for place in calls.indices {
            let (world, _) = try await release { number, _ in number == place ? fault : nil }
            #expect(world.objects == calm.objects, "\(fault) at \(place): \(calls[place])")
            #expect(world.image == calm.image)
            #expect(world.releases.map(\.phase) == [.succeeded], "\(fault) at \(place): \(calls[place])")
        }
    }

    /// Credentials that end, or a cluster that goes: at each single call, and for all that come after it.
    @Test(arguments: [InterceptedCluster.Fault.refused(.denied), .refused(.unavailable)])
    func whatIsCutOffForGoodIsToldAndFinishedByTheNext(_ fault: InterceptedCluster.Fault) async throws {
        let (calm, calls) = try await release { _, _ in nil }
        let rollout = try #require(calls.firstIndex(of: "list pods"))
        // Who does not answer is waited for during a rollout, until its deadline: that has a test of its own.
        let places = fault == .refused(.denied) ? calls.indices : calls.startIndex..<rollout
        for place in places {
            let world = world()
            let file = try World.file(Self.file, spec: "routes: [{ hosts: [cart.localhost] }]")
            let gone = InterceptedCluster(world.cluster) { number, _ in number >= place ? fault : nil }
            let error = try await world.running { await $0.failure(of: $0.releaser(on: gone), file) }
            // What is only tidied up after the end may fail.
            let isOver = error.isEmpty && world.releases.last?.phase == .succeeded
            #expect(error.contains("made to fail") || isOver, "\(place), \(calls[place]): \(error)")
            let next = try await world.running { try await $0.releaser(hasEnded: { _ in true }).release(file) }
            #expect(next.phase == .succeeded)
            #expect(world.objects == calm.objects, "\(place), \(calls[place])")
            #expect(world.image == calm.image || next.number > 1)
            // A record that was on its way into its namespace may be in two places; the sweeper takes away the other.
            let (open, ended) = (
                world.releases.filter { $0.phase == .running }, world.releases.filter { $0.phase != .running }
            )
            #expect(Set(open.map(\.number)).isSubset(of: ended.map(\.number)), "\(place), \(calls[place])")
        }
    }

    @Test(arguments: [
        "patch deployments.apps", "create namespaces", "create releases.ballast.dev", "create apps.ballast.dev",
    ])
    func aCallThatIsRefusedForGoodIsToldWithItsPlace(_ call: String) async throws {
        let world = world()
        let broken = InterceptedCluster(world.cluster) { _, name in name == call ? .refused(.denied) : nil }
        let file = try World.file()
        let error = try await world.running { await $0.failure(of: $0.releaser(on: broken), file) }
        #expect(error.hasPrefix("could not ") && error.contains("made to fail"), "\(error)")
        #expect(world.releases.allSatisfy { $0.phase == .failed })
    }

    @Test func aClusterThatStaysAwayEndsTheReleaseInWords() async throws {
        let world = world()
        let gone = InterceptedCluster(world.cluster) { _, name in
            name == "patch services" ? .refused(.unavailable) : nil
        }
        let file = try World.file()
        let error = try await world.running { await $0.failure(of: $0.releaser(on: gone), file) }
        #expect(error.hasPrefix("could not check service shop/cart in 9 tries: made to fail"), "\(error)")
        #expect(world.progress.lines.contains("the cluster does not answer (made to fail); trying on"))
    }

    @Test func podsThatServeStayEvenIfThatCannotBeRecorded() async throws {
        let world = world()
        let file = try World.file()
        let serves = Atomic(false)
        let broken = InterceptedCluster(world.cluster) { _, name in
            if name == "list pods" { serves.store(true, ordering: .relaxed) }
            return name == "patch releases.ballast.dev" && serves.load(ordering: .relaxed) ? .refused(.denied) : nil
        }
        let error = try await world.running { await $0.failure(of: $0.releaser(on: broken), file) }
        #expect(error.hasPrefix("release cart-1 serves, but that is not on record: could not write"), "\(error)")
        #expect(world.objects.contains("Deployment shop/cart"))
    }

    @Test func aClusterThatIsAwayForAWhileDuringTheRolloutIsWaitedFor() async throws {
        let world = world()
        let failures = Atomic(0)
        let flaky = InterceptedCluster(world.cluster) { _, name in
            guard name == "list pods" else { return nil }
            return failures.add(1, ordering: .relaxed).newValue <= 5 ? .refused(.unavailable) : nil
        }
        let file = try World.file()
        let record = try await world.running { try await $0.releaser(on: flaky).release(file) }
        #expect(record.phase == .succeeded)
        #expect(world.progress.lines.contains("the cluster does not answer (made to fail); asking on"))
    }

    /// Sixteen objects are written at once, and all of them meet it.
    @Test func anOutageIsToldOnceHoweverManyCallsItMeets() async throws {
        let time = VirtualTime(isInstant: { _ in true })
        let progress = RecordedProgress()
        let retry = CallRetry(clock: time, progress: progress, attempts: 30)
        func meetAnOutage() async throws {
            let tries = Atomic(0)
            _ = try await inParallel(Array(0..<16), limit: 16) { _ in
                try await retry("change an object") {
                    guard tries.add(1, ordering: .relaxed).newValue > 24 else {
                        throw Failure(.unavailable, "connection refused")
                    }
                    return true
                }
            }
        }
        try await meetAnOutage()
        let line = "the cluster does not answer (connection refused); trying on"
        #expect(progress.lines.filter { $0 == line }.count == 1)
        try await meetAnOutage()
        #expect(progress.lines.filter { $0 == line }.count == 2, "the next one is told again")
    }

    @Test func aClusterThatStaysAwayDuringTheRolloutFailsAtTheDeadline() async throws {
        let world = World()
        let file = try World.file()
        let gone = InterceptedCluster(world.cluster) { _, name in name == "list pods" ? .refused(.unavailable) : nil }
        let error = try await world.running { world in
            async let failure = world.failure(of: world.releaser(on: gone), file)
            await world.progress.wait(for: "asking on")
            await world.time.passDuringRollout(.seconds(61))
            return await failure
        }
        #expect(
            error.contains("B502 the cluster did not answer for so long that 60 s ran out: made to fail"),
            "\(error)"
        )
    }

    @Test func anExpiredOrClosedWatchLosesNothing() async throws {
        let world = world()
        world.simulator.set(.stuck(["phase": "Pending"]), for: "a")
        let file = try World.file()
        let record = try await world.running { world in
            let task = Task { try await world.releaser().release(file) }
            await world.progress.wait(for: "cart-1-1: Pending")
            world.cluster.closeWatches()
            world.cluster.expireHistory()
            for pod in world.cluster.all(.pods) {
                var ready = pod
                ready["status"] = ["phase": "Running", "conditions": [["type": "Ready", "status": "True"]]]
                _ = try await world.cluster.updateStatus(ready, as: .pods)
            }
            let reference = ObjectReference(.deployments, namespace: "shop", name: "cart")
            let conditions: JSON = [
                ["type": "Available", "status": "True"],
                ["type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"],
            ]
            let status: JSON = [
                "status": ["readyReplicas": 2, "availableReplicas": 2, "conditions": conditions]
            ]
            _ = try await world.cluster.patch(reference, subresource: "status", .merge, status, options: WriteOptions())
            return try await task.value
        }
        #expect(record.phase == .succeeded)
    }
}
