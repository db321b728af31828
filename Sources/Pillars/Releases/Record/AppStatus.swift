// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model
package import Ports

/// One app as `ballast status` shows it.
package struct AppStatus: Sendable {
    package struct Pod: Sendable, Hashable {
        package var cluster: ClusterName
        package var name: String
        /// What keeps it from serving, in words; `nil` where it serves.
        package var trouble: String?
        package var restarts: Int
    }

    package var namespace: String
    package var app: String
    package var owner: String
    package var release: Int?
    package var phase: String
    package var started: Timestamp?
    package var ready: Int
    package var wanted: Int
    package var image: String
    package var message: String
    package var pods: [Pod]
    /// Where clusters differ from what was released there last; empty where nobody looked.
    package var drift: [Drift] = []

    /// All apps with their drift in all clusters.
    package static func read(
        from home: any ClusterAPI,
        clusters: any ClusterDirectory,
        namespace: String?,
        sleeper: any Clock<Duration> = ContinuousClock()
    ) async throws -> [AppStatus] {
        var all = try await read(from: home, namespace: namespace)
        // Who removed a cluster is not asked about it for ever.
        let known = try? await clusters.names()
        let records = try await records(in: home, namespace).map { record in
            var record = record
            if let known { record.clusters.removeAll { !known.contains($0.cluster.text) } }
            return record
        }
        async let drift = DriftReader(home: home, clusters: clusters, sleeper: sleeper).read(served(records))
        async let servings = ServingReader(clusters: clusters, sleeper: sleeper).read(elsewhere(records))
        let (found, running) = await (drift, servings)
        for place in all.indices {
            let name = ObjectName(namespace: all[place].namespace, name: all[place].app)
            all[place].drift = found[name] ?? []
            for serving in running[name] ?? [] { all[place].add(serving) }
        }
        return all
    }

    /// The apps that releases brought to clusters other than the home cluster.
    private static func elsewhere(_ records: [ReleaseRecord]) -> [ClusterName: Set<ObjectName>] {
        var apps: [ClusterName: Set<ObjectName>] = [:]
        for record in records {
            let name = ObjectName(namespace: record.namespace.text, name: record.app.text)
            for result in record.clusters where result.cluster != .local && result.phase != .skipped {
                apps[result.cluster, default: []].insert(name)
            }
        }
        return apps
    }

    /// For each app and cluster the newest good release there: what should run.
    static func served(_ records: [ReleaseRecord]) -> [ReleaseRecord] {
        var seen: Set<String> = []
        return records.filter { $0.phase == .succeeded }.sorted { $0.number > $1.number }.compactMap { record in
            var record = record
            record.clusters = record.clusters.filter { result in
                result.phase == .succeeded
                    && seen.insert("\(record.namespace)/\(record.app)/\(result.cluster)").inserted
            }
            return record.clusters.isEmpty ? nil : record
        }
    }

    /// All apps of a cluster, by namespace and name; also those of which there is only a record of a failed first release.
    package static func read(from cluster: any ClusterAPI, namespace: String?) async throws -> [AppStatus] {
        let apps = try await cluster.records(ListQuery(.apps, namespace: namespace))
        let releases = try await records(in: cluster, namespace)
        let deployments = try await cluster.list(ListQuery(.deployments, namespace: namespace)).items
        let ours = LabelSelector(matching: ["app.kubernetes.io/managed-by": "ballast"])
        let pods = try await cluster.list(ListQuery(.pods, namespace: namespace, labelSelector: ours)).items
        let names = Set(apps.map { ObjectName($0) })
            .union(releases.map { ObjectName(namespace: $0.namespace.text, name: $0.app.text) })
        return names.sorted().map { name in
            let newest = releases.filter { $0.namespace.text == name.namespace && $0.app.text == name.name }
                .max { $0.number < $1.number }
            return AppStatus(
                name,
                apps.first { ObjectName($0) == name },
                newest,
                deployments.first { ObjectName($0) == name },
                pods.filter { $0.namespace == name.namespace && $0.labels[AppObjects.selectorLabel] == name.name }
            )
        }
    }

    /// Records of apps whose namespace does not exist yet are in Ballast's own.
    private static func records(in cluster: any ClusterAPI, _ namespace: String?) async throws -> [ReleaseRecord] {
        var records = try await cluster.records(ListQuery(.releases, namespace: namespace))
        if namespace != nil {
            records += try await cluster.records(ListQuery(.releases, namespace: ReleaseRecord.systemNamespace))
        }
        return records.compactMap { ReleaseRecord($0) }.filter { namespace == nil || $0.namespace.text == namespace }
    }

    private init(
        _ name: ObjectName,
        _ app: KubeObject?,
        _ record: ReleaseRecord?,
        _ deployment: KubeObject?,
        _ pods: [KubeObject]
    ) {
        namespace = name.namespace
        self.app = name.name
        owner = app?.spec["owner"]?.string ?? ""
        release = record?.number
        phase = record?.phase.rawValue ?? "Unknown"
        started = record?.started
        ready = 0
        wanted = 0
        image = ""
        message = record?.message ?? ""
        self.pods = []
        add(Serving(cluster: .local, deployment: deployment, pods: pods))
    }

    /// Counts what runs in one more cluster.
    private mutating func add(_ serving: Serving) {
        ready += serving.deployment?.status["readyReplicas"]?.int ?? 0
        wanted += serving.deployment.map { $0.spec["replicas"]?.int ?? 1 } ?? 0
        if image.isEmpty {
            image = serving.deployment?[path: "spec", "template", "spec", "containers"]?[0]?["image"]?.string ?? ""
        }
        // What has ended and is only kept for its logs says nothing of what serves.
        let alive = serving.pods.filter { $0.status["phase"]?.string != "Succeeded" }
        pods += alive.sorted { $0.name < $1.name }.map { pod in
            let restarts = (pod.status["containerStatuses"]?.array ?? []).compactMap { $0["restartCount"]?.int }
            return Pod(
                cluster: serving.cluster,
                name: pod.name,
                trouble: PodWords.trouble(of: pod),
                restarts: restarts.reduce(0, +)
            )
        }
    }

    /// What is wrong with its pods comes before what its last release said.
    private var words: String {
        let pod = pods.first { $0.trouble != nil && $0.trouble != "Terminating" }
        return pod.map { "\($0.name): \($0.trouble ?? "")" } ?? message
    }

    /// "none", "2 in prod-a", or "?" for a cluster that does not answer; "-" where there is nothing to compare.
    private var driftWords: String {
        guard !drift.isEmpty else { return "-" }
        let parts = drift.compactMap { drift -> String? in
            if drift.trouble != nil { return "? in \(drift.cluster)" }
            return drift.lines.isEmpty ? nil : "\(drift.lines.count) in \(drift.cluster)"
        }
        return parts.isEmpty ? "none" : parts.joined(separator: ", ")
    }

    package func cells(isWide: Bool) -> [String] {
        let short = image.split(separator: "@").last.map { String($0.prefix(19)) } ?? "-"
        let first = [namespace, app, release.map(String.init) ?? "-", phase, "\(ready)/\(wanted)", driftWords]
        guard isWide else { return first + [short, words.count > 100 ? words.prefix(97) + "..." : words] }
        let shown = image.isEmpty ? "-" : image
        return first + [shown, owner.isEmpty ? "-" : owner, started.map { "\($0)" } ?? "-", words]
    }

    package var json: JSON {
        [
            "namespace": .string(namespace), "app": .string(app), "owner": .string(owner),
            "release": release.map { JSON($0) } ?? .null, "phase": .string(phase),
            "started": started.map { .string("\($0)") } ?? .null, "ready": JSON(ready), "replicas": JSON(wanted),
            "image": .string(image), "message": .string(message), "drift": .array(drift.map(\.json)),
            "pods": .array(
                pods.map { pod in
                    [
                        "cluster": .string(pod.cluster.text), "name": .string(pod.name),
                        "ready": .bool(pod.trouble == nil), "restarts": JSON(pod.restarts),
                        "trouble": pod.trouble.map { .string($0) } ?? .null,
                    ]
                }
            ),
        ]
    }
}
