// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import GRDB
package import Model
import Synchronization

/// The state of one cluster: an append-only log of versions with one global revision, in SQLite.
///
/// A write is acknowledged once it is on the disk; writes that wait together share one commit. Reads of the current
/// state come from memory and see every acknowledged write. History reaches back `retention`; older versions go, except
/// each key's newest. Keys are ASCII. One log per file: a second one, in any process, is refused.
package final class ObjectLog: Sendable {
    struct State {
        var index: ObjectIndex
        var revision: Revision
        var compacted: Revision
        var recent: RecentEvents
        var waiters: [UInt64: LogWaiter] = [:]
        var nextWaiter: UInt64 = 0
        var pending: [PendingWrite] = []
        var isDraining = false
        /// Why no more writes are taken.
        var failure: LogError?
    }

    let database: LogDatabase
    let state: Mutex<State>
    let clock: WallClock
    let retention: Duration
    let compaction: Mutex<CompactionSchedule>

    private static let pendingLimit = 10_000
    private static let batchLimit = 1000

    /// Opens or creates the log at `path`; `nil` keeps it in memory. Throws ``LogError/unusable(_:)``.
    package init(path: String?, clock: WallClock, retention: Duration = .seconds(300)) throws {
        database = try LogDatabase(path: path)
        let content = try database.load()
        state = Mutex(
            State(
                index: ObjectIndex(sorted: content.objects),
                revision: content.revision,
                compacted: content.compacted,
                recent: RecentEvents(after: content.revision)
            )
        )
        self.clock = clock
        self.retention = retention
        compaction = Mutex(CompactionSchedule(retention: retention))
    }

    /// The newest acknowledged revision.
    package var revision: Revision { state.withLock { $0.revision } }

    /// Watches and lists may ask for this revision and newer ones.
    package var oldestRevision: Revision { state.withLock { $0.compacted } }

    package func get(_ key: String) throws -> StoredObject? { state.withLock { $0.index[key] } }

    /// Objects under a prefix in key order, above the key `after`, as of the revision `at` (`nil`: now). Throws
    /// ``LogError/compacted(oldest:)`` and ``LogError/future(current:)``. `remaining` counts what lies above `limit`.
    package func list(
        prefix: String,
        at revision: Revision? = nil,
        after: String? = nil,
        limit: Int? = nil
    ) throws -> (items: [StoredObject], revision: Revision, remaining: Int) {
        let (index, current, compacted) = state.withLock { ($0.index, $0.revision, $0.compacted) }
        let wanted = revision ?? current
        guard wanted <= current else { throw LogError.future(current: current) }
        guard wanted >= compacted else { throw LogError.compacted(oldest: compacted) }
        guard wanted < current else {
            let page = index.page(prefix: prefix, after: after, limit: limit)
            return (page.items, current, page.remaining)
        }
        let page = try pastPage(of: index, current, prefix: prefix, at: wanted, after: after, limit: limit)
        return (page.items, wanted, page.remaining)
    }

    /// What the present index would have shown at an earlier revision: keys that changed since have the version before.
    private func pastPage(
        of index: ObjectIndex,
        _ current: Revision,
        prefix: String,
        at wanted: Revision,
        after: String?,
        limit: Int?
    ) throws -> (items: [StoredObject], remaining: Int) {
        let changed = try database.versionsBefore(changesAfter: wanted, through: current, prefix: prefix)
        var items = index.page(prefix: prefix, after: after, limit: nil).items.filter { changed[$0.key] == nil }
        // Stand-ins without a value, until it is known which of them are on the page.
        for case (let key, let revision?) in changed where key > after ?? "" {
            items.append(StoredObject(key: key, value: [], revision: revision, created: .zero))
        }
        items.sort { $0.key < $1.key }
        let remaining = max(0, items.count - (limit ?? items.count))
        items.removeLast(remaining)
        let past = items.filter { changed[$0.key] != nil }.map(\.revision)
        let found = Dictionary(try database.objects(at: past).map { ($0.key, $0) }) { first, _ in first }
        try checkReadable(wanted)
        return (items.map { found[$0.key] ?? $0 }, remaining)
    }

    /// Rows go after `compacted` moved, so what was read before this check is whole.
    func checkReadable(_ revision: Revision) throws(LogError) {
        let compacted = state.withLock { $0.compacted }
        guard revision >= compacted else { throw .compacted(oldest: compacted) }
    }

    /// Stores what `encode` makes of the new revision. Returns once it is on the disk; throws ``LogConflict`` where the
    /// expectation is wrong. `encode` runs on the writer's queue, one at a time: it should only fill in and encode.
    @discardableResult
    package func write(
        _ key: String,
        expecting: LogExpectation,
        _ encode: @escaping @Sendable (Revision) -> [UInt8]
    ) async throws -> StoredObject {
        guard !key.isEmpty, key.utf8.allSatisfy({ $0 < 0x7F }) else { throw LogError.badKey(key) }
        return try await enqueue(key, expecting, isDeletion: false, encode)
    }

    /// Removes the key; the tombstone holds what `encode` makes of the deletion's revision.
    @discardableResult
    package func delete(
        _ key: String,
        expecting: Revision,
        _ encode: @escaping @Sendable (Revision) -> [UInt8]
    ) async throws -> Revision {
        try await enqueue(key, .revision(expecting), isDeletion: true, encode).revision
    }

    private func enqueue(
        _ key: String,
        _ expecting: LogExpectation,
        isDeletion: Bool,
        _ encode: @escaping @Sendable (Revision) -> [UInt8]
    ) async throws -> StoredObject {
        try await withCheckedThrowingContinuation { continuation in
            let write = PendingWrite(
                key: key,
                expecting: expecting,
                isDeletion: isDeletion,
                encode: encode,
                continuation: continuation
            )
            let (refusal, starts) = state.withLock { state -> (LogError?, Bool) in
                if let failure = state.failure { return (failure, false) }
                guard state.pending.count < Self.pendingLimit else { return (.overloaded, false) }
                state.pending.append(write)
                defer { state.isDraining = true }
                return (nil, !state.isDraining)
            }
            if let refusal { continuation.resume(throwing: refusal) }
            if starts { database.writer.asyncWriteWithoutTransaction { self.drain($0) } }
        }
    }

    /// Commits batch after batch until nothing waits.
    private func drain(_ connection: Database) {
        while let (writes, batch) = nextBatch() {
            commit(writes, batch, connection)
            compactIfDue(connection)
        }
    }

    private func nextBatch() -> ([PendingWrite], WriteBatch)? {
        state.withLock { state in
            guard !state.pending.isEmpty else {
                state.isDraining = false
                return nil
            }
            let writes = Array(state.pending.prefix(Self.batchLimit))
            state.pending.removeFirst(writes.count)
            return (writes, WriteBatch(index: state.index, revision: state.revision))
        }
    }

    private func commit(_ writes: [PendingWrite], _ empty: WriteBatch, _ connection: Database) {
        var batch = empty
        var outcomes: [Result<StoredObject, any Error>] = []
        for write in writes { outcomes.append(Result { try batch.apply(write) }) }
        do {
            if !batch.entries.isEmpty {
                let commit = CompactionSchedule.Mark(revision: batch.revision, time: clock.now)
                let marks = compaction.withLock { $0.marks(for: commit) }
                try connection.inTransaction(.immediate) {
                    for entry in batch.entries { try database.append(entry, connection) }
                    for mark in marks { try database.note(mark, connection) }
                    return .commit
                }
            }
            publish(batch)
        } catch {
            let failure = database.translate(error)
            let isLasting = !((error as? DatabaseError)?.resultCode == .SQLITE_FULL)
            if isLasting { fail(failure) }
            outcomes = outcomes.map { _ in .failure(failure) }
        }
        for (write, outcome) in zip(writes, outcomes) { write.continuation.resume(with: outcome) }
    }

    /// After an I/O error nobody knows what the disk holds, so nothing more is written until a restart has read it.
    private func fail(_ failure: LogError) {
        let waiting = state.withLock { state -> [PendingWrite] in
            state.failure = failure
            defer { state.pending = [] }
            return state.pending
        }
        for write in waiting { write.continuation.resume(throwing: failure) }
    }

    /// Takes no more writes, ends all watches and closes the file; what is under way is finished first. Reads of the
    /// present state go on working.
    package func close() async {
        try? await database.writer.writeWithoutTransaction { _ in }
        defer { database.close() }
        let waiters = state.withLock { state -> [LogWaiter] in
            state.failure = state.failure ?? .closed
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.continuation.resume(returning: .closed) }
    }
}

/// A write that waits for the next commit.
struct PendingWrite: Sendable {
    var key: String
    var expecting: LogExpectation
    var isDeletion: Bool
    var encode: @Sendable (Revision) -> [UInt8]
    var continuation: CheckedContinuation<StoredObject, any Error>
}

/// Decides the writes of one commit, one after another, on a copy of the index.
struct WriteBatch: Sendable {
    private(set) var index: ObjectIndex
    private(set) var revision: Revision
    private(set) var entries: [LogEntry] = []
    private(set) var events: [LogEvent] = []

    init(index: ObjectIndex, revision: Revision) {
        self.index = index
        self.revision = revision
    }

    mutating func apply(_ write: PendingWrite) throws -> StoredObject {
        let current = index[write.key]
        guard write.expecting.isTrue(of: current) else { throw LogConflict(current: current) }
        revision = revision.next
        let object = StoredObject(
            key: write.key,
            value: write.encode(revision),
            revision: revision,
            created: current?.created ?? revision
        )
        if write.isDeletion { index.remove(write.key) } else { index.set(object) }
        entries.append(LogEntry(object, isDeleted: write.isDeletion, previous: current?.revision ?? .zero))
        let kind: LogEvent.Kind = write.isDeletion ? .deleted : current == nil ? .created : .updated
        events.append(LogEvent(kind, at: revision, key: write.key, value: object.value, previous: current?.value))
        return object
    }
}

extension LogExpectation {
    func isTrue(of current: StoredObject?) -> Bool {
        switch self {
        case .any: true
        case .absent: current == nil
        case .revision(let revision): current?.revision == revision
        }
    }
}
