// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports
import TestKit
import Testing

@testable import Releases

/// A release of two waves whose process is killed: its task hangs, and everybody believes that its process has ended.
@Suite("a release that was killed", .timeLimit(.minutes(5)))
struct AdoptionTests {
    private static let waves = ", clusters: [[local], [prod-a]]"

    private func world() -> World { World(clusters: ["prod-a"]) }

    private func sweeper(
        _ world: World,
        reaching: [String: any ClusterAPI] = [:],
        knowing: Set<String>? = nil
    ) -> ReleaseSweeper {
        ReleaseSweeper(
            cluster: world.cluster,
            clusters: world.directory(nil, reaching, knowing),
            progress: world.progress,
            clock: world.time.wall,
            sleeper: world.time,
            holder: ReleaseHolder(host: "home", scope: "boot", process: 1, started: "1"),
            hasEnded: { $0.process == 42 }
        )
    }

    /// The record as the killed process left it, with these phases of the clusters.
    private func kill(_ world: World, _ phases: [ClusterResult.Phase], content: Character) async throws {
        let book = ReleaseBook(
            cluster: world.cluster,
            clock: world.time.wall,
            retry: CallRetry(clock: world.time, progress: world.progress),
            holder: World.holder,
            run: "killed",
            hasEnded: { _ in nil }
        )
        var draft = ReleaseDraft(
            app: try World.file(Self.waves + ", env: { NEW: 1 }").app,
            waves: [[.local], [ClusterName("prod-a")]]
        )
        draft.image = "localhost:5000/shop/cart@\(ScriptedBuilder.digest(content))"
        var record = try await book.open(draft)
        for (place, phase) in phases.enumerated() {
            record.clusters[place].phase = phase
            record.clusters[place].isTouched = phase != .pending
            guard phase != .pending else { continue }
            let name = record.clusters[place].cluster.text
            let kit = FleetKit(
                home: world.cluster,
                clusters: world.directory(),
                signals: { _ in [] },
                progress: world.progress,
                clock: world.time.wall,
                sleeper: world.time
            )
            let api = try await world.directory().cluster(named: name)
            _ = try await kit.pods(api, ClusterName(name), world.progress).apply(
                draft.app,
                image: draft.image ?? "",
                pullSecret: nil
            )
        }
        try await book.save(record)
    }

    @Test func whatWasHalfWayIsPutBackByTheSweeper() async throws {
        let world = world()
        try await world.running { world in
            _ = try await world.releaser().release(try World.file(Self.waves))
            try await kill(world, [.succeeded, .changing], content: "b")
            #expect(world.content(of: "local") == "b" && world.content(of: "prod-a") == "b")
            try await sweeper(world).sweep(since: world.time.wall.now)
        }
        #expect(world.content(of: "local") == "a" && world.content(of: "prod-a") == "a")
        let record = try #require(world.releases.last)
        #expect(record.phase == .interrupted && record.clusters.map(\.phase) == [.undone, .undone])
        #expect(
            record.message
                == "process 42 on desk ended without a word; rolled back to release 1 in 'local' and 'prod-a'"
        )
        #expect(world.cluster.all(.apps).first?.spec == (try World.file(Self.waves)).app.object.spec)
    }

    @Test func whatOnlyHadToBeVerifiedIsFinished() async throws {
        let world = world()
        try await world.running { world in
            _ = try await world.releaser().release(try World.file(Self.waves))
            try await kill(world, [.succeeded, .verifying], content: "b")
            try await sweeper(world).sweep(since: world.time.wall.now)
        }
        #expect(world.content(of: "local") == "b" && world.content(of: "prod-a") == "b")
        let record = try #require(world.releases.last)
        #expect(record.phase == .succeeded && record.clusters.map(\.phase) == [.succeeded, .succeeded])
        #expect(record.message.hasSuffix("finished after process 42 on desk ended without a word"))
    }

    @Test func whatHadChangedNothingIsClosedAlone() async throws {
        let world = world()
        try await kill(world, [.pending, .pending], content: "b")
        try await sweeper(world).sweep(since: world.time.wall.now)
        #expect(world.releases.map(\.phase) == [.interrupted] && world.cluster.all(.deployments).isEmpty)
    }

    @Test func aReleaseIsAdoptedByOneOnly() async throws {
        let world = world()
        try await world.running { world in
            _ = try await world.releaser().release(try World.file(Self.waves))
            try await kill(world, [.succeeded, .changing], content: "b")
            async let first: Void = sweeper(world).sweep(since: world.time.wall.now)
            async let second: Void = sweeper(world).sweep(since: world.time.wall.now)
            _ = try await (first, second)
        }
        #expect(world.progress.lines.count { $0.hasPrefix("going back") } == 1)
        #expect(world.releases.map(\.phase) == [.succeeded, .interrupted])
    }

    @Test func theNextReleaseTakesOverWhatWasKilledAndPutsBackWhereItChangesNothing() async throws {
        let world = world()
        try await world.running { world in
            _ = try await world.releaser().release(try World.file(Self.waves))
            try await kill(world, [.succeeded, .changing], content: "b")
            world.builder.setContent("c")
            let file = try World.file(Self.waves)
            let record = try await world.releaser(hasEnded: { $0.process == 42 && $0.host == "desk" })
                .release(file, to: [.local])
            #expect(record.phase == .succeeded && record.number == 3)
        }
        #expect(world.content(of: "local") == "c" && world.content(of: "prod-a") == "a")
        #expect(world.releases.map(\.phase) == [.succeeded, .interrupted, .succeeded])
    }

    @Test func aClusterThatCouldNotBePutBackIsTriedAgain() async throws {
        let world = World(
            time: VirtualTime { $0 != .seconds(1) && $0 != ReleaseBook.look },
            clusters: ["prod-a"]
        )
        let gone = InterceptedCluster(try #require(world.others["prod-a"]).cluster) { _, _ in .refused(.unavailable) }
        try await world.running { world in
            _ = try await world.releaser().release(try World.file(Self.waves))
            try await kill(world, [.succeeded, .changing], content: "b")
            try await sweeper(world, reaching: ["prod-a": gone]).sweep(since: world.time.wall.now)
            #expect(world.releases.last?.clusters.map(\.phase) == [.undone, .owing])
            #expect(world.content(of: "prod-a") == "b")
            try await sweeper(world).sweep(since: world.time.wall.now)
        }
        #expect(world.content(of: "prod-a") == "a")
        #expect(world.releases.last?.clusters.map(\.phase) == [.undone, .undone])
        #expect(world.releases.last?.message.hasSuffix("; rolled back later in 'prod-a'") == true)
        #expect(world.releases.last?.clusters.last?.message == "")
    }

    @Test func whatIsOwedToAClusterThatWasRemovedEndsThere() async throws {
        let world = World(
            time: VirtualTime { $0 != .seconds(1) && $0 != ReleaseBook.look },
            clusters: ["prod-a"]
        )
        let gone = InterceptedCluster(try #require(world.others["prod-a"]).cluster) { _, _ in .refused(.unavailable) }
        try await world.running { world in
            _ = try await world.releaser().release(try World.file(Self.waves))
            try await kill(world, [.succeeded, .changing], content: "b")
            try await sweeper(world, reaching: ["prod-a": gone]).sweep(since: world.time.wall.now)
            #expect(marked(world) == [2] && world.releases.last?.clusters.last?.phase == .owing)
            try await sweeper(world, knowing: ["local"]).sweep(since: world.time.wall.now)
        }
        #expect(world.releases.last?.clusters.map(\.phase) == [.undone, .left] && marked(world) == [])
        #expect(world.releases.last?.message.hasSuffix("; no longer known: 'prod-a'") == true)
        #expect(world.releases.last?.phase == .interrupted)
    }

    private func marked(_ world: World) -> [Int] {
        world.cluster.all(.releases).filter { $0.labels[ReleaseRecord.openLabel] != nil }
            .compactMap { ReleaseRecord($0)?.number }
    }

    @Test func whoLooksAfterReleasesReadsTheOpenOnesAlone() async throws {
        let world = World(
            time: VirtualTime { $0 != .seconds(1) && $0 != ReleaseBook.look && $0 != ReleaseSweeper.period },
            clusters: ["prod-a"]
        )
        let gone = InterceptedCluster(try #require(world.others["prod-a"]).cluster) { _, _ in .refused(.unavailable) }
        try await world.running { world in
            _ = try await world.releaser().release(try World.file(Self.waves))
            #expect(marked(world) == [])
            try await kill(world, [.succeeded, .changing], content: "b")
            #expect(marked(world) == [2])
            try await sweeper(world, reaching: ["prod-a": gone]).sweep(since: world.time.wall.now)
            #expect(marked(world) == [2], "it owes prod-a something")
            // The first look sees all; the debt is paid at a later one, by its mark.
            let reads = InterceptedCluster(world.cluster)
            let sweeper = ReleaseSweeper(
                cluster: reads,
                clusters: world.directory(),
                progress: world.progress,
                clock: world.time.wall,
                sleeper: world.time,
                holder: ReleaseHolder(host: "home", scope: "boot", process: 1, started: "1"),
                hasEnded: { $0.process == 42 }
            )
            let running = Task { try await sweeper.run() }
            await world.time.pass(.seconds(1)) { world.releases.last?.clusters.last?.phase == .undone }
            #expect(world.content(of: "prod-a") == "a")
            try await kill(world, [.succeeded, .changing], content: "b")
            await world.time.pass(.seconds(1)) { world.releases.last?.phase == .interrupted }
            await world.time.pass(.seconds(1)) { marked(world).isEmpty }
            running.cancel()
            _ = try? await running.value
            #expect(world.releases.map(\.phase) == [.succeeded, .interrupted, .interrupted])
        }
        #expect(world.content(of: "local") == "a" && world.content(of: "prod-a") == "a")
    }

    @Test func aNewerReleaseWaitsForDebtsThatAreBeingPaidAndWins() async throws {
        let world = World(
            time: VirtualTime { $0 != .seconds(1) && $0 != ReleaseBook.look },
            clusters: ["prod-a"]
        )
        let prod = try #require(world.others["prod-a"]).cluster
        let gone = InterceptedCluster(prod) { _, _ in .refused(.unavailable) }
        // What pays is held in its middle.
        let (isHeld, isFree) = (Switch(), Switch())
        let slow = InterceptedCluster(
            prod,
            afterReads: {
                isHeld.turnOn()
                while !isFree.isOn, !Task.isCancelled { await VirtualTime.breathe() }
            }
        )
        try await world.running { world in
            _ = try await world.releaser().release(try World.file(Self.waves))
            try await kill(world, [.succeeded, .changing], content: "b")
            try await sweeper(world, reaching: ["prod-a": gone]).sweep(since: world.time.wall.now)
            #expect(world.releases.last?.clusters.last?.phase == .owing && world.releases.last?.phase == .interrupted)
            async let paying: Void = sweeper(world, reaching: ["prod-a": slow]).sweep(since: world.time.wall.now)
            while !isHeld.isOn, !Task.isCancelled { await VirtualTime.breathe() }
            world.builder.setContent("c")
            let file = try World.file(Self.waves)
            async let newer = world.releaser().release(file)
            await world.progress.wait(for: "waiting for release cart-2 (process 1 on home) to stop")
            #expect(world.content(of: "prod-a") == "b", "nobody changes it beside the other")
            await world.time.pass(.seconds(1)) { world.releases.last?.phase == .succeeded }
            isFree.turnOn()
            _ = try await (newer, paying)
        }
        #expect(world.content(of: "local") == "c" && world.content(of: "prod-a") == "c")
        #expect(world.releases.map(\.phase) == [.succeeded, .interrupted, .succeeded])
    }

    @Test func aProcessThatWakesUpAfterItsReleaseWasTakenOverTouchesNothingMore() async throws {
        let world = World()
        let file = try World.file()
        world.simulator.set(.stuck(["phase": "Pending"]), for: "b")
        try await world.running { world in
            _ = try await world.releaser().release(file)
            world.builder.setContent("b")
            async let slept = world.failure(of: world.releaser(), file)
            await world.progress.wait(for: "cart-2-1: Pending")
            async let sweep: Void = sweeper(world).sweep(since: world.time.wall.now)
            while world.releases.last?.holder?.process == 42, !Task.isCancelled { await VirtualTime.breathe() }
            // Its pods were not ready yet, so it is put back.
            await world.time.pass(.seconds(1)) { world.releases.last?.phase != .running }
            try await sweep
            #expect(world.releases.last?.phase == .interrupted && world.content(of: "local") == "a")
            #expect(await slept.hasPrefix("the record of release cart-2 was closed by somebody else"))
        }
    }

    @Test func oneWhoseRecordIsTakenAwayStopsAtItsNextLook() async throws {
        let world = World()
        let file = try World.file()
        let hasEnded = Switch()
        async let error = {
            let words = await world.failure(of: world.releaser(ScriptedRunner(["unit-tests": .hangs])), file)
            hasEnded.turnOn()
            return words
        }()
        await world.progress.wait(for: "hanging")
        let mine = try #require(world.releases.first)
        #expect(try await book(world, run: "other").close(mine.abandoned))
        let start = world.time.now.offset
        // Its test hangs for good: nothing but the look ends it.
        await world.time.pass(ReleaseBook.look) { hasEnded.isOn }
        #expect(world.time.now.offset - start <= ReleaseBook.look * 4)
        #expect(await error.hasPrefix("the record of release cart-1 was closed by somebody else"))
    }

    private func book(_ world: World, run: String) -> ReleaseBook {
        ReleaseBook(
            cluster: world.cluster,
            clock: world.time.wall,
            retry: CallRetry(clock: world.time, progress: world.progress),
            holder: World.holder,
            run: run,
            hasEnded: { _ in nil }
        )
    }

    /// Neither the one that was adopted nor the one that the next release closed.
    @Test(arguments: [true, false])
    func whoWakesUpCannotWriteARecordThatIsNoLongerItsOwn(_ isAdopted: Bool) async throws {
        let world = World()
        let (asleep, other) = (book(world, run: "asleep"), book(world, run: "other"))
        var mine = try await asleep.open(ReleaseDraft(app: try World.file().app, waves: [[.local]]))
        if isAdopted {
            _ = try #require(try await other.adopt(mine))
        } else {
            #expect(try await other.close(mine.abandoned))
        }
        let before = world.cluster.all(.releases)
        (mine.phase, mine.message, mine.image) = (.succeeded, "all is well", "r/cart@sha256:1")
        await #expect(throws: ReleaseBook.Lost.self) { try await asleep.save(mine) }
        await #expect(throws: ReleaseBook.Lost.self) { try await asleep.demandHeld(mine) }
        #expect(world.cluster.all(.releases) == before)
    }

    @Test func aWriteInBetweenIsLookedAtBeforeOurs() async throws {
        let world = World(time: VirtualTime { _ in true })
        let other = book(world, run: "other")
        let mine = try await book(world, run: "mine").open(ReleaseDraft(app: try World.file().app, waves: [[.local]]))
        // Taken over between our look and our write.
        let reads = Switch()
        let racing = InterceptedCluster(
            world.cluster,
            afterReads: {
                guard !reads.isOn else { return }
                reads.turnOn()
                _ = try? await other.adopt(mine)
            }
        )
        var book = book(world, run: "mine")
        book.cluster = racing
        let racer = book
        await #expect(throws: ReleaseBook.Lost.self) { try await racer.save(mine) }
        #expect(world.releases.first?.run == "other")
    }
}
