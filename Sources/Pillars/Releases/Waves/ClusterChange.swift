// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// A release in one of its clusters: from the first object to the end of the verification.
struct ClusterChange: Sendable {
    let name: ClusterName
    let cluster: any ClusterAPI
    /// As this cluster gets it.
    let app: App
    let image: String
    /// It goes back to what was good already, as fast as it can.
    let isRollback: Bool
    let login: RegistryCredentials?
    let kit: FleetKit
    let progress: any ReleaseProgress
    let stop: StopSignal

    private var pods: PodsStage { kit.pods(cluster, progress) }

    /// Returns what changed. `enter` is told of each phase, before anything of it is done.
    ///
    /// Throws the diagnosis, the breach, or ``StopSignal/Stopped`` at the next safe point after the signal.
    func run(_ enter: @Sendable @escaping (ClusterResult.Phase) async throws -> Void) async throws -> [String] {
        try await enter(.changing)
        var changes = try await stop.cutting(ifUrgent: true) { try await apply() }
        try await enter(.waiting)
        try await stop.cutting { try await pods.awaitPods(app, image: image, patience: app.deploy.deadline) }
        if let rules = app.deploy.verify, !isRollback {
            try await enter(.verifying)
            try await stop.cutting { try await verify(rules, for: rules.window) }
        }
        changes += try await stop.cutting(ifUrgent: true) { try await pods.removeWhatIsNoLongerWanted(app) }
        return changes
    }

    private func apply() async throws -> [String] {
        if try await ReleaseBook.ensureNamespace(app.namespace.text, in: cluster, kit.retry(progress)) {
            await progress.report(.note("created the namespace '\(app.namespace)'"))
        }
        let host = ImageReference(image)?.registry ?? ""
        let secret = login.map { PullSecret.object(for: app, host, $0) }
        return try await pods.apply(app, image: image, pullSecret: secret)
    }

    /// Watches the new pods for so long; throws ``Verification/Breached``.
    func verify(_ rules: App.Verify?, for window: Duration) async throws {
        let sources: [any ReleaseSignals] = [PodSignals(cluster: cluster)] + kit.signals(name)
        let subject = ReleaseSubject(
            app: app.name,
            namespace: app.namespace,
            cluster: name,
            workload: app.name.text
        )
        let verification = Verification(
            subject: subject,
            sources: sources,
            clock: kit.clock,
            sleeper: kit.sleeper,
            progress: progress
        )
        for note in try await verification.hold(rules, for: window) { await progress.report(.note(note)) }
    }
}

/// Puts a cluster back to a release that was good.
struct ClusterUndo: Sendable {
    let cluster: any ClusterAPI
    /// As this cluster gets it.
    let app: App
    let image: String
    let kit: FleetKit
    let progress: any ReleaseProgress

    private static let patience = Duration.seconds(30)

    /// Returns why the pods are not all ready, where that is so; throws where the cluster could not be changed.
    func run(waits: Bool) async throws -> String? {
        let pods = kit.pods(cluster, progress)
        _ = try await pods.apply(app, image: image, pullSecret: nil)
        guard waits else { return nil }
        do {
            let patience = min(Self.patience, app.deploy.deadline)
            try await pods.awaitPods(app, image: image, patience: patience)
            _ = try await pods.removeWhatIsNoLongerWanted(app)
            return nil
        } catch let failed as RolloutFailed {
            return failed.diagnosis.cause
        }
    }
}
