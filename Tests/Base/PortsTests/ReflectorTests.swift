// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Synchronization
import TestKit
import Testing

@testable import Ports

@Suite("reflector machine")
struct ReflectorMachineTests {
    let v1 = ResourceVersion("1"), v2 = ResourceVersion("2")
    func machine() -> ReflectorMachine {
        ReflectorMachine(backoff: BackoffSchedule(first: .seconds(1), limit: .seconds(5)))
    }

    @Test("it lists, watches, and resumes from the last version it saw")
    func resumes() {
        var machine = machine()
        #expect(machine.next == .list)
        #expect(machine.observe(.listed(v1), chance: 0) == .watch(after: v1))
        #expect(machine.observe(.saw(v2), chance: 0) == .watch(after: v2))
        #expect(machine.observe(.watchEnded(lasted: .milliseconds(20)), chance: 0) == .watch(after: v2))
    }

    @Test("it lists anew at once when its version expired, but waits if lists expire too")
    func relists() {
        var machine = machine()
        _ = machine.observe(.listed(v1), chance: 0)
        #expect(machine.observe(.failed(.expired), chance: 0) == .list)
        #expect(machine.observe(.failed(.expired), chance: 0) == .wait(.seconds(1)))
        #expect(machine.observe(.waited, chance: 0) == .list)
    }

    @Test("failures wait longer and longer up to the limit, keep the version, and an event resets them")
    func backsOff() {
        var machine = machine()
        _ = machine.observe(.listed(v1), chance: 0)
        let waits = (0..<4).map { _ in machine.observe(.failed(.unavailable), chance: 0) }
        #expect(waits == [.wait(.seconds(1)), .wait(.seconds(2)), .wait(.seconds(4)), .wait(.seconds(5))])
        #expect(machine.observe(.waited, chance: 0) == .watch(after: v1))
        _ = machine.observe(.saw(v2), chance: 0)
        #expect(machine.observe(.failed(.unavailable), chance: 0.5) == .wait(.milliseconds(750)))
    }

    @Test("a quiet watch that ends at its time is resumed at once, and ends the waiting for earlier failures")
    func quietWatch() {
        var machine = machine()
        _ = machine.observe(.listed(v1), chance: 0)
        #expect(machine.observe(.failed(.unavailable), chance: 0) == .wait(.seconds(1)))
        _ = machine.observe(.waited, chance: 0)
        #expect(machine.observe(.watchEnded(lasted: .seconds(300)), chance: 0) == .watch(after: v1))
        #expect(machine.observe(.watchEnded(lasted: .zero), chance: 0) == .wait(.seconds(1)))
    }

    @Test("a server that closes watches without a word is not asked in a tight loop")
    func silentServer() {
        var machine = machine()
        _ = machine.observe(.listed(v1), chance: 0)
        #expect(machine.observe(.watchEnded(lasted: .milliseconds(20)), chance: 0) == .wait(.seconds(1)))
        #expect(machine.observe(.waited, chance: 0) == .watch(after: v1))
        #expect(machine.observe(.watchEnded(lasted: .milliseconds(20)), chance: 0) == .wait(.seconds(2)))
    }
}

@Suite("object mirror")
struct ObjectMirrorTests {
    let cluster = FakeCluster()

    func configMap(_ name: String, _ value: String = "x") -> KubeObject {
        var object = KubeObject(.configMaps, namespace: "shop", name: name)
        object["data"] = ["key": .string(value)]
        return object
    }

    func create(_ name: String) async throws -> KubeObject {
        try await cluster.create(configMap(name), as: .configMaps)
    }

    /// Runs `body` beside the mirror's own loop.
    func following(
        _ mirror: ObjectMirror,
        _ body: @escaping @Sendable (ObjectMirror) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { await mirror.run() }
            try await body(mirror)
            group.cancelAll()
        }
    }

    func makeMirror() -> ObjectMirror {
        ObjectMirror(
            ListQuery(.configMaps),
            of: cluster,
            backoff: BackoffSchedule(first: .milliseconds(1), limit: .milliseconds(5))
        )
    }

    @Test("it holds what is there and reports what changes")
    func follows() async throws {
        _ = try await create("a")
        try await following(makeMirror()) { [self] mirror in
            var changes = mirror.changes().makeAsyncIterator()
            let added = await changes.next()
            #expect(added.map { $0.object.name } == "a")
            await mirror.waitUntilSynced()
            let b = try await create("b")
            #expect(await changes.next() == .added(b))
            let newer = try await cluster.update(configMap("b", "y"), as: .configMaps)
            #expect(await changes.next() == .updated(newer, before: b))
            try await cluster.delete(ObjectReference(.configMaps, namespace: "shop", name: "b"))
            #expect(await changes.next() == .deleted(newer))
            #expect(mirror.objects.map(\.name) == ["a"])
        }
    }

    @Test("what was missed while history expired is found by listing: adds, changes, deletes, and a replaced object")
    func relists() async throws {
        for name in ["gone", "changed", "replaced", "same"] { _ = try await create(name) }
        let mirror = makeMirror()
        try await following(mirror) { [self] _ in
            await mirror.waitUntilSynced()
            var changes = mirror.changes().makeAsyncIterator()
            for _ in 0..<4 { _ = await changes.next() }
            cluster.setFault { if $0.verb == .watch || $0.verb == .list { throw Failure(.unavailable, "away") } }
            cluster.closeWatches()
            for name in ["gone", "replaced"] {
                try await cluster.delete(ObjectReference(.configMaps, namespace: "shop", name: name))
            }
            _ = try await create("replaced")
            _ = try await create("new")
            _ = try await cluster.update(configMap("changed", "y"), as: .configMaps)
            cluster.expireHistory()
            cluster.setFault(nil)
            var seen: Set<String> = []
            for _ in 0..<5 {
                switch await changes.next() {
                case .added(let object): seen.insert("+\(object.name)")
                case .updated(let object, _): seen.insert("~\(object.name)")
                case .deleted(let object): seen.insert("-\(object.name)")
                case nil: break
                }
            }
            #expect(seen == ["-gone", "~changed", "-replaced", "+replaced", "+new"])
        }
    }

    @Test("it resumes after a closed watch without listing again, and starts after a failing list")
    func resumes() async throws {
        let failures = Mutex(2)
        cluster.setFault { call in
            let fails = failures.withLock { left in
                guard call.verb == .list, left > 0 else { return false }
                left -= 1
                return true
            }
            if fails { throw Failure(.unavailable, "not yet") }
        }
        try await following(makeMirror()) { [self] mirror in
            await mirror.waitUntilSynced()
            let lists = cluster.calls.count { $0.verb == .list }
            #expect(lists == 3)
            for name in ["a", "b", "c"] {
                let stored = try await create(name)
                await mirror.waitUntilSeen(stored.resourceVersion)
                #expect(mirror[ObjectName(stored)] == stored)
                cluster.closeWatches()
            }
            #expect(cluster.calls.count { $0.verb == .list } == lists)
        }
    }

    @Test("a slow reader hears one change for many, and nothing of what came and went")
    func coalesces() async throws {
        let first = try await create("a")
        try await following(makeMirror()) { [self] mirror in
            await mirror.waitUntilSynced()
            var changes = mirror.changes().makeAsyncIterator()
            #expect(await changes.next() == .added(first))
            _ = try await create("brief")
            var last = first
            for number in 0..<50 { last = try await cluster.update(configMap("a", "\(number)"), as: .configMaps) }
            try await cluster.delete(ObjectReference(.configMaps, namespace: "shop", name: "brief"))
            let end = try await create("end")
            await mirror.waitUntilSeen(end.resourceVersion)
            #expect(await changes.next() == .updated(last, before: first))
            #expect(await changes.next() == .added(end))
        }
    }

    @Test("objects are found by their controller's uid, also after they changed hands")
    func controllers() async throws {
        @Sendable func owned(_ name: String, by uid: String) -> KubeObject {
            var object = configMap(name)
            object.json.set([["uid": .string(uid), "controller": true]], at: ["metadata", "ownerReferences"])
            return object
        }
        try await following(makeMirror()) { [self] mirror in
            _ = try await cluster.create(owned("a", by: "one"), as: .configMaps)
            _ = try await cluster.create(owned("b", by: "one"), as: .configMaps)
            let last = try await cluster.update(owned("b", by: "two"), as: .configMaps)
            await mirror.waitUntilSeen(last.resourceVersion)
            #expect(mirror.objects(controlledBy: "one").map(\.name) == ["a"])
            #expect(mirror.objects(controlledBy: "two").map(\.name) == ["b"])
        }
    }

    @Test("waiting ends when the task is cancelled")
    func cancellation() async {
        let mirror = makeMirror()
        await withDiscardingTaskGroup { group in
            group.addTask { await mirror.waitUntilSynced() }
            group.addTask { for await _ in mirror.changes() {} }
            group.cancelAll()
        }
    }
}
