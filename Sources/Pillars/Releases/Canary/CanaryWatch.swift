// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Waits for the pods of a canary's Deployment.
struct CanaryWatch: Sendable {
    let cluster: any ClusterAPI
    let app: App
    let kit: FleetKit
    let progress: any ReleaseProgress

    /// Returns when all of its pods are ready; throws ``RolloutFailed``, and the failures of a cluster that refuses to tell.
    func wait(for deployment: KubeObject) async throws {
        let image = deployment[path: "spec", "template", "spec", "containers"]?[0]?["image"]?.string
        var machine = RolloutMachine(startedAt: kit.clock.now, patience: app.deploy.deadline, image: image)
        let retry = kit.retry(progress)
        var said = ""
        while true {
            let view = try await retry("look at the canary") { try await look(at: deployment) }
            switch machine.observe(view, at: kit.clock.now) {
            case .succeed: return
            case .fail(let diagnosis): throw RolloutFailed(diagnosis: diagnosis, lastLines: [])
            case .wait(_, let what):
                if what != said { await progress.report(.waiting("canary: \(what)")) }
                said = what
            }
            try await kit.sleeper.sleep(for: .seconds(1))
        }
    }

    private func look(at deployment: KubeObject) async throws -> RolloutView {
        let namespace = app.namespace.text
        let labels = LabelSelector(matching: [AppObjects.selectorLabel: app.name.text])
        let reference = ObjectReference(.deployments, namespace: namespace, name: deployment.name)
        let live = try await cluster.find(reference)
        let sets = try await cluster.list(ListQuery(.replicaSets, namespace: namespace, labelSelector: labels)).items
        let pods = try await cluster.list(ListQuery(.pods, namespace: namespace, labelSelector: labels)).items
        return RolloutView(deployment: live, replicaSets: sets, pods: pods)
    }
}
