// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Ports
import Synchronization
import TestKit
import Testing

@testable import KubernetesClient

@Suite("watching over a socket")
struct WatchTests {
    private static let query = ListQuery(.configMaps, namespace: "shop")

    private static func event(_ type: String, _ name: String, _ version: Int) -> String {
        #"{"type":"\#(type)","object":{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"\#(name)","namespace":"shop","uid":"\#(name)","resourceVersion":"\#(version)"}}}"#
            + "\n"
    }

    private static func list(_ version: Int, _ names: [String], continuation: String = "") -> String {
        let items = names.map {
            #"{"metadata":{"name":"\#($0)","namespace":"shop","uid":"\#($0)","resourceVersion":"\#(version)"}}"#
        }
        return
            #"{"kind":"ConfigMapList","metadata":{"resourceVersion":"\#(version)","continue":"\#(continuation)"},"items":[\#(items.joined(separator: ","))]}"#
    }

    private static let expired =
        #"{"kind":"Status","apiVersion":"v1","code":410,"reason":"Expired","message":"too old"}"#

    private func withClient<Value>(
        _ server: WireServer,
        limits: Limits = Limits(deadline: .seconds(20)),
        _ work: (KubernetesClient) async throws -> Value
    ) async throws -> Value {
        let client = try KubernetesClient(KubeConfig(server: server.url), limits: limits) { _ in }
        do {
            let value = try await work(client)
            await client.shutdown()
            return value
        } catch {
            await client.shutdown()
            throw error
        }
    }

    private func words(_ events: AsyncThrowingStream<WatchEvent, any Error>) async throws -> [String] {
        var words: [String] = []
        for try await event in events {
            switch event {
            case .added(let object): words.append("+\(object.name)")
            case .modified(let object): words.append("~\(object.name)")
            case .deleted(let object): words.append("-\(object.name)")
            case .bookmark(let version): words.append("@\(version)")
            }
        }
        return words
    }

    @Test("events are read whole however the chunks are cut, and the server is asked to end the watch at a time")
    func chunks() async throws {
        let server = try WireServer { _, wire in
            let all = Self.event("ADDED", "a", 2) + Self.event("MODIFIED", "b", 3) + Self.event("BOOKMARK", "", 4)
            wire.beginChunks()
            for start in stride(from: 0, to: all.utf8.count, by: 37) {
                wire.chunk(String(decoding: Array(all.utf8)[start..<min(start + 37, all.utf8.count)], as: UTF8.self))
            }
            wire.endChunks()
            return true
        }
        try await withClient(server) { client in
            let events = try await client.watch(Self.query, after: ResourceVersion("1"))
            #expect(try await words(events) == ["+a", "~b", "@4"])
        }
        let target = try #require(server.requests.first?.target)
        #expect(target.contains("watch=true&allowWatchBookmarks=true&resourceVersion=1&timeoutSeconds="))
        let seconds = try #require(target.split(separator: "=").last.flatMap { Int($0) })
        #expect((300...600).contains(seconds))
    }

    @Test("a version too old is 'expired', at once or from the stream")
    func tooOld() async throws {
        let server = try WireServer { request, wire in
            if request.target.contains("resourceVersion=1&") {
                wire.answer(410, Self.expired)
            } else {
                wire.beginChunks()
                wire.chunk(#"{"type":"ERROR","object":\#(Self.expired)}"# + "\n")
                wire.endChunks()
            }
            return true
        }
        try await withClient(server) { client in
            let atOnce = await #expect(throws: Failure.self) {
                try await client.watch(Self.query, after: ResourceVersion("1"))
            }
            #expect(atOnce?.code == .expired)
            let events = try await client.watch(Self.query, after: ResourceVersion("2"))
            let later = await #expect(throws: Failure.self) { try await words(events) }
            #expect(later?.code == .expired)
        }
    }

    @Test(
        "a watch cut in the middle of an event gives what was whole, then fails; garbage fails too",
        arguments: [true, false]
    )
    func cut(_ isCut: Bool) async throws {
        let server = try WireServer { _, wire in
            wire.beginChunks()
            wire.chunk(Self.event("ADDED", "a", 2))
            if isCut { wire.chunk(#"{"type":"ADDED","obj"#) } else { wire.chunk("<html>\n") }
            return false
        }
        try await withClient(server) { client in
            let events = try await client.watch(Self.query, after: ResourceVersion("1"))
            var iterator = events.makeAsyncIterator()
            guard case .added(let object)? = try await iterator.next() else {
                Issue.record("no first event")
                return
            }
            #expect(object.name == "a")
            let failure = await #expect(throws: Failure.self) { _ = try await iterator.next() }
            #expect(failure?.code == (isCut ? .unavailable : .fault))
        }
    }

    @Test("a half-open watch, which a server ought to have ended, counts as broken")
    func halfOpen() async throws {
        let server = try WireServer { _, wire in
            wire.beginChunks()
            wire.stall()
            return false
        }
        var limits = Limits(deadline: .seconds(20))
        limits.watch = 0...0
        limits.watchGrace = .milliseconds(200)
        try await withClient(server, limits: limits) { client in
            let events = try await client.watch(Self.query, after: ResourceVersion("1"))
            let failure = await #expect(throws: Failure.self) { try await words(events) }
            #expect(failure?.code == .deadlineExceeded)
        }
    }

    @Test("a reader that is cancelled ends its watch's connection")
    func cancelled() async throws {
        let ended = AsyncStream.makeStream(of: Void.self)
        let server = try WireServer { _, wire in
            wire.beginChunks()
            wire.chunk(Self.event("ADDED", "a", 2))
            wire.stall()
            ended.continuation.finish()
            return false
        }
        try await withClient(server) { client in
            let begun = AsyncStream.makeStream(of: Void.self)
            let reading = Task {
                for try await _ in try await client.watch(Self.query, after: ResourceVersion("1")) {
                    begun.continuation.finish()
                }
            }
            for await _ in begun.stream {}
            reading.cancel()
            _ = await reading.result
            for await _ in ended.stream {}
        }
    }

    @Test("a mirror survives cuts, resumes where it was, and lists anew after 410, also in the middle of its pages")
    func mirror() async throws {
        let count = Mutex(0)
        let server = try WireServer { request, wire in
            let place = count.withLock { count in
                count += 1
                return count
            }
            switch place {
            case 1: wire.answer(200, Self.list(10, ["a", "b"], continuation: "more"))
            case 2: wire.answer(410, Self.expired)
            case 3: wire.answer(200, Self.list(11, ["a", "b", "c"]))
            case 4:
                wire.beginChunks()
                wire.chunk(Self.event("ADDED", "d", 12))
                return false
            case 5: wire.answer(410, Self.expired)
            case 6: wire.answer(200, Self.list(20, ["b", "e"]))
            default:
                wire.beginChunks()
                wire.chunk(Self.event("ADDED", "f", 21))
                wire.stall()
                return false
            }
            return true
        }
        try await withClient(server) { client in
            let mirror = ObjectMirror(
                Self.query,
                of: client,
                backoff: BackoffSchedule(first: .milliseconds(1), limit: .milliseconds(2))
            )
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await mirror.run() }
                await mirror.waitUntilSeen(ResourceVersion("21"))
                #expect(mirror.objects.map(\.name).sorted() == ["b", "e", "f"])
                group.cancelAll()
            }
        }
        let path = "GET /api/v1/namespaces/shop/configmaps"
        let lines = server.lines.map { $0.split(separator: "&timeoutSeconds")[0] }
        let watch = "?watch=true&allowWatchBookmarks=true&resourceVersion="
        #expect(
            lines == [
                "\(path)?limit=500", "\(path)?limit=500&continue=more", "\(path)", "\(path)\(watch)11",
                "\(path)\(watch)12", "\(path)?limit=500", "\(path)\(watch)20",
            ]
        )
    }

    @Test("a followed log is read as it comes, and its parameters are said")
    func logs() async throws {
        let server = try WireServer { _, wire in
            wire.beginChunks()
            wire.chunk("one\n")
            wire.chunk("two\n")
            wire.endChunks()
            return true
        }
        try await withClient(server) { client in
            var options = LogOptions(container: "main")
            (options.follows, options.tailLines, options.isPrevious) = (true, 5, true)
            let pod = ObjectReference(.pods, namespace: "shop", name: "web")
            var bytes: [UInt8] = []
            for try await chunk in try await client.logs(pod, options) { bytes += chunk }
            #expect(String(decoding: bytes, as: UTF8.self) == "one\ntwo\n")
        }
        #expect(
            server.lines == [
                "GET /api/v1/namespaces/shop/pods/web/log?container=main&follow=true&previous=true&tailLines=5"
            ]
        )
    }
}
