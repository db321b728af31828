// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Waits for the pods of a canary's Deployment.
struct CanaryWatch: Sendable {
    let cluster: any ClusterAPI
    let name: ClusterName
    let app: App
    let kit: FleetKit
    let progress: any ReleaseProgress

    /// Returns when all of its pods are ready; throws ``RolloutFailed``, and the failures of a cluster that refuses to tell.
    func wait(for deployment: KubeObject) async throws {
        let reference = ObjectReference(.deployments, namespace: app.namespace.text, name: deployment.name)
        let watch = HealthWatch(
            cluster: cluster,
            clusterName: name.text,
            progress: progress,
            clock: kit.clock,
            sleeper: kit.sleeper
        )
        try await watch.wait(for: [HealthTarget(reference, applied: deployment)], patience: app.deploy.deadline)
    }
}
