// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import AppFile
package import Model
package import Ports

/// What a release of a file would change in each of its clusters. Changes nothing, tests and builds nothing: where the image
/// is to be built, pods are shown with the one that the last release gave them.
package struct ReleaseDryRun: Sendable {
    private let home: any ClusterAPI
    private let clusters: any ClusterDirectory

    /// Without `clusters` only the home cluster is known.
    package init(home: any ClusterAPI, clusters: (any ClusterDirectory)? = nil) {
        self.home = home
        self.clusters = clusters ?? HomeOnly(home)
    }

    /// The plans of the file's clusters, or only of those of `to`, in the order of the waves.
    ///
    /// Throws what a release would be refused for.
    package func plan(_ file: AppFile, to: [ClusterName] = []) async throws -> [ClusterPlan] {
        let file = try Releaser.withManifests(file)
        let plan = try ReleasePlan(file, to: to)
        let names = plan.waves.flatMap(\.self)
        if names != [.local] { try plan.demand(names, among: try await clusters.names()) }
        try await OwnRegistry(home: home, clusters: clusters).demandReach(plan)
        // Beside each other: one slow cluster never delays another.
        return try await inParallel(names, limit: names.count) { name in
            do {
                return try await self.plan(file, plan, name)
            } catch let failure as Failure where names.count > 1 {
                throw Failure(failure.code, "in the cluster '\(name)': \(failure.message)", cause: failure.cause)
            }
        }
    }

    private func plan(_ file: AppFile, _ plan: ReleasePlan, _ name: ClusterName) async throws -> ClusterPlan {
        let cluster = try await clusters.cluster(named: name.text)
        let app = file.app.overridden(for: name)
        let pods = stage(cluster, name)
        try await pods.check(app)
        let login = try await PullSecret.login(of: app, for: plan.image, in: home, pods.retry)
        let host = app.image.pullHost ?? plan.image.registry
        return try await pods.plan(
            app,
            image: try await image(of: app, plan, cluster),
            pullSecret: login.map { PullSecret.object(for: app, host, $0) }
        )
    }

    private func stage(_ cluster: any ClusterAPI, _ name: ClusterName) -> PodsStage {
        let (progress, clock) = (Silence(), WallClock { Timestamp(seconds: 0) })
        let retry = CallRetry(clock: ContinuousClock(), progress: progress, attempts: 4)
        return PodsStage(
            cluster: cluster,
            progress: progress,
            clock: clock,
            sleeper: ContinuousClock(),
            retry: retry,
            name: name,
            home: home
        )
    }

    private func image(of app: App, _ plan: ReleasePlan, _ cluster: any ClusterAPI) async throws -> String {
        try await LatestImage.of(app, in: cluster, home: home) ?? "\(plan.image):next"
    }

    private struct Silence: ReleaseProgress {
        func report(_ event: ReleaseEvent) async {}
    }
}

extension Releaser {
    /// The file with the objects of its manifests read.
    static func withManifests(_ file: AppFile) throws -> AppFile {
        var file = file
        file.app.manifestFiles = try ManifestReader.read(file.app.manifestPaths, in: file.folder)
        return file
    }
}
