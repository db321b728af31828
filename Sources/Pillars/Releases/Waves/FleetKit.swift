// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
package import Ports

/// What changing the clusters of a release needs, whoever does it: a release, a rollback, or the one who adopts either.
struct FleetKit: Sendable {
    let home: any ClusterAPI
    let clusters: any ClusterDirectory
    let signals: @Sendable (ClusterName) -> [any ReleaseSignals]
    let progress: any ReleaseProgress
    let clock: WallClock
    let sleeper: any Clock<Duration>

    /// A first contact does not wait as long as a change under way.
    private static let firstAttempts = 4

    func retry(_ progress: any ReleaseProgress, isFirst: Bool = false) -> CallRetry {
        var retry = CallRetry(clock: sleeper, progress: progress)
        if isFirst { retry.attempts = Self.firstAttempts }
        return retry
    }

    func pods(
        _ cluster: any ClusterAPI,
        _ name: ClusterName,
        _ progress: any ReleaseProgress,
        isFirst: Bool = false,
        goesBack: Bool = false
    ) -> PodsStage {
        PodsStage(
            cluster: cluster,
            progress: progress,
            clock: clock,
            sleeper: sleeper,
            retry: retry(progress, isFirst: isFirst),
            name: name,
            home: home,
            goesBack: goesBack
        )
    }

    /// Throws `unavailable` where the cluster does not answer, and why else it is no place for the app. Changes nothing.
    ///
    /// `fields`: fields of others are looked for, too. Who is about to plan finds them anyway.
    func check(
        _ app: App,
        _ name: ClusterName,
        _ progress: any ReleaseProgress,
        fields: Bool = false
    ) async throws -> any ClusterAPI {
        let cluster = try await clusters.cluster(named: name.text)
        let (pods, app) = (pods(cluster, name, progress, isFirst: true), app.overridden(for: name))
        try await pods.check(app)
        if fields { try await pods.checkFields(app) }
        return cluster
    }

    /// Whether a failure means that nobody answered, rather than that somebody refused.
    static func isSilence(_ error: any Error) -> Bool {
        (error as? Failure).map { [.unavailable, .deadlineExceeded].contains($0.code) } ?? false
    }
}

/// The home cluster and no other.
package struct HomeOnly: ClusterDirectory {
    let home: any ClusterAPI

    package init(_ home: any ClusterAPI) { self.home = home }

    package func names() async throws -> [String] { [ClusterName.local.text] }

    package func cluster(named name: String) async throws -> any ClusterAPI {
        guard name == ClusterName.local.text else {
            throw Failure(.notFound, "the cluster '\(name)' is not known; only 'local' exists so far")
        }
        return home
    }
}

/// Progress of one cluster among several: each line names it.
struct ClusterProgress: ReleaseProgress {
    let base: any ReleaseProgress
    let cluster: ClusterName

    func report(_ event: ReleaseEvent) async {
        switch event {
        case .note(let text): await base.report(.note("\(cluster): \(text)"))
        case .waiting(let text): await base.report(.waiting("\(cluster): \(text)"))
        case .health(var report):
            report.cluster = cluster.text
            await base.report(.health(report))
        case .diagnosed(_, let diagnosis, let lines):
            await base.report(.diagnosed(cluster: cluster.text, diagnosis, lastLines: lines))
        default: await base.report(event)
        }
    }
}
