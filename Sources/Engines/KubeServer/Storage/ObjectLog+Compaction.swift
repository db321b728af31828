// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import GRDB
import Model
import Synchronization

/// Decides when the log notes the time and when it drops old history.
struct CompactionSchedule: Sendable {
    /// Everything up to `revision` was written no later than `time`.
    struct Mark: Sendable, Equatable {
        var revision: Revision
        var time: Timestamp
    }

    private let retention: Duration
    private var lastMark: Timestamp?
    private var lastRun: Timestamp?
    /// The newest commit this schedule heard of.
    private(set) var last: Mark?

    private static let markInterval = Duration.seconds(10)
    private static let runInterval = Duration.seconds(30)

    init(retention: Duration) { self.retention = retention }

    /// What a commit has to note: now and then its own time, and with it the time of the commit before.
    mutating func marks(for commit: Mark) -> [Mark] {
        defer { last = commit }
        if let lastMark, commit.time >= lastMark, commit.time - lastMark < Self.markInterval { return [] }
        lastMark = commit.time
        return (last.map { [$0] } ?? []) + [commit]
    }

    /// The moment before which history may go, if it is time to look.
    mutating func cutoff(at now: Timestamp) -> Timestamp? {
        if let lastRun, now >= lastRun, now - lastRun < Self.runInterval { return nil }
        lastRun = now
        return now - retention
    }
}

extension ObjectLog {
    /// Drops history older than the retention; also happens by itself as writes come in.
    package func compact() async throws {
        let cutoff = clock.now - retention
        try await database.writer.writeWithoutTransaction { try self.compact(before: cutoff, $0) }
    }

    func compactIfDue(_ connection: Database) {
        guard let cutoff = compaction.withLock({ $0.cutoff(at: clock.now) }) else { return }
        // A failure leaves more history than needed, and the next write meets the same disk and reports it.
        try? compact(before: cutoff, connection)
    }

    /// Works in steps of their own transactions, so that a crash in between leaves less work and nothing torn.
    private func compact(before cutoff: Timestamp, _ connection: Database) throws {
        let step: Int64 = 2000
        let newest = revision
        let last = compaction.withLock { $0.last }
        let isAllOld = last.map { $0.time <= cutoff && $0.revision == newest } ?? false
        let target = isAllOld ? newest : min(try database.revision(at: cutoff, connection), newest)
        var from = oldestRevision
        while from < target {
            let through = Revision(min(from.number + step, target.number))
            state.withLock { $0.compacted = through }
            try database.compact(after: from, through: through, newest: newest, connection)
            from = through
        }
    }
}
