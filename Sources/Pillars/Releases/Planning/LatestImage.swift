// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports

/// The image to plan with while the new one is yet to be built.
enum LatestImage {
    /// What the file names, else what the last good release was made with, else what the cluster runs; `nil` where there is
    /// none of them.
    ///
    /// Not what runs first: somebody may have put that there since, which is a conflict to be told.
    static func of(_ app: App, in cluster: any ClusterAPI, home: any ClusterAPI) async throws -> String? {
        if let image = app.image.use { return image }
        let labels = LabelSelector(matching: [ReleaseRecord.appLabel: app.name.text])
        let query = ListQuery(.releases, namespace: app.namespace.text, labelSelector: labels)
        let records = try await home.records(query).compactMap { ReleaseRecord($0) }
        let good = records.filter { $0.phase == .succeeded }.max { $0.number < $1.number }
        if let image = good?.image { return image }
        let reference = ObjectReference(.deployments, namespace: app.namespace.text, name: app.name.text)
        let containers = try await cluster.find(reference)?[path: "spec", "template", "spec", "containers"]?.array ?? []
        return containers.first { $0["name"]?.string == app.deploy.container ?? app.name.text }?["image"]?.string
    }
}
