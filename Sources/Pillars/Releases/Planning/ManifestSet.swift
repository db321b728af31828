// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model
package import Ports

/// Objects applied as a release applies an app's manifests, without a release around them: for measuring.
package struct ManifestSet: Sendable {
    package struct Outcome: Sendable, Hashable {
        package var created = 0
        package var changed = 0
        package var unchanged = 0
    }

    private let manifests: [Manifest]
    private let app: App

    /// The objects below these paths; those without a namespace go into that of `app`.
    package init(_ paths: [String], in folder: String, of app: App) throws {
        self.app = app
        let files = try ManifestReader.read(paths, in: folder)
        manifests = paths.flatMap { files[$0] ?? [] }
    }

    package func apply(to cluster: any ClusterAPI, progress: any ReleaseProgress) async throws -> Outcome {
        let retry = CallRetry(clock: ContinuousClock(), progress: progress)
        let state = try await DesiredState([], manifests, app: app, schema: cluster.schema)
        let planned = try await ObjectPlanner(cluster: cluster, retry: retry).plan(state)
        let applier = ObjectApplier(cluster: cluster, retry: retry, progress: progress, sleeper: ContinuousClock())
        try await applier.apply(planned, in: ApplyStage.allCases)
        func count(_ action: PlannedObject.Action) -> Int { planned.count { $0.action == action } }
        return Outcome(
            created: count(.create),
            changed: count(.change) + count(.own),
            unchanged: count(.none)
        )
    }
}
