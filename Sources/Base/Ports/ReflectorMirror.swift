// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model
import Synchronization

/// Keeps a copy of one collection and tells readers what changes in it.
///
/// `run()` lists, watches, resumes where a watch ended, lists anew when the server has forgotten that place, and waits
/// longer after each failure. Reads are of the last state heard and never wait. One `run()` per mirror.
package final class ObjectMirror: Sendable {
    fileprivate struct Reader {
        var pending: PendingChanges
        var continuation: CheckedContinuation<Void, Never>?
    }

    fileprivate struct Waiter {
        var isSatisfied: @Sendable (ReflectorStore) -> Bool
        var continuation: CheckedContinuation<Void, Never>
    }

    fileprivate struct State {
        var store = ReflectorStore()
        var readers: [Int: Reader] = [:]
        var waiters: [Int: Waiter] = [:]
        var nextID = 0

        mutating func takeID() -> Int {
            nextID += 1
            return nextID
        }
    }

    package let query: ListQuery
    private let api: any ClusterAPI
    private let clock: any Clock<Duration>
    private let backoff: BackoffSchedule
    private let chance: @Sendable () -> Double
    private let trim: @Sendable (KubeObject) -> KubeObject
    private let onFailure: @Sendable (any Error, Duration) -> Void
    private let state = Mutex(State())

    private static let pageSize = 500

    /// `trim` may drop what the readers do not need, to save memory; it must keep the metadata. `onFailure` hears of
    /// each failure and how long the mirror waits before it tries again.
    package init(
        _ query: ListQuery,
        of api: any ClusterAPI,
        clock: any Clock<Duration> = ContinuousClock(),
        backoff: BackoffSchedule = BackoffSchedule(),
        chance: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
        trim: @escaping @Sendable (KubeObject) -> KubeObject = { $0 },
        onFailure: @escaping @Sendable (any Error, Duration) -> Void = { _, _ in }
    ) {
        self.query = query
        self.api = api
        self.clock = clock
        self.backoff = backoff
        self.chance = chance
        self.trim = trim
        self.onFailure = onFailure
    }

    // MARK: Reading

    /// All objects, in no order.
    package var objects: [KubeObject] { state.withLock { Array($0.store.objects.values) } }

    package subscript(_ name: ObjectName) -> KubeObject? { state.withLock { $0.store[name] } }

    /// The objects of one namespace (empty: cluster-scoped ones), in no order.
    package func objects(in namespace: String) -> [KubeObject] {
        state.withLock { state in (state.store.byNamespace[namespace] ?? []).compactMap { state.store[$0] } }
    }

    /// The objects whose controlling owner has that uid, in no order.
    package func objects(controlledBy uid: String) -> [KubeObject] {
        state.withLock { state in (state.store.byController[uid] ?? []).compactMap { state.store[$0] } }
    }

    /// Whether the first list is complete.
    package var isSynced: Bool { state.withLock { $0.store.version != nil } }

    /// Returns once the first list is complete, or the task is cancelled.
    package func waitUntilSynced() async { await wait { $0.version != nil } }

    /// Returns once the mirror has heard of everything up to `version`, so that a writer meets its own writes; or when the
    /// task is cancelled.
    package func waitUntilSeen(_ version: ResourceVersion) async { await wait { $0.hasSeen(version) } }

    /// Returns once the object with that name and uid is gone or being removed; or when the task is cancelled.
    package func waitUntilLeaving(_ name: ObjectName, uid: String) async {
        await wait { store in store[name].map { $0.uid != uid || $0.isTerminating } ?? true }
    }

    private func wait(until isSatisfied: @escaping @Sendable (ReflectorStore) -> Bool) async {
        let id = state.withLock { $0.takeID() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    guard !isSatisfied(state.store), !Task.isCancelled else { return false }
                    state.waiters[id] = Waiter(isSatisfied: isSatisfied, continuation: continuation)
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.continuation.resume()
        }
    }

    /// All objects as `added`, then what changes. Changes of one object that were not read yet arrive as one, so a slow
    /// reader costs no memory and always catches up. Ends when the reading task is cancelled.
    package func changes() -> AsyncStream<ObjectChange> {
        let id = state.withLock { state in
            let id = state.takeID()
            var pending = PendingChanges()
            for name in state.store.objects.keys.sorted() { pending.note(name, before: nil) }
            state.readers[id] = Reader(pending: pending)
            return id
        }
        let reading = ReadingEnd { [weak self] in self?.endReading(id) }
        let surplus = Mutex<[ObjectChange]>([])
        return AsyncStream {
            defer { withExtendedLifetime(reading) {} }
            while !Task.isCancelled {
                if let change = surplus.withLock({ $0.popLast() }) { return change }
                if let changes = self.takeChanges(id) {
                    surplus.withLock { $0 = changes.reversed() }
                } else {
                    await self.waitForChange(id)
                }
            }
            return nil
        }
    }

    private func takeChanges(_ id: Int) -> [ObjectChange]? {
        state.withLock { state in
            let store = state.store
            return state.readers[id]?.pending.next(store)
        }
    }

    private func waitForChange(_ id: Int) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    guard state.readers[id]?.pending.isEmpty == true, !Task.isCancelled else { return false }
                    state.readers[id]?.continuation = continuation
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.readers[id]?.continuation.take() }?.resume()
        }
    }

    private func endReading(_ id: Int) { state.withLock { $0.readers.removeValue(forKey: id) }?.continuation?.resume() }

    // MARK: Following

    /// Follows the collection until the surrounding task is cancelled.
    package func run() async {
        var machine = ReflectorMachine(backoff: backoff)
        var action = machine.next
        while !Task.isCancelled {
            do {
                switch action {
                case .list: action = machine.observe(.listed(try await list()), chance: chance())
                case .watch(let version):
                    let watch = Stopwatch.start(clock)
                    let events = try await api.watch(query, after: version)
                    for try await event in events {
                        _ = machine.observe(.saw(take(event)), chance: 0)
                    }
                    action = machine.observe(.watchEnded(lasted: watch()), chance: chance())
                case .wait(let delay):
                    try await clock.sleep(for: delay)
                    action = machine.observe(.waited, chance: 0)
                }
            } catch {
                guard !Task.isCancelled else { return }
                action = machine.observe(.failed((error as? Failure)?.code ?? .fault), chance: chance())
                if case .wait(let delay) = action { onFailure(error, delay) }
            }
        }
    }

    /// Reads all pages and replaces what is held at once. Where the server forgets a list before we have read all its
    /// pages, it is asked for everything in one.
    private func list() async throws -> ResourceVersion {
        var query = query
        query.limit = query.limit ?? Self.pageSize
        do {
            return try await list(query)
        } catch let failure as Failure where failure.code == .expired {
            query.limit = nil
            return try await list(query)
        }
    }

    private func list(_ first: ListQuery) async throws -> ResourceVersion {
        var query = first
        var fresh: [ObjectName: KubeObject] = [:]
        var page: ObjectList
        repeat {
            page = try await api.list(query)
            for object in page.items { fresh[ObjectName(object)] = trim(object) }
            query.continuation = page.continuation
        } while page.continuation != nil
        replace(with: fresh, at: page.resourceVersion)
        return page.resourceVersion
    }

    private func replace(with fresh: [ObjectName: KubeObject], at version: ResourceVersion) {
        update { state in
            let gone = state.store.objects.keys.filter { fresh[$0] == nil }
            for name in gone { state.change(name, to: nil) }
            for (name, object) in fresh where state.store[name]?.resourceVersion != object.resourceVersion {
                state.change(name, to: object)
            }
            state.store.version = version
        }
    }

    private func take(_ event: WatchEvent) -> ResourceVersion {
        switch event {
        case .added(let object), .modified(let object):
            return take(trim(object), for: ObjectName(object), at: object.resourceVersion)
        case .deleted(let object): return take(nil, for: ObjectName(object), at: object.resourceVersion)
        case .bookmark(let version):
            update { $0.store.version = version }
            return version
        }
    }

    private func take(_ object: KubeObject?, for name: ObjectName, at version: ResourceVersion) -> ResourceVersion {
        update { state in
            state.change(name, to: object)
            state.store.version = version
        }
        return version
    }

    /// Changes the state, then wakes whoever waited for that.
    private func update(_ body: (inout State) -> Void) {
        let woken = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            body(&state)
            return state.takeReaders() + state.takeWaiters()
        }
        for continuation in woken { continuation.resume() }
    }
}

extension ObjectMirror.State {
    fileprivate mutating func change(_ name: ObjectName, to object: KubeObject?) {
        let before = store.set(object, for: name)
        for id in readers.keys { readers[id]?.pending.note(name, before: before) }
    }

    fileprivate mutating func takeReaders() -> [CheckedContinuation<Void, Never>] {
        readers.keys.compactMap { readers[$0]?.continuation.take() }
    }

    fileprivate mutating func takeWaiters() -> [CheckedContinuation<Void, Never>] {
        let satisfied = waiters.filter { $0.value.isSatisfied(store) }
        for id in satisfied.keys { waiters[id] = nil }
        return satisfied.map(\.value.continuation)
    }
}

private enum Stopwatch {
    /// Tells how long ago it was started.
    static func start<C: Clock<Duration>>(_ clock: C) -> @Sendable () -> Duration {
        let start = clock.now
        return { start.duration(to: clock.now) }
    }
}

/// Calls back when the stream that holds it is gone.
private final class ReadingEnd: Sendable {
    private let end: @Sendable () -> Void
    init(_ end: @escaping @Sendable () -> Void) { self.end = end }
    deinit { end() }
}
