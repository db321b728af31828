// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Keeps as many pods as each replica set asks for.
struct ReplicaSetController: Reconciler {
    let context: ControllerContext
    let name = "replicaset-controller"
    let workers = 4

    private var mirrors: ClusterMirrors { context.mirrors }

    var triggers: [Trigger] {
        [
            .each(mirrors.replicaSets),
            .owner("ReplicaSet", of: mirrors.pods),
            Trigger(mirrors.pods) { [mirrors] change in
                let pod = change.object
                guard pod.controller == nil else { return [] }
                let wooers = mirrors.replicaSets.objects.filter { set in
                    set.namespace == pod.namespace && set.workloadSelector?.matches(pod.labels) == true
                }
                return wooers.map { ObjectName($0) }
            },
        ]
    }

    func reconcile(_ name: ObjectName) async throws -> Duration? {
        guard let replicaSet = mirrors.replicaSets[name], let selector = replicaSet.workloadSelector else { return nil }
        let adoption = Adoption(context, owner: replicaSet, type: .replicaSets, selector: selector)
        let pods = try await adoption.claim(from: mirrors.pods, as: .pods, isWanted: { !$0.isFinishedPod })

        let plan = ReplicaSetPlan(replicaSet, pods: pods, family: family(of: replicaSet), at: context.clock.now)
        let failure = await carryOut(plan, for: replicaSet)
        let present = mirrors.pods.objects(controlledBy: replicaSet.uid)
        let status = ReplicaSetStatus(
            replicaSet: replicaSet,
            pods: present,
            failure: failure?.shown,
            now: context.clock.now
        )
        try await context.writer.setStatus(status.json, of: replicaSet, as: .replicaSets)
        if let error = failure?.error { throw error }
        return status.nextAvailability
    }

    private func family(of replicaSet: KubeObject) -> [KubeObject] {
        guard let owner = replicaSet.controller?["uid"]?.string else {
            return mirrors.pods.objects(controlledBy: replicaSet.uid)
        }
        return mirrors.replicaSets.objects(controlledBy: owner).flatMap { mirrors.pods.objects(controlledBy: $0.uid) }
    }

    private struct Stop {
        var shown: ReplicaFailure?
        var error: any Error
    }

    private func carryOut(_ plan: ReplicaSetPlan, for replicaSet: KubeObject) async -> Stop? {
        if plan.missing > 0 { return await create(plan.missing, for: replicaSet) }
        return await remove(plan.surplus, of: replicaSet)
    }

    private func create(_ count: Int, for replicaSet: KubeObject) async -> Stop? {
        let pod = ReplicaSetPlan.pod(from: replicaSet.spec["template"] ?? [:], of: replicaSet, as: .replicaSets)
        for size in ReplicaSetPlan.batches(of: count) {
            let error = await inParallel(Array(repeating: pod, count: size)) { pod in
                let stored = try await context.writer.create(pod, as: .pods)
                record(.normal, "SuccessfulCreate", "Created pod: \(stored.name)", on: replicaSet)
            }
            guard let error else { continue }
            // A namespace on its way out takes no pods; that is no failure of the replica set.
            if (error as? Failure)?.status?.isNamespaceTerminating == true { return nil }
            record(.warning, "FailedCreate", "Error creating: \(error)", on: replicaSet)
            return Stop(shown: ReplicaFailure(reason: "FailedCreate", message: "\(error)"), error: error)
        }
        return nil
    }

    private func remove(_ pods: [KubeObject], of replicaSet: KubeObject) async -> Stop? {
        let error = await inParallel(pods) { pod in
            do {
                try await context.writer.delete(pod, as: .pods)
                record(.normal, "SuccessfulDelete", "Deleted pod: \(pod.name)", on: replicaSet)
            } catch {
                record(.warning, "FailedDelete", "Error deleting: \(error)", on: replicaSet)
                throw error
            }
        }
        return error.map { Stop(shown: ReplicaFailure(reason: "FailedDelete", message: "\($0)"), error: $0) }
    }

    private func record(_ severity: EventRecorder.Severity, _ reason: String, _ message: String, on object: KubeObject)
    {
        context.events.record(severity, reason, message, on: object, by: name)
    }
}

/// Does the same to many things at the same time; the first error is returned once all are through.
func inParallel<Item: Sendable>(
    _ items: [Item],
    _ body: @escaping @Sendable (Item) async throws -> Void
) async -> (any Error)? {
    await withTaskGroup { group in
        for item in items {
            group.addTask { () -> (any Error)? in
                do {
                    try await body(item)
                    return nil
                } catch {
                    return error
                }
            }
        }
        var first: (any Error)?
        for await error in group { first = first ?? error }
        return first
    }
}

extension KubeStatus {
    /// Whether the refusal is because the namespace is being removed.
    var isNamespaceTerminating: Bool { causes.contains { $0.reason == "NamespaceTerminating" } }
}
