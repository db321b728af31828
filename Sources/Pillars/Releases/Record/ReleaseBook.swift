// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Keeps release records in a cluster.
struct ReleaseBook: Sendable {
    let cluster: any ClusterAPI
    let clock: WallClock
    let retry: CallRetry
    let holder: ReleaseHolder
    /// Different for each release.
    let run: String
    let hasEnded: @Sendable (ReleaseHolder) -> Bool?

    /// A holder that says nothing for so long has ended, whatever is seen of its process.
    static let lapse = Duration.seconds(45)
    static let renewal = Duration.seconds(10)

    /// Opens the next number of the app. Of two at once, the one with the lower number runs.
    ///
    /// A record left by a process that ended is marked `Interrupted`. Throws `conflict` where a release of the app runs.
    func open(_ app: App) async throws -> ReleaseRecord {
        let history = try await history(app.name, app.namespace)
        try await demandNobodyRuns(history)
        let keptIn = try await namespaceToKeep(app)
        var number = history.first?.number ?? 0
        while true {
            number += 1
            let now = clock.now
            let record = ReleaseRecord(
                app: app,
                number: number,
                started: now,
                keptIn: keptIn,
                holder: holder,
                run: run
            )
            guard try await create(record) else { continue }
            guard try await !isTakenElsewhere(record) else {
                try await retry("give up the record '\(record.name)'") { try await cluster.delete(record.reference) }
                continue
            }
            do {
                try await demandNobodyRuns(self.history(app.name, app.namespace).filter { $0.number < number })
            } catch {
                try? await save(record.ended(.failed, "another release of this app was faster"))
                throw error
            }
            return record
        }
    }

    private func demandNobodyRuns(_ history: [ReleaseRecord]) async throws {
        for record in history where record.phase == .running {
            guard record.holder.flatMap(hasEnded) == true || clock.now - record.renewed > Self.lapse else {
                let since = (clock.now - record.started).components.seconds
                throw Failure(
                    .conflict,
                    "release \(record.name) is running (\(record.place), since \(since) s); wait for it to end, or stop it"
                )
            }
            try await save(record.abandoned)
        }
    }

    /// A number is taken too where its record lies in the other of its two places: while one release moves its record
    /// home, another may open the same number beside it.
    private func isTakenElsewhere(_ record: ReleaseRecord) async throws -> Bool {
        let home = record.namespace.text
        var other = record
        other.keptIn = record.keptIn == home ? ReleaseRecord.systemNamespace : home
        guard other.keptIn != record.keptIn else { return false }
        let reference = other.reference
        let stored = try await retry("look for the record '\(record.name)'") { try await cluster.find(reference) }
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
        try await retry("create the namespace '\(namespace)'") {
            guard try await cluster.find(ObjectReference(.namespaces, name: namespace)) == nil else { return false }
            _ = try await cluster.create(KubeObject(.namespaces, name: namespace), as: .namespaces)
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

    /// Throws `conflict` where somebody else closed the record: then it is not ours to change the cluster any more.
    func confirm(_ record: ReleaseRecord) async throws {
        let stored = try await retry("read the record '\(record.name)'") { try await cluster.find(record.reference) }
        guard let stored = stored.flatMap({ ReleaseRecord($0) }), stored.phase == .running, stored.run == run else {
            throw Failure(
                .conflict,
                "the record of release \(record.name) was closed by somebody else, so this release stops here"
            )
        }
    }

    func save(_ record: ReleaseRecord) async throws {
        try await retry("write the record '\(record.name)'") {
            if let image = record.image {
                _ = try await cluster.patch(record.reference, .merge, ["spec": ["image": .string(image)]])
            }
            try await write(record)
        }
    }

    private func write(_ record: ReleaseRecord) async throws {
        var record = record
        record.renewed = clock.now
        let body: JSON = ["status": record.status]
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
            let page = try await retry("read the releases of '\(app)'") { try await cluster.list(query) }
            for record in page.items.compactMap({ ReleaseRecord($0) }) where record.namespace == namespace {
                records[record.number] = record
            }
        }
        return records.values.sorted { $0.number > $1.number }
    }
}

extension ReleaseRecord {
    fileprivate var place: String { holder.map { "process \($0.process) on \($0.host)" } ?? "an unknown process" }

    /// As it is closed for a holder that was killed.
    var abandoned: ReleaseRecord { ended(.interrupted, "\(place) ended without a word") }

    fileprivate func ended(_ phase: Phase, _ message: String) -> ReleaseRecord {
        var record = self
        record.phase = phase
        record.message = message
        return record
    }
}
