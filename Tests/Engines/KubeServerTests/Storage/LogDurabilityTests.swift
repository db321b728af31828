// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Model
import Synchronization
import Testing

@testable import KubeServer

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

@Suite("object log on disk", .timeLimit(.minutes(3)))
struct LogDurabilityTests {
    let clock = HandClock()
    let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    func open(_ name: String = "log.db") throws -> ObjectLog {
        try ObjectLog(path: folder.file(name), clock: clock.wall)
    }

    @Test("a reopened log has every object, its history, and goes on counting where it stopped")
    func reopens() async throws {
        do {
            let log = try open()
            for number in 1...20 { try await log.put("/\(number % 7)", "\(number)") }
            try await log.remove("/3")
            await log.close()
        }
        let log = try open()
        #expect(log.revision == Revision(21))
        #expect(try log.list(prefix: "/").items.map(\.key) == ["/0", "/1", "/2", "/4", "/5", "/6"])
        #expect(text(try log.get("/6")) == "20:20")
        #expect(try log.get("/6")?.created == Revision(6))
        #expect(try await log.events(21).map(\.revision.number) == Array(1...21))
        #expect(try await log.put("/new", "x").revision == Revision(22))
    }

    @Test("a server that is closed leaves one whole file, and answers writes with 503")
    func closedServer() async throws {
        let log = try open()
        let server = try KubernetesServer(log: log, clock: clock.wall)
        try await server.bootstrap()
        let ahead = folder.file("log.db-wal")
        #expect(FileManager.default.fileExists(atPath: ahead))
        let written = log.revision
        await server.close()
        #expect(!FileManager.default.fileExists(atPath: ahead), "everything is in the file itself")
        let body: JSON = ["metadata": ["name": "late"]]
        let answer = await server.answer(
            APIRequest(
                method: "POST",
                path: "/api/v1/namespaces",
                query: [],
                accept: "",
                contentType: "",
                body: body.bytes,
                user: TestServer.admin
            )
        )
        #expect(answer.status == 503)
        #expect(answer.message == "the server is shutting down")
        #expect(try open().revision == written)
    }

    @Test("a second log on the same file is refused while the first one is open, with the file's name")
    func secondOpener() async throws {
        let log = try open()
        let error = #expect(throws: LogError.self) { try open() }
        #expect(error?.description.contains(folder.file("log.db")) == true)
        #expect(error?.description.contains("in use") == true)
        await log.close()
        // Closed, it lets go even while it is still read from.
        _ = try open()
        #expect(log.revision == .zero)
    }

    @Test("killed while eight writers write, it has lost nothing that was acknowledged", arguments: [3, 40, 300])
    func killed(_ acknowledgements: Int) async throws {
        let path = folder.file("log.db")
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = path as String, acknowledgements = acknowledgements as Int] in
            try await DoomedWriters(path: path, end: acknowledgements).run()
        }
        let log = try open()
        let events = try await log.events(Int(log.revision.number))
        #expect(events.map(\.revision.number) == Array(1...log.revision.number))
        let lines = try String(decoding: Data(contentsOf: URL(filePath: "\(path).acks")), as: UTF8.self).split(
            separator: "\n"
        )
        #expect(lines.count >= acknowledgements)
        for line in lines {
            let parts = line.split(separator: " ").map(String.init)
            let event = try #require(Int(parts[0]).map { events[$0 - 1] })
            #expect(event.key == parts[1])
            #expect(String(decoding: event.value, as: UTF8.self) == "\(parts[0]):\(parts[2])")
        }
    }

    // MARK: Damage

    /// The files of a log with `count` writes of which most are still in the write-ahead file, as a crash leaves them.
    func crashImage(_ count: Int) async throws -> (main: [UInt8], ahead: [UInt8]) {
        let log = try open("victim.db")
        for number in 1...count { try await log.put("/k\(number % 5)", String(repeating: "v", count: 300)) }
        let main = try Data(contentsOf: URL(filePath: folder.file("victim.db")))
        let ahead = try Data(contentsOf: URL(filePath: folder.file("victim.db-wal")))
        return (Array(main), Array(ahead))
    }

    /// Opens such files; returns the last revision, having checked that all before it is there.
    func openImage(_ main: [UInt8], _ ahead: [UInt8]) async throws -> Int64 {
        let name = UUID().uuidString
        try Data(main).write(to: URL(filePath: folder.file(name)))
        try Data(ahead).write(to: URL(filePath: folder.file("\(name)-wal")))
        let log = try open(name)
        let last = log.revision.number
        if last > 0 {
            let events = try await log.events(Int(last))
            #expect(events.map(\.revision.number) == Array(1...last))
        }
        for object in try log.list(prefix: "/").items {
            #expect(object.value.count == 300 + "\(object.revision):".utf8.count)
        }
        return last
    }

    @Test("a write-ahead file cut off anywhere gives an earlier state of the log, never a torn one")
    func truncation() async throws {
        let image = try await crashImage(30)
        #expect(try await openImage(image.main, image.ahead) == 30)
        var last: Int64 = 30
        for length in stride(from: image.ahead.count, to: 0, by: -997) {
            let found = try await openImage(image.main, Array(image.ahead[..<length]))
            #expect(found <= last)
            last = found
        }
        #expect(last < 5)
    }

    @Test("a flipped byte in the write-ahead file is an error that names the file, unless it hit the last commit")
    func flippedAhead() async throws {
        let image = try await crashImage(12)
        var refused = 0
        for place in Array(0..<64) + Array(stride(from: 64, to: image.ahead.count, by: 1511)) {
            var ahead = image.ahead
            ahead[place] ^= 0x40
            do {
                let last = try await openImage(image.main, ahead)
                #expect(last >= 11, "byte \(place)")
            } catch let error as LogError {
                #expect(error.description.contains(folder.path), "byte \(place)")
                refused += 1
            }
        }
        #expect(refused > 20)
    }

    @Test("a flipped byte in the database is an error that names the file, or changes nothing")
    func flippedMain() async throws {
        do {
            let log = try open("whole.db")
            for number in 1...60 { try await log.put("/k\(number % 40)", String(repeating: "v", count: 300)) }
            await log.close()
        }
        // Without a connection left, SQLite has moved all into the database itself.
        let main = Array(try Data(contentsOf: URL(filePath: folder.file("whole.db"))))
        #expect(try await openImage(main, []) == 60)
        var refused = 0
        for place in stride(from: 3, to: main.count, by: 211) {
            var damaged = main
            damaged[place] ^= 0x11
            do {
                let last = try await openImage(damaged, [])
                #expect(last == 60, "byte \(place)")
            } catch let error as LogError {
                #expect(error.description.contains(folder.path), "byte \(place)")
                refused += 1
            }
        }
        #expect(refused > 50)
    }

    @Test("what is no database, or another program's, is refused with the next step")
    func foreignFiles() throws {
        try Data("this is no database, it is a letter to the reader of tests".utf8).write(
            to: URL(filePath: folder.file("x.db"))
        )
        let error = #expect(throws: LogError.self) { try open("x.db") }
        #expect(error?.description.contains("is damaged") == true)
        #expect(throws: LogError.self) { try ObjectLog(path: folder.file("no/such/folder/x.db"), clock: clock.wall) }
    }

    // MARK: Compaction

    @Test("history older than five minutes goes, each key's newest version stays, and revisions go on")
    func compaction() async throws {
        let log = try open()
        for number in 1...50 { try await log.put("/\(number % 5)", "\(number)") }
        try await log.remove("/4")
        clock.advance(by: .seconds(200))
        let middle = try await log.put("/0", "later").revision
        clock.advance(by: .seconds(150))
        try await log.compact()
        #expect(throws: LogError.compacted(oldest: Revision(51))) { try log.watch(prefix: "/", after: Revision(50)) }
        #expect(throws: LogError.compacted(oldest: Revision(51))) { try log.list(prefix: "/", at: Revision(7)) }
        #expect(try log.list(prefix: "/").items.map(\.key) == ["/0", "/1", "/2", "/3"])
        let kept = try await log.events(1, after: Revision(51))
        #expect(kept.first?.revision == middle)
        #expect(kept.first?.previous.map { String(decoding: $0, as: UTF8.self) } == "50:50")
        let past = try log.list(prefix: "/", at: Revision(51))
        #expect(past.items.map(text) == ["50:50", "46:46", "47:47", "48:48"])
    }

    @Test("writes compact by themselves, and after all is gone and reopened the count still goes on")
    func compactsEverything() async throws {
        do {
            let log = try open()
            for number in 1...10 { try await log.put("/only", "\(number)") }
            try await log.remove("/only")
            clock.advance(by: .seconds(301))
            try await log.put("/other", "x")
            clock.advance(by: .seconds(301))
            let last = try #require(try log.get("/other"))
            try await log.delete("/other", expecting: last.revision) { _ in [] }
            // Compaction follows the commit that brought it about.
            while log.oldestRevision != Revision(12) { await Task.yield() }
            clock.advance(by: .seconds(302))
            try await log.compact()
            #expect(try log.list(prefix: "/").items.isEmpty)
            await log.close()
        }
        let log = try open()
        #expect(log.revision == Revision(13))
        #expect(log.oldestRevision == Revision(13))
        #expect(try await log.put("/next", "x").revision == Revision(14))
    }

    @Test("a list of the past equals the list that was taken then, whatever happened since")
    func pastLists() async throws {
        let log = try open()
        var taken: [(Revision, [StoredObject])] = []
        var seed: UInt64 = 7
        for _ in 0..<200 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let key = "/\(seed >> 33 % 13)"
            if seed >> 60 < 4, try log.get(key) != nil {
                try await log.remove(key)
            } else {
                try await log.put(key, "x")
            }
            let now = try log.list(prefix: "/")
            taken.append((now.revision, now.items))
        }
        for (revision, items) in taken {
            #expect(try log.list(prefix: "/", at: revision).items == items)
            var paged: [StoredObject] = []
            repeat {
                let page = try log.list(prefix: "/", at: revision, after: paged.last?.key, limit: 3)
                paged += page.items
                #expect(page.remaining == items.count - paged.count)
                if page.items.isEmpty { break }
            } while paged.count < items.count
            #expect(paged == items)
        }
    }
}

/// Writers that note each acknowledged write in a file beside the log, and kill their process after the last.
private final class DoomedWriters: Sendable {
    private let log: ObjectLog
    private let acknowledgements: Int32
    private let left: Mutex<Int>

    init(path: String, end: Int) throws {
        log = try ObjectLog(path: path, clock: WallClock { Timestamp(seconds: 0) })
        acknowledgements = unsafe Glibc.open("\(path).acks", O_CREAT | O_WRONLY | O_APPEND, 0o600)
        left = Mutex(end)
    }

    func run() async throws {
        try await withThrowingTaskGroup { group in
            for writer in 0..<8 {
                group.addTask { for number in 0... { try await self.write("/w\(writer)/\(number % 50)", number) } }
            }
            try await group.waitForAll()
        }
    }

    private func write(_ key: String, _ number: Int) async throws {
        let stored = try await log.put(key, "\(number)")
        let line = Array("\(stored.revision) \(key) \(number)\n".utf8)
        _ = unsafe Glibc.write(acknowledgements, line, line.count)
        let isLast = left.withLock { left in
            left -= 1
            return left == 0
        }
        if isLast { kill(getpid(), SIGKILL) }
    }
}

@Suite("object index")
struct ObjectIndexTests {
    @Test("it agrees with a sorted dictionary through thousands of random steps, and its copies stay as they were")
    func agreesWithModel() {
        var index = ObjectIndex()
        var model: [String: Int64] = [:]
        var copies: [(ObjectIndex, [String: Int64])] = []
        var seed: UInt64 = 1
        for step in 0..<6000 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let key = "/k\(seed >> 33 % 1500)"
            if seed >> 61 == 0 {
                index.remove(key)
                model[key] = nil
            } else {
                index.set(StoredObject(key: key, value: [], revision: Revision(Int64(step)), created: .zero))
                model[key] = Int64(step)
            }
            if step % 1000 == 0 { copies.append((index, model)) }
        }
        for (index, model) in copies + [(index, model)] {
            #expect(index.count == model.count)
            let all = index.page(prefix: "", after: nil, limit: nil).items
            #expect(all.map(\.key) == model.keys.sorted())
            #expect(all.allSatisfy { model[$0.key] == $0.revision.number && index[$0.key] == $0 })
            let some = index.page(prefix: "/k1", after: "/k12", limit: 10)
            let expected = model.keys.filter { $0.hasPrefix("/k1") && $0 > "/k12" }.sorted()
            #expect(some.items.map(\.key) == Array(expected.prefix(10)))
            #expect(some.remaining == max(0, expected.count - 10))
        }
    }
}
