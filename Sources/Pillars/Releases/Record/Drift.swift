// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model
import Ports

/// Where clusters no longer run what was last released there: changed by hand, deleted, or never put back.
package struct Drift: Sendable, Hashable {
    package var cluster: ClusterName
    /// One line for each field or object: "deployment shop/cart spec.replicas: 5 -> 2".
    package var lines: [String]
    /// Why nothing can be said; `nil` where it can.
    package var trouble: String?

    var json: JSON {
        var json: JSON = [
            "cluster": .string(cluster.text), "fields": .array(lines.map { .string($0) }),
        ]
        if let trouble { json["trouble"] = .string(trouble) }
        return json
    }
}

/// Compares apps with what runs in their clusters: everything a release would apply there, manifests and overrides
/// included. Changes nothing.
struct DriftReader: Sendable {
    let home: any ClusterAPI
    let clusters: any ClusterDirectory
    let sleeper: any Clock<Duration>

    private static let deadline = Duration.seconds(10)
    private static let parallel = 8

    private var retry: CallRetry { CallRetry(clock: sleeper, progress: SilentProgress(), attempts: 1) }

    /// By app, the drift in each of its clusters that could be asked or not; `served` are the records that should run.
    func read(_ served: [ReleaseRecord]) async -> [ObjectName: [Drift]] {
        let names = Set(served.flatMap { $0.clusters.map(\.cluster) })
        return await withTaskGroup(of: [(ObjectName, Drift)].self) { group in
            for name in names {
                let records = served.filter { $0[name]?.phase == .succeeded }
                // Beside each other: one slow cluster never delays another.
                group.addTask { await drift(of: records, in: name) }
            }
            var result: [ObjectName: [Drift]] = [:]
            for await found in group {
                for (app, drift) in found { result[app, default: []].append(drift) }
            }
            return result.mapValues { $0.sorted { $0.cluster.text < $1.cluster.text } }
        }
    }

    private func drift(of records: [ReleaseRecord], in name: ClusterName) async -> [(ObjectName, Drift)] {
        func all(_ trouble: String) -> [(ObjectName, Drift)] {
            records.map { ($0.appName, Drift(cluster: name, lines: [], trouble: trouble)) }
        }
        return await withTaskGroup(of: Result<[(ObjectName, Drift)], Failure>?.self) { group in
            defer { group.cancelAll() }
            group.addTask {
                do {
                    return .success(try await compare(records, in: name))
                } catch {
                    return .failure(error as? Failure ?? Failure(.fault, ErrorWords.text(of: error)))
                }
            }
            group.addTask {
                try? await sleeper.sleep(for: Self.deadline)
                return nil
            }
            switch await group.next() {
            case .success(let drift)??: return drift
            case .failure(let failure)??: return all(failure.message)
            default: return all("did not answer within \(Self.deadline.components.seconds) s")
            }
        }
    }

    private func compare(_ records: [ReleaseRecord], in name: ClusterName) async throws -> [(ObjectName, Drift)] {
        let cluster = try await clusters.cluster(named: name.text)
        let stage = PodsStage(
            cluster: cluster,
            progress: SilentProgress(),
            clock: WallClock { Timestamp(seconds: 0) },
            sleeper: sleeper,
            retry: retry,
            name: name,
            home: home
        )
        let wanted = try await inParallel(records, limit: Self.parallel) { record in
            try await self.wanted(by: record, in: name, stage)
        }
        // All apps at once: each kind is read once in a namespace, however many of them there are.
        let references = wanted.flatMap { (try? $0.get()) ?? [] }.map(\.reference)
        let live = try await LiveObjects.read(references, from: cluster, retry)
        let namespaces = Set(records.map(\.namespace))
        let inventories = try await InventoryBook(home: home, retry: retry).all(name, near: namespaces)
        let planner = ObjectPlanner(
            cluster: cluster,
            retry: retry,
            taken: .all,
            known: Set(inventories.flatMap { $0.entries.map(\.identity) }),
            checksNewObjects: false
        )
        let pairs = Array(zip(records, wanted))
        return try await inParallel(pairs, limit: Self.parallel) { record, wanted in
            var drift = Drift(cluster: name, lines: [], trouble: nil)
            switch wanted {
            case .failure(let failure): drift.trouble = failure.message
            case .success(let objects):
                for object in objects {
                    let comparison = try await planner.compare(object, with: live)
                    drift.lines += comparison.lines(of: object.reference)
                }
            }
            return (record.appName, drift)
        }
    }

    /// What the record's release would apply there; a failure that is its own keeps no other app back.
    private func wanted(by record: ReleaseRecord, in name: ClusterName, _ stage: PodsStage) async throws -> Result<
        [DesiredObject], Failure
    > {
        guard let bare = record.declaredApp, let image = record.image else { return .success([]) }
        do {
            let app = try await ManifestBook(home: home, retry: retry).restore(bare, of: record)
            return .success(try await stage.desired(app.overridden(for: name), image: image, pullSecret: nil).objects)
        } catch let failure as Failure where ![.unavailable, .deadlineExceeded].contains(failure.code) {
            return .failure(failure)
        }
    }
}

extension ReleaseRecord {
    fileprivate var appName: ObjectName { ObjectName(namespace: namespace.text, name: app.text) }
}
