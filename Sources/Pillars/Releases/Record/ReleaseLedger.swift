// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// The record of a release under way: whoever works on the release changes it here, and it is kept as it changes.
actor ReleaseLedger {
    private(set) var record: ReleaseRecord
    nonisolated let book: ReleaseBook
    private let sleeper: any Clock<Duration>
    private let stop: StopSignal
    private var writing: Task<Void, any Error>?

    /// `stop` is told when a newer release supersedes this one, and when the record is no longer ours.
    init(_ record: ReleaseRecord, in book: ReleaseBook, sleeper: any Clock<Duration>, stop: StopSignal) {
        self.record = record
        self.book = book
        self.sleeper = sleeper
        self.stop = stop
    }

    func note(_ change: @Sendable (inout ReleaseRecord) -> Void) { change(&record) }

    /// Changes the record and keeps it.
    func keep(_ change: @Sendable (inout ReleaseRecord) -> Void) async throws {
        change(&record)
        try await write()
    }

    /// One write at a time, each with the newest state. A task of its own: the record of a release that is being
    /// stopped must not stay half-way.
    private func write() async throws {
        let task = Task { [writing, book] in
            _ = try? await writing?.value
            try await book.save(self.record)
        }
        writing = task
        try await stopping { try await task.value }
    }

    /// Throws ``StopSignal/Stopped`` where the record is no longer ours.
    func demandHeld() async throws {
        let record = record
        try await stopping { [book] in try await book.demandHeld(record) }
    }

    /// As ``demandHeld()``, and it must still run.
    func confirm() async throws {
        let record = record
        try await stopping { [book] in try await book.confirm(record) }
    }

    private func stopping(_ work: () async throws -> Void) async throws {
        do {
            try await work()
        } catch let lost as ReleaseBook.Lost {
            stop.fire(.lost(lost.why))
            throw StopSignal.Stopped(reason: .lost(lost.why))
        }
    }

    func moveHome() async throws { record = try await book.moveHome(record) }

    // MARK: The lease

    /// Does the work, and keeps saying in the record meanwhile that somebody is at it.
    func whileRenewing<Value: Sendable>(
        _ work: @Sendable @escaping () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            defer { group.cancelAll() }
            group.addTask { [sleeper] in
                while true {
                    try await sleeper.sleep(for: ReleaseBook.look)
                    await self.look()
                }
            }
            group.addTask { try await work() }
            while let next = try await group.next() {
                if let value = next { return value }
            }
            throw CancellationError()
        }
    }

    /// A cluster that does not answer just now is asked again soon; a lapse needs several misses.
    private func look() async {
        guard record.phase == .running, let stored = try? await book.cluster.find(record.reference) else { return }
        guard let stored = ReleaseRecord(stored), record.phase == .running else { return }
        guard stored.run == book.run, stored.phase == .running else {
            return stop.fire(.lost(ReleaseBook.lost(record)))
        }
        if let number = stored.supersededBy, record.supersededBy == nil {
            record.supersededBy = number
            stop.fire(await book.supersession(of: record, by: number))
        }
        if book.clock.now - stored.renewed >= ReleaseBook.renewal { await book.renew(record.reference) }
    }
}
