// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Takes a new revision through the steps of its canary in one cluster, before it replaces the old one there.
struct CanaryRun: Sendable {
    let app: App
    let revision: CanaryRevision
    let shift: any TrafficShift
    let progress: any ReleaseProgress
    let stop: StopSignal
    /// Returns when the pods of that Deployment are ready; throws the diagnosis.
    let awaitReady: @Sendable (KubeObject) async throws -> Void
    /// Watches the pods of the named Deployment for so long; throws ``Verification/Breached``.
    let verify: @Sendable (_ workload: String, _ window: Duration) async throws -> Void

    /// Throws the first breach or diagnosis; the canary is taken away by whoever puts the cluster back.
    func run() async throws {
        for step in app.deploy.canary {
            let share = try await stop.cutting(ifUrgent: true) {
                try await shift.shift(revision, toPercent: step.percent)
            }
            let wish = share == step.percent ? "" : ", asked for \(step.percent)%"
            await progress.report(.note("the canary gets \(share)% of the pods\(wish)"))
            let name = ReplicaShift.reference(app.name, app.namespace).name
            let deployment = ReplicaShift.deployment(revision, replicas: 1)
            try await stop.cutting { try await awaitReady(deployment) }
            try await stop.cutting { try await verify(name, step.bake) }
        }
    }
}
