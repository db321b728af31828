// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
package import Model
package import Ports
import Synchronization

/// Looks after releases whose process was killed, so that none stays "Running", and none half-way.
///
/// One that had changed nothing is closed. One whose pods were ready everywhere is verified to its end; another one is
/// put back. Clusters that could not be put back, because they did not answer, are tried again as long as nothing newer began.
package struct ReleaseSweeper: Sendable {
    let cluster: any ClusterAPI
    let kit: FleetKit
    let holder: ReleaseHolder
    let hasEnded: @Sendable (ReleaseHolder) -> Bool?

    package init(
        cluster: any ClusterAPI,
        clusters: (any ClusterDirectory)? = nil,
        signals: @escaping @Sendable (ClusterName) -> [any ReleaseSignals] = { _ in [] },
        progress: any ReleaseProgress = SilentProgress(),
        clock: WallClock,
        sleeper: any Clock<Duration> = ContinuousClock(),
        holder: ReleaseHolder = .current,
        hasEnded: @escaping @Sendable (ReleaseHolder) -> Bool? = ReleaseHolder.hasEnded
    ) {
        self.cluster = cluster
        kit = FleetKit(
            home: cluster,
            clusters: clusters ?? HomeOnly(cluster),
            signals: signals,
            progress: progress,
            clock: clock,
            sleeper: sleeper
        )
        self.holder = holder
        self.hasEnded = hasEnded
    }

    /// How soon a killed release is noticed.
    static let period = Duration.seconds(10)

    /// Sweeps until the task is cancelled. A cluster that does not answer is asked again the next time.
    package func run() async throws {
        let start = kit.clock.now
        let busy = BusyNames()
        let patience = DebtPatience()
        var isFirst = true
        try await withThrowingDiscardingTaskGroup { group in
            while true {
                let left = try? await look(since: start, isFirst: isFirst)
                if left != nil { isFirst = false }
                for record in left ?? [] {
                    // Beside the others: one slow cluster never delays another.
                    let key = "\(record.namespace)/\(record.name)"
                    guard patience.isDue(key, at: kit.clock.now), busy.enter(key) else { continue }
                    group.addTask {
                        let isDone = await finish(record)
                        patience.note(key, isDone: isDone, at: kit.clock.now)
                        busy.leave(key)
                    }
                }
                try await kit.sleeper.sleep(for: Self.period)
            }
        }
    }

    /// One round, to its end.
    func sweep(since start: Timestamp) async throws {
        for record in try await look(since: start) { _ = await finish(record) }
    }

    /// Closes what was killed before it changed anything; returns what is left to finish.
    ///
    /// A holder elsewhere, which cannot be looked at, had no way to renew its record before `start`. Once all records were
    /// seen only those that are marked as open are read: there are a hundred of each app.
    private func look(since start: Timestamp, isFirst: Bool = true) async throws -> [ReleaseRecord] {
        let labels = isFirst ? LabelSelector() : LabelSelector([.init(ReleaseRecord.openLabel, .exists)])
        let page = try await cluster.list(ListQuery(.releases, labelSelector: labels))
        let records = page.items.compactMap { ReleaseRecord($0) }
        var left: [ReleaseRecord] = []
        for record in records {
            if record.phase == .running {
                guard isAbandoned(record, start) else { continue }
                guard record.clusters.contains(where: \.isOpen) else {
                    if try await book().close(record.abandoned) { await book().settle(record.abandoned) }
                    continue
                }
                // A newer one that runs takes it over itself.
                let isOvertaken = records.contains { $0.phase == .running && $0.isNewer(than: record) }
                if !isOvertaken { left.append(record) }
            } else if record.isOpen {
                // What is owed ends with the next release.
                let history = try await book().history(record.app, record.namespace)
                if !history.contains(where: { $0.isNewer(than: record) }) { left.append(record) }
            } else if !isFirst {
                await book().settle(record)
            }
        }
        return left
    }

    private func isAbandoned(_ record: ReleaseRecord, _ start: Timestamp) -> Bool {
        // Where it is our own, and nobody is at it, its end could not be put on record.
        if record.holder != holder, let seen = record.holder.flatMap(hasEnded) { return seen }
        return kit.clock.now - max(record.renewed, start) > ReleaseBook.lapse
    }

    private func book() -> ReleaseBook {
        ReleaseBook(
            cluster: cluster,
            clock: kit.clock,
            retry: kit.retry(kit.progress),
            holder: holder,
            run: UUID().uuidString,
            hasEnded: hasEnded
        )
    }

    /// With its manifests; `nil` where they cannot be read just now.
    private func whole(_ app: App, _ record: ReleaseRecord) async -> App? {
        do {
            let manifests = ManifestBook(home: cluster, retry: kit.retry(kit.progress))
            return try await manifests.restore(app, of: record)
        } catch let failure as Failure where failure.code == .notFound {
            return app  // it was killed before it came to them
        } catch {
            return nil
        }
    }

    /// Whether nothing of it is left to do.
    private func finish(_ record: ReleaseRecord) async -> Bool {
        guard let bare = record.declaredApp, let app = await whole(bare, record) else { return false }
        let book = book()
        guard let mine = try? await book.adopt(record) else { return false }
        let run = ReleaseRun(.image(app), login: nil, releaser: nil, kit: kit, book: book, record: mine)
        guard record.phase == .running else { return await run.payDebts(of: record.phase) }
        await run.adopt(because: record.abandoned.message)
        return true
    }
}

extension ReleaseRecord {
    fileprivate func isNewer(than other: ReleaseRecord) -> Bool {
        app == other.app && namespace == other.namespace && number > other.number
    }
}

/// What is being worked on.
private final class BusyNames: Sendable {
    private let names = Mutex<Set<String>>([])

    /// `false` where somebody is at it.
    func enter(_ name: String) -> Bool { names.withLock { $0.insert(name).inserted } }
    func leave(_ name: String) { names.withLock { _ = $0.remove(name) } }
}

/// How long a cluster that could not be put back is left alone: each time longer, up to five minutes.
private final class DebtPatience: Sendable {
    private let backoff = BackoffSchedule(first: ReleaseSweeper.period, limit: .seconds(300))
    private let waits = Mutex<[String: (failures: Int, until: Timestamp)]>([:])

    func isDue(_ name: String, at now: Timestamp) -> Bool {
        waits.withLock { $0[name].map { now >= $0.until } ?? true }
    }

    func note(_ name: String, isDone: Bool, at now: Timestamp) {
        waits.withLock { waits in
            guard !isDone else { return waits[name] = nil }
            let failures = (waits[name]?.failures ?? 0) + 1
            waits[name] = (failures, now + backoff.delay(afterFailures: failures, chance: 0))
        }
    }
}

/// Progress that nobody watches.
package struct SilentProgress: ReleaseProgress {
    package init() {}
    package func report(_ event: ReleaseEvent) async {}
}
