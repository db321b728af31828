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
    /// The release's.
    let number: Int
    /// It goes back to what was good already, as fast as it can.
    let isRollback: Bool
    let login: RegistryCredentials?
    let kit: FleetKit
    let progress: any ReleaseProgress
    let stop: StopSignal

    private var pods: PodsStage { kit.pods(cluster, name, progress, goesBack: isRollback) }

    typealias Enter = @Sendable (_ phase: ClusterResult.Phase, _ touches: Bool) async throws -> Void

    /// Returns what changed. `enter` is told of each phase, before anything of it is done; `touches` says that the cluster is
    /// about to be changed, which it is not while the plan is made.
    ///
    /// Throws the diagnosis, the breach, or ``StopSignal/Stopped`` at the next safe point after the signal.
    func run(_ enter: @escaping Enter) async throws -> [String] {
        try await enter(.changing, false)
        let change = try await stop.cutting { try await plan() }
        try await enter(.changing, true)
        try await stop.cutting(ifUrgent: true) { try await pods.prepare(change) }
        let shift = ReplicaShift(cluster: cluster, retry: kit.retry(progress))
        if let deployment = try await toTryOut(change) {
            try await enter(.canary, true)
            try await tryOut(deployment, shift)
            try await enter(.changing, true)
        }
        try await stop.cutting(ifUrgent: true) { try await pods.finish(change) }
        try await enter(.waiting, true)
        try await stop.cutting {
            try await pods.awaitPods(
                app,
                image: image,
                patience: app.deploy.deadline,
                unchanged: change.unchanged
            )
        }
        // Also one that a killed release left.
        try await stop.cutting(ifUrgent: true) { try await shift.end(app.name, app.namespace) }
        if let rules = app.deploy.verify, !isRollback {
            try await enter(.verifying, true)
            try await stop.cutting { try await verify(rules, for: rules.window) }
        }
        let removed = try await stop.cutting(ifUrgent: true) { try await pods.removeWhatIsNoLongerWanted(app) }
        return change.words + removed
    }

    private var pullSecret: KubeObject? {
        login.map { PullSecret.object(for: app, ImageReference(image)?.registry ?? "", $0) }
    }

    private func plan() async throws -> PodsStage.Change {
        if try await ReleaseBook.ensureNamespace(app.namespace.text, in: cluster, kit.retry(progress)) {
            await progress.report(.note("created the namespace '\(app.namespace)'"))
        }
        return try await pods.change(app, image: image, pullSecret: pullSecret)
    }

    // MARK: The canary

    /// The new Deployment, where pods of an older revision serve, beside which it can be tried out.
    private func toTryOut(_ change: PodsStage.Change) async throws -> KubeObject? {
        guard !isRollback, !app.deploy.canary.isEmpty, let deployment = change.newPods else { return nil }
        let reference = ObjectReference(.deployments, namespace: app.namespace.text, name: app.name.text)
        let live = try await kit.retry(progress)("look at \(reference.words)") { try await cluster.find(reference) }
        return (live?.status["readyReplicas"]?.int ?? 0) > 0 ? deployment : nil
    }

    private func tryOut(_ deployment: KubeObject, _ shift: ReplicaShift) async throws {
        let revision = CanaryRevision(app: app.name, namespace: app.namespace, release: number, deployment: deployment)
        let run = CanaryRun(
            app: app,
            revision: revision,
            shift: shift,
            progress: progress,
            stop: stop,
            awaitReady: {
                try await CanaryWatch(cluster: cluster, name: name, app: app, kit: kit, progress: progress)
                    .wait(for: $0)
            },
            verify: { try await verify(app.deploy.verify, for: $1, workload: $0) }
        )
        try await run.run()
    }

    /// Watches the new pods for so long; throws ``Verification/Breached``.
    func verify(_ rules: App.Verify?, for window: Duration, workload: String? = nil) async throws {
        let sources: [any ReleaseSignals] = [PodSignals(cluster: cluster)] + kit.signals(name)
        let subject = ReleaseSubject(
            app: app.name,
            namespace: app.namespace,
            cluster: name,
            workload: workload ?? app.name.text
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
    let name: ClusterName
    let cluster: any ClusterAPI
    /// As this cluster gets it.
    let app: App
    let image: String
    let kit: FleetKit
    let progress: any ReleaseProgress

    private static let patience = Duration.seconds(30)

    /// Returns why the pods are not all ready, where that is so; throws where the cluster could not be changed.
    func run(waits: Bool) async throws -> String? {
        let pods = kit.pods(cluster, name, progress, goesBack: true)
        try await ReplicaShift(cluster: cluster, retry: kit.retry(progress)).end(app.name, app.namespace)
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
