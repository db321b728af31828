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

/// Compares apps with their clusters. Reads each kind once in a cluster, and changes nothing.
struct DriftReader: Sendable {
    let clusters: any ClusterDirectory
    let sleeper: any Clock<Duration>

    private static let kinds: [ResourceType] = [.deployments, .services, .ingresses]
    private static let deadline = Duration.seconds(10)

    /// By app, the drift in each of its clusters that could be asked or not; `served` are the records that should run.
    func read(_ served: [ReleaseRecord], in namespace: String?) async -> [ObjectName: [Drift]] {
        let names = Set(served.flatMap { $0.clusters.map(\.cluster) })
        return await withTaskGroup(of: (ClusterName, Result<[ResourceType: [ObjectName: KubeObject]], Failure>).self) {
            group in
            for name in names {
                // Beside each other: one slow cluster never delays another.
                group.addTask { (name, await live(in: name, namespace)) }
            }
            var result: [ObjectName: [Drift]] = [:]
            for await (name, live) in group {
                for record in served {
                    guard let entry = record[name], entry.phase == .succeeded else { continue }
                    let app = ObjectName(namespace: record.namespace.text, name: record.app.text)
                    result[app, default: []].append(Self.drift(of: record, in: name, live))
                }
            }
            return result.mapValues { $0.sorted { $0.cluster.text < $1.cluster.text } }
        }
    }

    private func live(
        in name: ClusterName,
        _ namespace: String?
    ) async -> Result<[ResourceType: [ObjectName: KubeObject]], Failure> {
        await withTaskGroup(of: Result<[ResourceType: [ObjectName: KubeObject]], Failure>.self) { group in
            defer { group.cancelAll() }
            group.addTask {
                do {
                    let cluster = try await clusters.cluster(named: name.text)
                    var all: [ResourceType: [ObjectName: KubeObject]] = [:]
                    for kind in Self.kinds {
                        let items = try await cluster.list(ListQuery(kind, namespace: namespace)).items
                        all[kind] = Dictionary(items.map { (ObjectName($0), $0) }) { $1 }
                    }
                    return .success(all)
                } catch {
                    return .failure(error as? Failure ?? Failure(.fault, ErrorWords.text(of: error)))
                }
            }
            group.addTask {
                try? await sleeper.sleep(for: Self.deadline)
                return .failure(
                    Failure(.deadlineExceeded, "did not answer within \(Self.deadline.components.seconds) s")
                )
            }
            // The group has two children, so there is a first result.
            return await group.next() ?? .failure(Failure(.fault, "was not asked"))
        }
    }

    static func drift(
        of record: ReleaseRecord,
        in name: ClusterName,
        _ live: Result<[ResourceType: [ObjectName: KubeObject]], Failure>
    ) -> Drift {
        var drift = Drift(cluster: name, lines: [], trouble: nil)
        switch live {
        case .failure(let failure): drift.trouble = failure.message
        case .success(let objects):
            guard let app = record.declaredApp?.overridden(for: name), let image = record.image else { break }
            for (type, wanted) in AppObjects(app: app, image: image).all where kinds.contains(type) {
                let words = ObjectReference(type, namespace: wanted.namespace, name: wanted.name).words
                guard let stored = objects[type]?[ObjectName(wanted)] else {
                    drift.lines.append("\(words) is gone")
                    continue
                }
                drift.lines += differences(wanted, stored).map { "\(words) \($0)" }
            }
        }
        return drift
    }

    /// What is stored, and what a release would make of it again.
    private static func differences(_ wanted: KubeObject, _ stored: KubeObject) -> [String] {
        // What we said last does not matter here: only what we want and do not find.
        var wanted = wanted
        if let secrets = stored[path: "spec", "template", "spec", "imagePullSecrets"] {
            // Its name depends on the cluster's credentials, which a record does not hold.
            wanted.json.set(secrets, at: ["spec", "template", "spec", "imagePullSecrets"])
        }
        var bare = stored
        bare.json.set(
            .string(wanted.json.sortedByKey.text),
            at: ["metadata", "annotations", ObjectDifference.annotation]
        )
        guard let patch = ObjectDifference.mergePatch(wanted: wanted, live: bare) else { return [] }
        return ObjectDifference.summary(of: patch, live: stored)
    }
}
