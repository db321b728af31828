// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Keeps release records in a cluster.
struct ReleaseBook: Sendable {
    var cluster: any ClusterAPI
    let clock: WallClock
    let retry: CallRetry
    let holder: ReleaseHolder
    /// Different for each release.
    let run: String
    let hasEnded: @Sendable (ReleaseHolder) -> Bool?

    /// A holder that says nothing for so long has ended, whatever is seen of its process.
    static let lapse = Duration.seconds(45)
    static let renewal = Duration.seconds(10)
    /// How often a release looks whether it is still wanted, and a newer one whether an older one has stopped.
    static let look = Duration.seconds(2)
    /// So many records of an app are kept, the failed ones included.
    static let keptRecords = 100

    /// Opens the next number of the app. Whatever is under way for it is told to stop at its next safe point: the newest wins.
    func open(_ draft: ReleaseDraft) async throws -> ReleaseRecord {
        let history = try await history(draft.app.name, draft.app.namespace)
        let keptIn = try await namespaceToKeep(draft.app)
        var number = history.first?.number ?? 0
        while true {
            number += 1
            let now = clock.now
            let record = ReleaseRecord(draft, number: number, started: now, keptIn: keptIn, holder: holder, run: run)
            guard try await create(record) else { continue }
            guard try await !isTakenElsewhere(record) else {
                try await retry("give up the record '\(record.name)'") { try await cluster.delete(record.reference) }
                continue
            }
            for older in try await predecessors(of: record) where !hasLapsed(older) {
                try await supersede(older, by: record)
            }
            return record
        }
    }

    /// For reading only: it holds no release.
    static func reader(_ cluster: any ClusterAPI, _ clock: WallClock, _ retry: CallRetry) -> ReleaseBook {
        ReleaseBook(cluster: cluster, clock: clock, retry: retry, holder: .current, run: "") { _ in nil }
    }

    // MARK: One at a time, the newest wins

    /// Releases of the same app that run and began before this one; whoever opens a number later sees all earlier ones.
    private func predecessors(of record: ReleaseRecord) async throws -> [ReleaseRecord] {
        try await history(record.app, record.namespace).filter {
            $0.phase == .running && $0.number < record.number
        }
    }

    private func hasLapsed(_ record: ReleaseRecord) -> Bool {
        record.holder.flatMap(hasEnded) == true || clock.now - record.renewed > Self.lapse
    }

    /// Asks a running release to stop. Nothing else of its record changes.
    private func supersede(_ older: ReleaseRecord, by record: ReleaseRecord) async throws {
        guard (older.supersededBy ?? 0) < record.number else { return }
        try await retry("tell release \(older.name) to stop") {
            let body: JSON = ["status": ["supersededBy": JSON(record.number)]]
            do {
                _ = try await cluster.patch(
                    older.reference,
                    subresource: "status",
                    .merge,
                    body,
                    options: WriteOptions()
                )
            } catch let failure as Failure where failure.code == .notFound {
                // It moved to its namespace just now, or is gone; whoever waits for its end looks again.
            }
        }
    }

    /// Returns once no older release of the app runs any more; the record of one that was killed is closed.
    ///
    /// What killed ones left in clusters that this release does not change itself is returned, to be put back.
    func awaitPredecessors(
        of record: ReleaseRecord,
        sleeper: any Clock<Duration>,
        progress: any ReleaseProgress
    ) async throws -> Set<ClusterName> {
        let start = clock.now
        var strays: Set<ClusterName> = []
        var said: Set<Int> = []
        while true {
            let running = try await predecessors(of: record)
            var waits = false
            for older in running {
                if hasLapsed(older) {
                    guard try await close(older.abandoned) else {
                        waits = true
                        continue
                    }
                    await settle(older.abandoned)
                    strays.formUnion(older.clusters.filter(\.isOpen).map(\.cluster))
                    continue
                }
                waits = true
                try await supersede(older, by: record)
                if said.insert(older.number).inserted {
                    await progress.report(.note("waiting for release \(older.name) (\(older.place)) to stop"))
                }
            }
            guard waits else { return strays.subtracting(record.clusters.map(\.cluster)) }
            guard clock.now - start < Self.patience else {
                let names = running.map { "\($0.name) (\($0.place))" }.joined(separator: ", ")
                throw Failure(
                    .conflict,
                    "release \(names) did not stop in \(Self.patience.components.seconds) s; stop it, and release again"
                )
            }
            try await sleeper.sleep(for: Self.look)
        }
    }

    /// An older release may be putting back what it changed.
    private static let patience = Duration.seconds(600)

    /// What a release is told that has to stop for a newer one.
    func supersession(of record: ReleaseRecord, by number: Int) async -> StopSignal.Reason {
        let newer = try? await history(record.app, record.namespace).first { $0.number == number }
        let who = newer.map { " (\($0.by.isEmpty ? $0.place : $0.by))" } ?? ""
        return .superseded(
            by: "release \(record.app)-\(number)\(who)",
            clusters: Set(newer?.clusters.map(\.cluster) ?? [])
        )
    }

    /// Closes a record as it is given unless somebody else wrote it meanwhile; whether it was closed.
    func close(_ record: ReleaseRecord) async throws -> Bool {
        try await retry("close the record '\(record.name)'") {
            guard let stored = try await cluster.find(record.reference), let now = ReleaseRecord(stored) else {
                return true
            }
            // Ours all the same where the answer to an earlier try was lost.
            if now.phase == record.phase, now.message == record.message { return true }
            guard now.phase == .running, now.run == record.run, now.renewed == record.renewed else { return false }
            var body: JSON = ["status": record.status]
            body["metadata"] = ["resourceVersion": .string(stored.resourceVersion.text)]
            do {
                _ = try await cluster.patch(
                    record.reference,
                    subresource: "status",
                    .merge,
                    body,
                    options: WriteOptions()
                )
            } catch let failure as Failure where failure.code == .conflict {
                return false
            }
            return true
        }
    }

    /// Takes a release over whose holder has ended, or that has ended and left something; `nil` where somebody else was faster.
    func adopt(_ record: ReleaseRecord) async throws -> ReleaseRecord? {
        guard let stored = try await cluster.find(record.reference), let now = ReleaseRecord(stored),
            now.phase == record.phase, now.run == record.run, now.renewed == record.renewed
        else { return nil }
        var body: JSON = ["spec": ["run": .string(run), "holder": holder.json]]
        body["metadata"] = [
            "resourceVersion": .string(stored.resourceVersion.text), "labels": [ReleaseRecord.openLabel: "true"],
        ]
        do {
            _ = try await cluster.patch(record.reference, .merge, body)
        } catch let failure as Failure where failure.code == .conflict {
            return nil
        }
        // From here on nobody else may close it. It runs again, so that newer releases wait for its end.
        var mine = now
        (mine.run, mine.holder, mine.phase, mine.renewed) = (run, holder, .running, clock.now)
        let status: JSON = [
            "phase": .string(mine.phase.rawValue), "renewed": .string(mine.renewed.microText),
        ]
        try await retry("take over the record '\(mine.name)'") { [mine] in
            _ = try await cluster.patch(
                mine.reference,
                subresource: "status",
                .merge,
                ["status": status],
                options: WriteOptions()
            )
        }
        return mine
    }

    /// A number is taken too where its record lies in the other of its two places: while one release moves its record
    /// home, another may open the same number beside it.
    private func isTakenElsewhere(_ record: ReleaseRecord) async throws -> Bool {
        let home = record.namespace.text
        var other = record
        other.keptIn = record.keptIn == home ? ReleaseRecord.systemNamespace : home
        guard other.keptIn != record.keptIn else { return false }
        let reference = other.reference
        let stored = try await retry("look for the record '\(record.name)'") {
            try await cluster.findShared(reference)
        }
        guard let stored = stored.flatMap({ ReleaseRecord($0) }) else { return false }
        return stored.namespace == record.namespace && stored.number == record.number && stored.run != run
    }

    private func namespaceToKeep(_ app: App) async throws -> String {
        let namespaces = [app.namespace.text, ReleaseRecord.systemNamespace]
        if try await exists(namespaces[0]) { return namespaces[0] }
        if try await exists(namespaces[1]) { return namespaces[1] }
        try await ensureNamespace(namespaces[1])
        return namespaces[1]
    }

    private func exists(_ namespace: String) async throws -> Bool {
        try await retry("look for the namespace '\(namespace)'") {
            try await cluster.find(ObjectReference(.namespaces, name: namespace)) != nil
        }
    }

    /// Whether the namespace had to be created.
    @discardableResult
    func ensureNamespace(_ namespace: String) async throws -> Bool {
        try await Self.ensureNamespace(namespace, in: cluster, retry)
    }

    @discardableResult
    static func ensureNamespace(
        _ namespace: String,
        in cluster: any ClusterAPI,
        _ retry: CallRetry
    ) async throws -> Bool {
        try await retry("create the namespace '\(namespace)'") {
            guard try await NamespaceSight.of(namespace, in: cluster).isMissing else { return false }
            try await NamespaceSight.create(namespace, in: cluster)
            return true
        }
    }

    /// Whether the record is ours now; `false` where its number is taken.
    private func create(_ record: ReleaseRecord) async throws -> Bool {
        try await retry("open the record '\(record.name)'") {
            do {
                _ = try await cluster.create(record.object, as: .releases)
            } catch let failure as Failure where failure.code == .conflict {
                // Ours all the same where the answer to an earlier try was lost.
                let stored = try await cluster.find(record.reference).flatMap { ReleaseRecord($0) }
                guard stored?.run == run else { return false }
            }
            try await write(record)
            return true
        }
    }

    /// Moves a record into its app's namespace, once that exists.
    func moveHome(_ record: ReleaseRecord) async throws -> ReleaseRecord {
        guard record.keptIn != record.namespace.text else { return record }
        var moved = record
        moved.keptIn = record.namespace.text
        guard try await create(moved) else { return record }
        try await retry("move the record '\(record.name)'") {
            guard try await cluster.find(record.reference) != nil else { return }
            try await cluster.delete(record.reference)
        }
        return moved
    }

    /// Throws ``Lost`` where somebody else closed the record: then it is not ours to change the cluster any more.
    func confirm(_ record: ReleaseRecord) async throws {
        let stored = try await retry("read the record '\(record.name)'") { try await cluster.find(record.reference) }
        guard let stored = stored.flatMap({ ReleaseRecord($0) }), stored.phase == .running, stored.run == run else {
            throw Lost(why: Self.lost(record))
        }
    }

    static func lost(_ record: ReleaseRecord) -> String {
        "the record of release \(record.name) was closed by somebody else, so this release stops here"
    }

    /// Removes the oldest records beyond those that are kept, but never the newest that succeeded, and the manifests that
    /// only they had.
    func forgetOld(_ app: AppName, _ namespace: NamespaceName) async throws {
        let history = try await history(app, namespace)
        let good = history.first { $0.phase == .succeeded }?.number
        for record in history.dropFirst(Self.keptRecords) where record.phase != .running && record.number != good {
            try await retry("remove the record '\(record.name)'") {
                guard try await cluster.find(record.reference) != nil else { return }
                try await cluster.delete(record.reference)
            }
        }
        try await ManifestBook(home: cluster, retry: retry).forget(app, in: namespace.text) {
            Set(try await self.history(app, namespace).compactMap { $0.declaration["manifests"]?.string })
        }
    }

    /// The record is somebody else's by now: closed, taken over, or deleted.
    struct Lost: Error {
        var why: String
    }

    /// Writes the record. Throws ``Lost`` where it is no longer ours, whatever we slept through meanwhile.
    func save(_ record: ReleaseRecord) async throws {
        try await retry("write the record '\(record.name)'") {
            var stored = try await held(record)
            if let image = record.image, stored.spec["image"]?.string != image {
                let version: JSON = ["resourceVersion": .string(stored.resourceVersion.text)]
                let body: JSON = ["metadata": version, "spec": ["image": .string(image)]]
                stored = try await cluster.patch(record.reference, .merge, body)
            }
            try await write(record, over: stored.resourceVersion)
        }
        await settle(record)
    }

    /// Takes a record that has ended off the list of those that have to be looked after. Best effort: whoever looks after
    /// them does it again.
    func settle(_ record: ReleaseRecord) async {
        guard !record.isOpen else { return }
        let body: JSON = ["metadata": ["labels": .object(JSONObject([(ReleaseRecord.openLabel, .null)]))]]
        try? await retry("settle the record '\(record.name)'") {
            guard let stored = try await cluster.find(record.reference), stored.labels[ReleaseRecord.openLabel] != nil
            else { return }
            _ = try await cluster.patch(record.reference, .merge, body)
        }
    }

    /// Throws ``Lost`` where the record is no longer ours, so that nothing may be changed in its name any more.
    func demandHeld(_ record: ReleaseRecord) async throws {
        try await retry("read the record '\(record.name)'") { _ = try await held(record) }
    }

    private func held(_ record: ReleaseRecord) async throws -> KubeObject {
        guard let stored = try await cluster.find(record.reference), let now = ReleaseRecord(stored), now.run == run,
            now.phase == .running || now.phase == record.phase
        else { throw Lost(why: Self.lost(record)) }
        return stored
    }

    /// `version` is what was read before: somebody else's write in between makes it a conflict.
    private func write(_ record: ReleaseRecord, over version: ResourceVersion? = nil) async throws {
        var record = record
        record.renewed = clock.now
        var body: JSON = ["status": record.status]
        if let version { body["metadata"] = ["resourceVersion": .string(version.text)] }
        _ = try await cluster.patch(record.reference, subresource: "status", .merge, body, options: WriteOptions())
    }

    /// Says that the holder is at work.
    func renew(_ reference: ObjectReference) async {
        let body: JSON = ["status": ["renewed": .string(clock.now.microText)]]
        // The next one comes soon; a lapse needs several to be missed.
        _ = try? await cluster.patch(reference, subresource: "status", .merge, body, options: WriteOptions())
    }

    /// Newest first.
    func history(_ app: AppName, _ namespace: NamespaceName) async throws -> [ReleaseRecord] {
        let labels = [ReleaseRecord.appLabel: app.text]
        var records: [Int: ReleaseRecord] = [:]
        // A record moves from the system's namespace to its own: looked for in this order, it is seen at least once.
        for place in [ReleaseRecord.systemNamespace, namespace.text] {
            let query = ListQuery(.releases, namespace: place, labelSelector: LabelSelector(matching: labels))
            let found = try await retry("read the releases of '\(app)'") { try await cluster.records(query) }
            for record in found.compactMap({ ReleaseRecord($0) }) where record.namespace == namespace {
                records[record.number] = record
            }
        }
        return records.values.sorted { $0.number > $1.number }
    }
}

extension ReleaseRecord {
    /// Where it runs, in words.
    var place: String { holder.map { "process \($0.process) on \($0.host)" } ?? "an unknown process" }

    /// Where the record is once its namespace exists.
    var homeReference: ObjectReference { ObjectReference(.releases, namespace: namespace.text, name: name) }

    /// As it is closed for a holder that was killed.
    var abandoned: ReleaseRecord { ended(.interrupted, "\(place) ended without a word") }

    func ended(_ phase: Phase, _ message: String) -> ReleaseRecord {
        var record = self
        record.phase = phase
        record.message = message
        return record
    }
}
