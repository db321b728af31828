// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Synchronization

/// A watch that has seen everything so far.
struct LogWaiter: Sendable {
    enum Wake: Sendable {
        /// There is something to read after that revision.
        case changed(after: Revision)
        case progress(Revision)
        case closed
    }

    var prefix: String
    var position: Revision
    var continuation: CheckedContinuation<Wake, Never>
}

extension ObjectLog {
    /// Reports each change under a prefix above `after`, in order, each once. Throws ``LogError/compacted(oldest:)``
    /// and ``LogError/future(current:)``.
    ///
    /// A watch holds a place in the log, not a buffer: a slow reader falls behind, and its stream ends once the history it
    /// has not read is gone. It also ends when the log is closed, fails, or the reading task is cancelled.
    package func watch(prefix: String, after revision: Revision) throws -> AsyncStream<LogEvent> {
        let (current, compacted) = state.withLock { ($0.revision, $0.compacted) }
        guard revision <= current else { throw LogError.future(current: current) }
        guard revision >= compacted else { throw LogError.compacted(oldest: compacted) }
        let cursor = WatchCursor(log: self, prefix: prefix, after: revision)
        return AsyncStream { await cursor.next() }
    }

    /// Gives every watch that is up to date a `progress` event with the current revision.
    package func reportProgress() {
        let (woken, revision) = state.withLock { state -> ([LogWaiter], Revision) in
            defer { state.waiters = [:] }
            return (Array(state.waiters.values), state.revision)
        }
        for waiter in woken { waiter.continuation.resume(returning: .progress(revision)) }
    }

    /// Makes a committed batch visible.
    func publish(_ batch: WriteBatch) {
        let woken = state.withLock { state -> [LogWaiter] in
            state.index = batch.index
            state.revision = batch.revision
            for event in batch.events { state.recent.append(event) }
            return state.takeWaiters(for: batch.events)
        }
        for waiter in woken { waiter.continuation.resume(returning: .changed(after: waiter.position)) }
    }

    /// What follows `revision` in memory; `nil` where it has to come from the disk.
    func recentEvents(prefix: String, after revision: Revision, limit: Int, bytes: Int) -> (
        events: [LogEvent], upTo: Revision
    )? {
        state.withLock { state in
            guard revision >= state.recent.start, revision >= state.compacted else { return nil }
            return state.recent.events(prefix: prefix, after: revision, limit: limit, pageBytes: bytes)
        }
    }

    /// The disk no longer gives history back. The present state is in memory and whole, so watchers are sent there: from
    /// any earlier place they get ``LogError/compacted(oldest:)`` and list anew.
    func forgetHistory() { state.withLock { $0.compacted = $0.revision } }

    /// Waits for something to happen after `revision`.
    func wait(prefix: String, after revision: Revision) async -> LogWaiter.Wake {
        let id = state.withLock { state -> UInt64 in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                register(LogWaiter(prefix: prefix, position: revision, continuation: continuation), as: id)
                if Task.isCancelled { stopWaiting(id) }
            }
        } onCancel: {
            stopWaiting(id)
        }
    }

    private func register(_ waiter: LogWaiter, as id: UInt64) {
        let wake = state.withLock { state -> LogWaiter.Wake? in
            guard state.failure == nil else { return .closed }
            guard state.revision == waiter.position else { return .changed(after: waiter.position) }
            state.waiters[id] = waiter
            return nil
        }
        if let wake { waiter.continuation.resume(returning: wake) }
    }

    private func stopWaiting(_ id: UInt64) {
        let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
        waiter?.continuation.resume(returning: .closed)
    }
}

extension ObjectLog.State {
    /// Removes and returns the waiters whom an event concerns; the others have thereby seen these events.
    fileprivate mutating func takeWaiters(for events: [LogEvent]) -> [LogWaiter] {
        var woken: [LogWaiter] = []
        for (id, waiter) in waiters {
            if events.contains(where: { $0.key.hasPrefix(waiter.prefix) }) {
                woken.append(waiter)
                waiters[id] = nil
            } else {
                waiters[id]?.position = revision
            }
        }
        return woken
    }
}

/// The place of one watch in the log.
final class WatchCursor: Sendable {
    private struct Place {
        var position: Revision
        /// Read but not yet handed out, newest first.
        var ready: [LogEvent] = []
    }

    private let log: ObjectLog
    private let prefix: String
    private let place: Mutex<Place>

    private static let pageSize = 256
    /// A slow reader holds one page, and large objects come in many versions.
    private static let pageBytes = 1 << 20

    init(log: ObjectLog, prefix: String, after position: Revision) {
        self.log = log
        self.prefix = prefix
        place = Mutex(Place(position: position))
    }

    func next() async -> LogEvent? {
        while !Task.isCancelled {
            if let event = place.withLock({ $0.ready.popLast() }) { return event }
            let position = place.withLock { $0.position }
            guard let (events, upTo) = read(after: position) else { return nil }
            place.withLock {
                $0.position = upTo
                $0.ready = events.reversed()
            }
            guard events.isEmpty else { continue }
            switch await log.wait(prefix: prefix, after: upTo) {
            case .changed(let seen): place.withLock { $0.position = seen }
            case .progress(let revision):
                place.withLock { $0.position = revision }
                return LogEvent(.progress, at: revision)
            case .closed: return nil
            }
        }
        return nil
    }

    /// The next page; `nil` where history is gone.
    private func read(after position: Revision) -> (events: [LogEvent], upTo: Revision)? {
        let recent = log.recentEvents(
            prefix: prefix,
            after: position,
            limit: Self.pageSize,
            bytes: Self.pageBytes
        )
        if let recent { return recent }
        do {
            let page = try log.database.events(
                prefix: prefix,
                after: position,
                through: log.revision,
                limit: Self.pageSize,
                byteLimit: Self.pageBytes
            )
            try log.checkReadable(position)
            return page
        } catch {
            if case .unusable = error { log.forgetHistory() }
            return nil
        }
    }
}
