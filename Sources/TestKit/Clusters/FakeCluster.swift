// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model
package import Ports
import Synchronization

/// A cluster in memory, strict about what ``ClusterAPI`` promises: conflicts, finalizers, generations, watches that
/// resume, and versions that expire.
///
/// It validates and defaults nothing, and serves any type. A strategic merge patch is taken as a merge
/// patch; server-side apply keeps its field sets, for the lists that tests use. Logs are empty. A pod with a node lingers, terminating, until it is deleted with a grace period of zero; other
/// objects go at once unless finalizers hold them. `foreground` and `orphan` set the finalizers a garbage collector works off.
package final class FakeCluster: ClusterAPI {
    /// A call about to happen, for faults.
    package struct Call: Sendable, Hashable {
        package enum Verb: String, Sendable { case get, list, watch, create, update, patch, delete, logs }
        package var verb: Verb
        package var type: ResourceType
        package var namespace: String?
        package var name: String?
        package var subresource: String?
    }

    struct State {
        var objects: [ResourceType: [ObjectName: KubeObject]] = [:]
        var version = 0
        var oldest = 0
        var history: [(version: Int, type: ResourceType, event: WatchEvent)] = []
        var watches: [Int: FakeWatch] = [:]
        var calls: [Call] = []
        var fault: (@Sendable (Call) throws -> Void)?
        var uids = 0
        var watchCount = 0
        /// What watches have not been sent yet, in order, and whether somebody is sending.
        var outbox: [(watch: FakeWatch, event: WatchEvent)] = []
        var isSending = false
    }

    let state = Mutex(State())
    let clock: WallClock

    /// An empty cluster.
    package init(clock: WallClock = WallClock { Timestamp(seconds: 1_800_000_000) }) { self.clock = clock }

    /// Changes the state, and then sends what watches are to hear: never under the lock, which a stream's end takes.
    func change<Result>(_ body: (inout State) throws -> sending Result) rethrows -> sending Result {
        defer { send() }
        return try state.withLock(body)
    }

    /// One caller at a time sends, so that events keep their order.
    private func send() {
        var mayBegin = true
        while let batch = state.withLock({ $0.takeOutbox(&mayBegin) }) {
            for (watch, event) in batch { watch.send(event) }
        }
    }

    // MARK: For tests

    /// Called before every call; what it throws is the call's answer.
    package func setFault(_ fault: (@Sendable (Call) throws -> Void)?) { state.withLock { $0.fault = fault } }

    /// Every call so far, in order.
    package var calls: [Call] { state.withLock { $0.calls } }

    /// All objects of a type, by name.
    package func all(_ type: ResourceType) -> [KubeObject] {
        state.withLock { ($0.objects[type] ?? [:]).sorted { $0.key < $1.key }.map(\.value) }
    }

    /// Forgets history, so that watches from before now answer `expired`; running ones end with it.
    package func expireHistory() {
        let watches = state.withLock { state -> [FakeWatch] in
            state.history = []
            state.oldest = state.version
            defer { state.watches = [:] }
            return Array(state.watches.values)
        }
        for watch in watches { watch.continuation.finish(throwing: Self.expired) }
    }

    /// Ends running watches without error, as a server does now and then.
    package func closeWatches() {
        let watches = state.withLock { state -> [FakeWatch] in
            defer { state.watches = [:] }
            return Array(state.watches.values)
        }
        for watch in watches { watch.continuation.finish() }
    }

    /// Sends a bookmark to all running watches.
    package func sendBookmarks() {
        change { state in
            for watch in state.watches.values { state.outbox.append((watch, .bookmark(state.resourceVersion))) }
        }
    }

    static let expired = Failure(
        KubeStatus(code: 410, reason: "Expired", message: "The resourceVersion for the provided watch is too old.")
    )

    func begin(_ call: Call) throws {
        let fault = state.withLock { state in
            state.calls.append(call)
            return state.fault
        }
        try fault?(call)
    }

    // MARK: Reading

    package func get(_ reference: ObjectReference, subresource: String?) async throws -> KubeObject {
        try begin(.init(.get, reference, subresource))
        return try state.withLock { state in
            let object = try state.find(reference)
            return subresource == "scale" ? object.scaleView : object
        }
    }

    package func list(_ query: ListQuery) async throws -> ObjectList {
        try begin(Call(verb: .list, type: query.type, namespace: query.namespace))
        return try state.withLock { state in
            let all = (state.objects[query.type] ?? [:]).filter { query.selects($0.value) }.sorted { $0.key < $1.key }
            var (version, start) = (state.version, 0)
            if let token = query.continuation {
                // Pages are cut from the present state; a token from before a change has expired.
                let parts = token.split(separator: "/").compactMap { Int($0) }
                guard parts.count == 2, parts[0] == state.version else { throw Self.expired }
                (version, start) = (parts[0], parts[1])
            }
            let end = min(all.count, start + (query.limit ?? all.count))
            return ObjectList(
                items: all[start..<end].map(\.value),
                resourceVersion: ResourceVersion("\(version)"),
                continuation: end < all.count ? "\(version)/\(end)" : nil,
                remaining: end < all.count ? all.count - end : nil
            )
        }
    }

    package func watch(
        _ query: ListQuery,
        after version: ResourceVersion
    ) async throws -> AsyncThrowingStream<WatchEvent, any Error> {
        try begin(Call(verb: .watch, type: query.type, namespace: query.namespace))
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: WatchEvent.self, throwing: (any Error).self)
        let id = try change { state in
            guard let start = Int(version.text), start >= state.oldest else { throw Self.expired }
            let watch = FakeWatch(query: query, continuation: continuation)
            for past in state.history where past.version > start && past.type == query.type {
                state.outbox.append((watch, past.event))
            }
            state.watchCount += 1
            state.watches[state.watchCount] = watch
            return state.watchCount
        }
        continuation.onTermination = { [weak self] _ in self?.forget(id) }
        return stream
    }

    private func forget(_ id: Int) { state.withLock { _ = $0.watches.removeValue(forKey: id) } }

    package func logs(
        _ pod: ObjectReference,
        _ options: LogOptions
    ) async throws -> AsyncThrowingStream<[UInt8], any Error> {
        try begin(.init(.logs, pod, nil))
        return AsyncThrowingStream { $0.finish() }
    }
}

extension FakeCluster.Call {
    init(_ verb: Verb, _ reference: ObjectReference, _ subresource: String?) {
        self.init(
            verb: verb,
            type: reference.type,
            namespace: reference.namespace,
            name: reference.name,
            subresource: subresource
        )
    }
}

extension FakeCluster.State {
    /// What is to be sent now; `nil` where nothing is left, or somebody else is at it.
    mutating func takeOutbox(_ mayBegin: inout Bool) -> [(watch: FakeWatch, event: WatchEvent)]? {
        if mayBegin, isSending { return nil }
        mayBegin = false
        isSending = !outbox.isEmpty
        guard isSending else { return nil }
        defer { outbox = [] }
        return outbox
    }
}

/// One open watch of a fake cluster.
struct FakeWatch: Sendable {
    let query: ListQuery
    let continuation: AsyncThrowingStream<WatchEvent, any Error>.Continuation

    func send(_ event: WatchEvent) {
        switch event {
        case .added(let object), .modified(let object), .deleted(let object):
            if query.selects(object) { continuation.yield(event) }
        case .bookmark: continuation.yield(event)
        }
    }
}

extension ListQuery {
    /// Namespace, labels, and the field paths a fake knows: any, by `=`, `==` and `!=`.
    func selects(_ object: KubeObject) -> Bool {
        guard namespace == nil || !type.isNamespaced || object.namespace == namespace else { return false }
        guard labelSelector.matches(object.labels) else { return false }
        return fieldSelector.split(separator: ",").allSatisfy { term in
            let isNegated = term.contains("!=")
            let parts = term.split(separator: "=", omittingEmptySubsequences: true).map(String.init)
            let path = (parts.first ?? "").split(separator: "!").first.map(String.init) ?? ""
            let value = object.json[path: path.split(separator: ".").map(String.init)]?.string ?? ""
            return (value == (parts.count > 1 ? parts[1] : "")) != isNegated
        }
    }
}
