// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model
package import Ports

/// One app as `ballast status` shows it.
package struct AppStatus: Sendable {
    package var namespace: String
    package var app: String
    package var release: Int?
    package var phase: String
    package var ready: Int
    package var wanted: Int
    package var image: String
    package var message: String

    /// All apps of a cluster, by namespace and name.
    package static func read(from cluster: any ClusterAPI, namespace: String?) async throws -> [AppStatus] {
        let apps = try await cluster.list(ListQuery(.apps, namespace: namespace)).items
        let releases = try await cluster.list(ListQuery(.releases, namespace: namespace)).items
        let deployments = try await cluster.list(ListQuery(.deployments, namespace: namespace)).items
        return apps.map { app in
            let mine = releases.filter { $0.namespace == app.namespace }.compactMap { ReleaseRecord($0) }
                .filter { $0.app.text == app.name }
            let newest = mine.max { $0.number < $1.number }
            let deployment = deployments.first { $0.namespace == app.namespace && $0.name == app.name }
            let container = deployment?[path: "spec", "template", "spec", "containers"]?[0]
            return AppStatus(
                namespace: app.namespace ?? "",
                app: app.name,
                release: newest?.number,
                phase: newest?.phase.rawValue ?? "Unknown",
                ready: deployment?.status["readyReplicas"]?.int ?? 0,
                wanted: deployment?.spec["replicas"]?.int ?? 0,
                image: container?["image"]?.string ?? "",
                message: newest?.message ?? ""
            )
        }.sorted { ($0.namespace, $0.app) < ($1.namespace, $1.app) }
    }

    package var cells: [String] {
        let short = image.split(separator: "@").last.map { String($0.prefix(19)) } ?? "-"
        return [
            namespace, app, release.map(String.init) ?? "-", phase, "\(ready)/\(wanted)", short,
            String(message.prefix(100)),
        ]
    }

    package var json: JSON {
        [
            "namespace": .string(namespace), "app": .string(app), "release": release.map { JSON($0) } ?? .null,
            "phase": .string(phase), "ready": JSON(ready), "replicas": JSON(wanted), "image": .string(image),
            "message": .string(message),
        ]
    }
}
