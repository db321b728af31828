// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// What runs of an app in one cluster.
struct Serving: Sendable {
    var cluster: ClusterName
    var deployment: KubeObject?
    var pods: [KubeObject]
}

/// Reads what runs of apps in clusters other than the home cluster. Changes nothing.
struct ServingReader: Sendable {
    let clusters: any ClusterDirectory
    let sleeper: any Clock<Duration>

    private static let deadline = Duration.seconds(10)

    /// By app, in the order of the clusters' names; a cluster that does not answer in time, or does not let us look, is left
    /// out: the drift says so.
    func read(_ apps: [ClusterName: Set<ObjectName>]) async -> [ObjectName: [Serving]] {
        await withTaskGroup(of: [(ObjectName, Serving)].self) { group in
            // Beside each other: one slow cluster never delays another.
            for (name, apps) in apps { group.addTask { await inTime { try await serving(apps, in: name) } } }
            var result: [ObjectName: [Serving]] = [:]
            for await found in group {
                for (app, serving) in found { result[app, default: []].append(serving) }
            }
            return result.mapValues { $0.sorted { $0.cluster.text < $1.cluster.text } }
        }
    }

    private func inTime<Value: Sendable>(_ work: @escaping @Sendable () async throws -> [Value]) async -> [Value] {
        await withTaskGroup(of: [Value].self) { group in
            defer { group.cancelAll() }
            group.addTask { (try? await work()) ?? [] }
            group.addTask {
                try? await sleeper.sleep(for: Self.deadline)
                return []
            }
            return await group.next() ?? []
        }
    }

    private func serving(_ apps: Set<ObjectName>, in name: ClusterName) async throws -> [(ObjectName, Serving)] {
        let cluster = try await clusters.cluster(named: name.text)
        let ours = LabelSelector(matching: ["app.kubernetes.io/managed-by": "ballast"])
        var result: [(ObjectName, Serving)] = []
        for namespace in Set(apps.map(\.namespace)).sorted() {
            let deployments = try await cluster.list(ListQuery(.deployments, namespace: namespace)).items
            let pods = try await cluster.list(ListQuery(.pods, namespace: namespace, labelSelector: ours)).items
            for app in apps where app.namespace == namespace {
                let serving = Serving(
                    cluster: name,
                    deployment: deployments.first { $0.name == app.name },
                    pods: pods.filter { $0.labels[AppObjects.selectorLabel] == app.name }
                )
                result.append((app, serving))
            }
        }
        return result
    }
}
