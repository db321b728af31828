// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Model
import Synchronization
import Testing

@testable import KubeServer

/// A clock that stands still until it is moved.
final class HandClock: Sendable {
    private let moment = Mutex(Timestamp(seconds: 1_800_000_000))
    var wall: WallClock { WallClock { self.moment.withLock { $0 } } }
    func advance(by duration: Duration) { moment.withLock { $0 = $0 + duration } }
}

/// A folder of a test's own, removed at its end.
final class ScratchFolder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "ballast-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
    func file(_ name: String) -> String { "\(path)/\(name)" }
}

func text(_ object: StoredObject?) -> String? { object.map { String(decoding: $0.value, as: UTF8.self) } }

extension ObjectLog {
    /// Writes a text after the revision, such as `7:hello`.
    @discardableResult
    func put(_ key: String, _ value: String, expecting: LogExpectation = .any) async throws -> StoredObject {
        try await write(key, expecting: expecting) { Array("\($0):\(value)".utf8) }
    }

    @discardableResult
    func remove(_ key: String) async throws -> Revision {
        let current = try #require(try get(key))
        return try await delete(key, expecting: current.revision) { Array("\($0):gone".utf8) }
    }

    func events(_ count: Int, prefix: String = "/", after: Revision = .zero) async throws -> [LogEvent] {
        var events: [LogEvent] = []
        for await event in try watch(prefix: prefix, after: after) {
            events.append(event)
            if events.count == count { break }
        }
        return events
    }
}

@Suite("object log")
struct ObjectLogTests {
    let clock = HandClock()
    let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    func makeLog(_ name: String? = nil) throws -> ObjectLog {
        try ObjectLog(path: name.map(folder.file), clock: clock.wall)
    }

    @Test("a written object reads back with its revision, and keeps when it was created")
    func writeAndRead() async throws {
        let log = try makeLog()
        let first = try await log.put("/a", "one", expecting: .absent)
        let second = try await log.put("/a", "two", expecting: .revision(first.revision))
        #expect(first.revision == Revision(1))
        #expect(
            second == StoredObject(key: "/a", value: Array("2:two".utf8), revision: Revision(2), created: Revision(1))
        )
        #expect(try log.get("/a") == second)
        #expect(try log.get("/b") == nil)
        #expect(log.revision == Revision(2))
    }

    @Test("a wrong expectation changes nothing and hands back what is there")
    func conflicts() async throws {
        let log = try makeLog()
        let stored = try await log.put("/a", "one")
        for wrong in [LogExpectation.absent, .revision(Revision(7))] {
            let conflict = await #expect(throws: LogConflict.self) { try await log.put("/a", "two", expecting: wrong) }
            #expect(conflict?.current == stored)
        }
        let missing = await #expect(throws: LogConflict.self) {
            try await log.delete("/none", expecting: Revision(1)) { _ in [] }
        }
        #expect(missing?.current == nil)
        #expect(log.revision == Revision(1))
    }

    @Test("a list is sorted, paged, and later pages show the revision of the first", arguments: [nil, "log.db"])
    func paging(_ file: String?) async throws {
        let log = try makeLog(file)
        for name in ["/p/d", "/p/b", "/q/x", "/p/a", "/p/c", "/p0"] { try await log.put(name, "old") }
        let first = try log.list(prefix: "/p/", limit: 2)
        #expect(first.items.map(\.key) == ["/p/a", "/p/b"])
        #expect(first.remaining == 2)

        try await log.put("/p/c", "new")
        try await log.remove("/p/d")
        try await log.put("/p/bb", "new")
        let second = try log.list(prefix: "/p/", at: first.revision, after: "/p/b", limit: 1)
        #expect(second.items.map(text) == ["5:old"])
        #expect(second.remaining == 1)
        #expect(second.revision == first.revision)
        let third = try log.list(prefix: "/p/", at: first.revision, after: "/p/c", limit: 2)
        #expect(third.items.map(\.key) == ["/p/d"])
        #expect(third.remaining == 0)
        #expect(try log.list(prefix: "/p/").items.map(\.key) == ["/p/a", "/p/b", "/p/bb", "/p/c"])
        #expect(throws: LogError.future(current: Revision(9))) { try log.list(prefix: "/", at: Revision(10)) }
    }

    @Test("a watch reports history and what comes, in order, with the version before")
    func watching() async throws {
        let log = try makeLog()
        try await log.put("/a/1", "x")
        try await log.put("/b/1", "y")
        async let seen = log.events(4, prefix: "/a/")
        try await log.put("/a/1", "z")
        try await log.put("/b/2", "y")
        try await log.remove("/a/1")
        try await log.put("/a/1", "again")
        let events = try await seen
        #expect(events.map(\.kind) == [.created, .updated, .deleted, .created])
        #expect(events.map(\.revision.number) == [1, 3, 5, 6])
        #expect(events.map { $0.previous.map { String(decoding: $0, as: UTF8.self) } } == [nil, "1:x", "3:z", nil])
        #expect(String(decoding: events[2].value, as: UTF8.self) == "5:gone")
    }

    @Test("many writers and watches: every watch sees every change once and in order")
    func concurrency() async throws {
        let log = try makeLog("log.db")
        async let early = log.events(400)
        try await withThrowingTaskGroup { group in
            for writer in 0..<8 {
                group.addTask { for number in 0..<50 { try await log.put("/w\(writer)/\(number % 7)", "\(number)") } }
            }
            try await group.waitForAll()
        }
        let (live, replayed) = (try await early, try await log.events(400))
        #expect(live.map(\.revision.number) == Array(1...400))
        #expect(live == replayed)
    }

    @Test("a reader of old history is given few large events at a time, and all of them in order")
    func pagesAreBoundedByBytes() async throws {
        let log = try ObjectLog(path: folder.file("log"), clock: clock.wall)
        let large = String(repeating: "x", count: 200_000)
        for number in 0..<60 { try await log.put(number % 3 == 0 ? "/b/\(number)" : "/a/one", large) }
        let page = try log.database.events(
            prefix: "/a/",
            after: .zero,
            through: log.revision,
            limit: 256,
            byteLimit: 1_000_000
        )
        #expect(page.events.count == 3 && page.upTo == page.events.last?.revision)
        #expect(log.recentEvents(prefix: "/", after: .zero, limit: 256, bytes: 1 << 20) == nil)
        let start = Revision(log.revision.number - 12)
        let recent = try #require(log.recentEvents(prefix: "/", after: start, limit: 256, bytes: 1_000_000))
        #expect(recent.events.count < 6 && recent.upTo == recent.events.last?.revision)

        let read = try await log.events(40, prefix: "/a/")
        #expect(read.count == 40 && read.map(\.revision) == read.map(\.revision).sorted())
        #expect(Set(read.map(\.key)) == ["/a/one"])
    }

    @Test("a slow reader loses nothing while history lasts, and its stream ends when it is gone")
    func slowReader() async throws {
        let log = try makeLog()
        var iterator = try log.watch(prefix: "/", after: .zero).makeAsyncIterator()
        for number in 1...5000 { try await log.put("/\(number % 10)", "\(number)") }
        #expect(await iterator.next()?.revision == Revision(1))
        for number in 2...300 { #expect(await iterator.next()?.revision == Revision(Int64(number))) }

        clock.advance(by: .seconds(301))
        try await log.put("/0", "later")
        clock.advance(by: .seconds(301))
        try await log.compact()
        var rest = 0
        while let event = await iterator.next() {
            rest += 1
            #expect(event.revision == Revision(Int64(300 + rest)))
        }
        #expect(rest < 256)
    }

    @Test("a cancelled watch ends; so do all when the log closes")
    func endings() async throws {
        let log = try makeLog()
        let stream = try log.watch(prefix: "/", after: .zero)
        let reader = Task { for await _ in stream {} }  // cancelled below
        reader.cancel()
        await reader.value
        let other = try log.watch(prefix: "/", after: .zero)
        async let ended: Void = { for await _ in other {} }()
        await log.close()
        await ended
        await #expect(throws: LogError.closed) { try await log.put("/a", "late") }
    }

    @Test("progress reaches a watch whose objects do not change, with the newest revision")
    func progress() async throws {
        let log = try makeLog()
        var iterator = try log.watch(prefix: "/quiet/", after: .zero).makeAsyncIterator()
        try await log.put("/loud/1", "x")
        try await log.put("/loud/2", "x")
        let ticker = Task {  // reports until the watch, which may not wait yet, has heard it
            while !Task.isCancelled {
                log.reportProgress()
                await Task.yield()
            }
        }
        #expect(await iterator.next() == LogEvent(.progress, at: Revision(2)))
        ticker.cancel()
        await ticker.value
    }

    @Test("keys outside ASCII are refused")
    func badKeys() async throws {
        let log = try makeLog()
        for key in ["", "/é"] {
            await #expect(throws: LogError.badKey(key)) { try await log.put(key, "x") }
        }
    }
}
