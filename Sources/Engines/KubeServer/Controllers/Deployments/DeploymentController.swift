// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Rolls deployments out: replica sets per template, sized step by step.
struct DeploymentController: Reconciler {
    let context: ControllerContext
    let name = "deployment-controller"
    let workers = 4

    private var mirrors: ClusterMirrors { context.mirrors }

    var triggers: [Trigger] {
        [
            .each(mirrors.deployments),
            .owner("Deployment", of: mirrors.replicaSets),
            Trigger(mirrors.replicaSets) { [mirrors] change in
                let set = change.object
                guard set.controller == nil else { return [] }
                let wooers = mirrors.deployments.objects.filter { deployment in
                    deployment.namespace == set.namespace && deployment.workloadSelector?.matches(set.labels) == true
                }
                return wooers.map { ObjectName($0) }
            },
            // A Recreate rollout waits for the last old pod to go.
            Trigger(mirrors.pods) { [mirrors] change in
                guard case .deleted(let pod) = change, let set = pod.controller?["name"]?.string else { return [] }
                let owner = mirrors.replicaSets[ObjectName(namespace: pod.namespace, name: set)]?.controller
                guard owner?["kind"]?.string == "Deployment", let name = owner?["name"]?.string else { return [] }
                return [ObjectName(namespace: pod.namespace, name: name)]
            },
        ]
    }

    func reconcile(_ name: ObjectName) async throws -> Duration? {
        guard let deployment = mirrors.deployments[name] else { return nil }
        guard let selector = deployment.workloadSelector else {
            record(
                .warning,
                "SelectingAll",
                "This deployment is selecting all pods. A non-empty selector is required.",
                on: deployment
            )
            return nil
        }
        let adoption = Adoption(context, owner: deployment, type: .deployments, selector: selector)
        let replicaSets = try await adoption.claim(from: mirrors.replicaSets, as: .replicaSets, isWanted: { _ in true })
        let rollout = DeploymentRollout(context: context, deployment: deployment, controller: self.name)
        let family = ReplicaSetFamily(of: deployment, among: replicaSets)
        guard !deployment.isTerminating else {
            try await rollout.writeStatus(family, judgesProgress: false)
            return nil
        }
        if try await rollout.notePause() { return nil }  // that write brings it back
        if deployment.isPaused || family.needsScaling(to: RolloutBounds(deployment)) {
            try await rollout.scaleOnly(family)
        } else if deployment.isRolling {
            try await rollout.rollForward(family)
        } else {
            try await rollout.recreate(family)
        }
        let current = mirrors.deployments[name] ?? deployment
        let sets = mirrors.replicaSets.objects(controlledBy: deployment.uid)
        return DeploymentStatus(
            deployment: current,
            family: ReplicaSetFamily(of: current, among: sets),
            now: context.clock.now
        ).nextCheck
    }

    private func record(_ severity: EventRecorder.Severity, _ reason: String, _ message: String, on object: KubeObject)
    {
        context.events.record(severity, reason, message, on: object, by: name)
    }
}

extension ReplicaSetFamily {
    /// Whether the deployment's own size changed since its replica sets were last sized.
    func needsScaling(to bounds: RolloutBounds) -> Bool {
        active.contains { set in
            guard let desired = set.annotations[Self.desiredKey].flatMap({ Int($0) }) else { return false }
            return desired != bounds.replicas
        }
    }
}
