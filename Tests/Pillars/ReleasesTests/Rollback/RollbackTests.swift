// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports
import TestKit
import Testing

@testable import Releases

@Suite("which release a rollback goes back to")
struct RollbackChoiceTests {
    private func record(
        _ number: Int,
        _ phase: ReleaseRecord.Phase,
        back to: Int? = nil,
        in cluster: ClusterResult.Phase? = nil,
        of content: Character? = nil
    ) throws -> ReleaseRecord {
        var draft = ReleaseDraft(app: try World.file().app, waves: [[.local]])
        draft.image = "r/cart@\(ScriptedBuilder.digest(content ?? Character("\(to ?? number)")))"
        draft.rollbackTo = to
        var record = ReleaseRecord(
            draft,
            number: number,
            started: Timestamp(seconds: 0),
            keptIn: "shop",
            holder: World.holder,
            run: "r"
        )
        record.phase = phase
        if let cluster {
            record[.local]?.phase = cluster
            record[.local]?.isTouched = true
        }
        return record
    }

    private func target(_ history: [ReleaseRecord], _ number: Int? = nil) throws -> Int {
        try RollbackChoice.target(of: AppName("cart"), in: history.reversed(), to: number).number
    }

    @Test func withoutANumberItIsTheGoodOneBeforeTheOneThatServes() throws {
        #expect(try target([record(1, .succeeded), record(2, .failed), record(3, .succeeded)]) == 1)
    }

    @Test func theSameReleasedAgainIsNoPlaceToGoBackTo() throws {
        let same = try [
            record(1, .succeeded, of: "a"), record(2, .succeeded, of: "b"), record(3, .succeeded, of: "b"),
        ]
        #expect(try target(same) == 1)
        #expect(try target(same, 2) == 2, "unless it is asked for")
    }

    @Test func aRollbackStandsForWhatItWentBackTo() throws {
        let history = try [
            record(1, .succeeded), record(2, .succeeded), record(3, .succeeded), record(4, .succeeded, back: 2),
        ]
        #expect(try target(history) == 1, "not the bad 3 again")
        #expect(try target(history + [record(5, .succeeded)]) == 3, "a new release begins anew")
    }

    @Test(arguments: [ClusterResult.Phase.changing, .waiting, .owing, .stopped])
    func whatIsHalfWayGoesBackToTheNewestGoodOne(_ phase: ClusterResult.Phase) throws {
        let history = try [record(1, .succeeded), record(2, .succeeded), record(3, .interrupted, in: phase)]
        #expect(try target(history) == 2)
    }

    @Test func aFailedOneThatWasPutBackIsNotInTheWay() throws {
        let history = try [record(1, .succeeded), record(2, .succeeded), record(3, .failed, in: .undone)]
        #expect(try target(history) == 1)
        #expect(try target([record(1, .succeeded), record(2, .running)]) == 1, "a release under way is superseded")
    }

    @Test func whatCannotBeGoneBackToIsSaidWithWhatCan() throws {
        let history = try [record(1, .succeeded), record(2, .failed), record(3, .succeeded)]
        #expect(try target(history, 1) == 1)
        func error(_ history: [ReleaseRecord], _ number: Int? = nil) -> String {
            do {
                return "\(try target(history, number))"
            } catch {
                return "\(error)"
            }
        }
        #expect(
            error(history, 2) == "release cart-2 ended as Failed, so it is no place to go back to; good ones: 3, 1"
        )
        #expect(error(history, 9) == "there is no release cart-9 on record; good ones: 3, 1")
        #expect(error([]).hasPrefix("there is no release of 'cart' on record"))
        let (only, none) = try (error([record(1, .succeeded)]), error([record(1, .failed)]))
        #expect(only == "release cart-1 serves, and no good one before it is on record")
        #expect(none.hasPrefix("no release of 'cart' has succeeded so far"))
    }
}

@Suite("a rollback", .timeLimit(.minutes(5)))
struct RollbackTests {
    private static let waves = ", clusters: [[local], [prod-a]], bake: 1m, verify: { for: 1m }"
    private let cart = AppName("cart")

    /// Two good releases, `a` and `b`, in two clusters.
    private func released(_ deploy: String = ", clusters: [[local], [prod-a]]") async throws -> World {
        let world = World(clusters: ["prod-a"])
        try await world.running { world in
            _ = try await world.releaser().release(try World.file(deploy))
            world.builder.setContent("b")
            _ = try await world.releaser().release(try World.file(deploy + ", env: { NEW: 1 }"))
        }
        return world
    }

    @Test func itNeedsTheRecordAloneAndIsAReleaseOfItsOwn() async throws {
        let world = try await released()
        let runner = ScriptedRunner()
        let record = try await world.running { world in
            try await world.releaser(runner).rollback(cart, in: nil, to: nil)
        }
        #expect(runner.commands.isEmpty && world.registries.pushes.count == 2)
        #expect(world.content(of: "local") == "a" && world.content(of: "prod-a") == "a")
        #expect(record.number == 3 && record.rollbackTo == 1 && record.phase == .succeeded)
        #expect(record.stages.map(\.stage) == [.pods] && record.clusters.map(\.phase) == [.succeeded, .succeeded])
        let declared = try World.file(", clusters: [[local], [prod-a]]").app.object.spec
        #expect(world.cluster.all(.apps).first?.spec == declared)
        let stored = try #require(world.releases.last)
        #expect(stored.rollbackTo == 1 && stored.by == "ann@desk")
        await #expect(throws: Failure.self, "nothing before it") {
            _ = try await world.releaser().rollback(cart, in: nil, to: nil)
        }
    }

    @Test func itWaitsForNoWindowAndNoWave() async throws {
        let world = World(clusters: ["prod-a"])
        let (first, second) = (try World.file(Self.waves), try World.file(Self.waves + ", env: { NEW: 1 }"))
        try await world.running { world in
            for (place, file) in [first, second].enumerated() {
                world.builder.setContent(place == 0 ? "a" : "b")
                async let record = world.releaser().release(file)
                await world.time.pass(.seconds(2)) {
                    world.releases.last.map { $0.number == place + 1 && $0.phase == .succeeded } ?? false
                }
                _ = try await record
            }
            let start = world.time.now.offset
            _ = try await world.releaser().rollback(cart, in: nil, to: 1)
            #expect(world.time.now.offset == start)
        }
        #expect(world.content(of: "prod-a") == "a")
    }

    @Test func anImageThatTheRegistryNoLongerHasIsFoundFirst() async throws {
        let world = try await released()
        world.registries.forgetAll()
        let before = world.releases.count
        do {
            _ = try await world.releaser().rollback(cart, in: nil, to: 1)
            Issue.record("it went back to an image that is gone")
        } catch {
            #expect(
                "\(error)".hasPrefix(
                    "the image of release cart-1 is no longer in the registry (registry.test/shop/cart"
                ),
                "\(error)"
            )
        }
        #expect(world.releases.count == before && world.content(of: "local") == "b")
    }

    @Test func aClusterThatIsAwayKeepsNoOtherBack() async throws {
        let world = World(
            time: VirtualTime { $0 != .seconds(1) && $0 != ReleaseBook.look },
            clusters: ["prod-a"]
        )
        let gone = InterceptedCluster(try #require(world.others["prod-a"]).cluster) { _, _ in .refused(.unavailable) }
        try await world.running { world in
            for content in "ab" {
                world.builder.setContent(content)
                _ = try await world.releaser().release(
                    try World.file(", clusters: [local, prod-a], env: { A: \(content) }")
                )
            }
            let record = try await world.releaser(reaching: ["prod-a": gone]).rollback(cart, in: nil, to: nil)
            #expect(record.clusters.map(\.phase) == [.succeeded, .owing] && record.phase == .succeeded)
            #expect(record.message.hasSuffix("; later, once it answers, in 'prod-a'"), "\(record.message)")
            #expect(world.content(of: "local") == "a" && world.content(of: "prod-a") == "b")
            // Once it answers, it goes back too: not to the newest good release, which is the one that was bad.
            try await ReleaseSweeper(
                cluster: world.cluster,
                clusters: world.directory(),
                progress: world.progress,
                clock: world.time.wall,
                sleeper: world.time,
                hasEnded: { _ in nil }
            )
            .sweep(since: world.time.wall.now)
        }
        #expect(world.content(of: "local") == "a" && world.content(of: "prod-a") == "a")
        let last = try #require(world.releases.last)
        #expect(last.phase == .succeeded && last.clusters.map(\.phase) == [.succeeded, .succeeded])
        #expect(last.clusters.last?.message == "" && last.message.hasSuffix("; rolled back later in 'prod-a'"))
    }

    @Test func aClusterThatWasRemovedIsLeftOutOfIt() async throws {
        let world = try await released()
        let record = try await world.running { world in
            try await world.releaser(knowing: ["local"]).rollback(cart, in: nil, to: nil)
        }
        #expect(record.phase == .succeeded && record.clusters.map(\.cluster) == [.local])
        #expect(world.content(of: "local") == "a" && world.content(of: "prod-a") == "b")
        #expect(world.progress.lines.contains("no longer known, and left as it is: 'prod-a'"))
        let error = await world.failure { _ = try await world.releaser(knowing: []).rollback(cart, in: nil, to: 2) }
        #expect(error.hasPrefix("release cart-2 ran in 'local' and 'prod-a', which nobody knows any more"), "\(error)")
    }

    @Test func podsThatDoNotGetReadyAreSaidAndLeft() async throws {
        let world = try await released()
        world.others["prod-a"]?.simulator.set(.stuck(["phase": "Pending"]), for: "a")
        let error = try await world.running { world in
            async let failure = world.failure { _ = try await world.releaser().rollback(cart, in: nil, to: 1) }
            await world.time.pass(.seconds(1)) { world.releases.last?.phase == .failed }
            return await failure
        }
        #expect(
            error.hasPrefix("release cart-3 failed in the cluster 'prod-a': B501")
                && error.hasSuffix("it is left as it is, for you to look at"),
            "\(error)"
        )
        #expect(world.content(of: "local") == "a", "the other cluster has gone back")
    }

    @Test func aHundredRecordsAreKeptAndTheNewestGoodOneAlways() async throws {
        let world = World()
        let file = try World.file()
        let book = ReleaseBook.reader(
            world.cluster,
            world.time.wall,
            CallRetry(clock: world.time, progress: world.progress)
        )
        try await world.running { _ = try await $0.releaser().release(file) }
        for _ in 0..<105 {
            var record = try await book.open(ReleaseDraft(app: file.app, waves: [[.local]]))
            record.phase = .failed
            try await book.save(record)
        }
        try await book.forgetOld(cart, NamespaceName("shop"))
        let numbers = world.releases.map(\.number)
        #expect(numbers == [1] + Array(7...106), "\(numbers)")
        let next = try await world.running { try await $0.releaser().rollback(cart, in: nil, to: 1) }
        #expect(next.rollbackTo == 1)
    }
}
