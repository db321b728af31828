// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Deployments and their like: counts of replicas against the wish.
enum WorkloadHealth {
    private static func count(_ object: KubeObject, _ key: String) -> Int { object.status[key]?.int ?? 0 }

    static func deployment(_ object: KubeObject) -> Health {
        let progress = object.conditions.first { $0.type == "Progressing" }
        if let progress, progress.reason == "ProgressDeadlineExceeded" {
            return .failed("ProgressDeadlineExceeded", progress.words)
        }
        let wanted = object.spec["replicas"]?.int ?? 1
        if object.spec["paused"]?.bool == true {
            return Health(.suspended, "Paused", "it is paused, so no new pods come")
        }
        return rollout(object, wanted, progress)
    }

    /// Whether a Deployment has got where it was to go, paused or not.
    static func isRolledOut(_ object: KubeObject) -> Bool {
        rollout(object, object.spec["replicas"]?.int ?? 1, object.conditions.first { $0.type == "Progressing" }).state
            == .current
    }

    private static func rollout(_ object: KubeObject, _ wanted: Int, _ progress: Condition?) -> Health {
        if let shortfall = deploymentShortfall(object, wanted) { return shortfall }
        let hasDeadline = object.spec["progressDeadlineSeconds"]?.int.map { $0 != Int(Int32.max) } ?? false
        if hasDeadline, !(progress?.isTrue == true && progress?.reason == "NewReplicaSetAvailable") {
            return .inProgress("ReplicaSetNotAvailable", "its new replica set is not available yet")
        }
        // A Deployment of nothing needs nothing to be available.
        guard wanted == 0 || object.conditions.contains(where: { $0.type == "Available" && $0.isTrue }) else {
            return .inProgress("DeploymentNotAvailable", "it is not available yet")
        }
        return .current("\(wanted) of \(wanted) replicas are new, ready and available")
    }

    private static func deploymentShortfall(_ object: KubeObject, _ wanted: Int) -> Health? {
        let (all, updated) = (count(object, "replicas"), count(object, "updatedReplicas"))
        let (ready, available) = (count(object, "readyReplicas"), count(object, "availableReplicas"))
        if all < wanted { return .inProgress("LessReplicas", "\(all) of \(wanted) replicas exist") }
        if updated < wanted { return .inProgress("LessUpdated", "\(updated) of \(wanted) replicas are new") }
        if all > wanted { return .inProgress("ExtraPods", "\(all - wanted) old replicas are still to end") }
        if available < updated {
            return .inProgress("LessAvailable", "\(available) of \(updated) new replicas are available")
        }
        if ready < wanted { return .inProgress("LessReady", "\(ready) of \(wanted) replicas are ready") }
        return nil
    }

    static func statefulSet(_ object: KubeObject) -> Health {
        if object.spec[path: "updateStrategy", "type"]?.string == "OnDelete" {
            return .current("its pods are replaced when somebody deletes them", "OnDelete")
        }
        let wanted = object.spec["replicas"]?.int ?? 1
        let (all, ready) = (count(object, "replicas"), count(object, "readyReplicas"))
        if all < wanted { return .inProgress("LessReplicas", "\(all) of \(wanted) replicas exist") }
        if ready < wanted { return .inProgress("LessReady", "\(ready) of \(wanted) replicas are ready") }
        if all > wanted { return .inProgress("ExtraPods", "\(all - wanted) replicas are still to end") }
        // Also where it is 0, as the server fills in: then all pods lie above it.
        if let partition = object.spec[path: "updateStrategy", "rollingUpdate", "partition"]?.int {
            return partitioned(object, wanted, partition)
        }
        // The controller leaves it out once it is 0, which it never is after the rollout.
        let current = count(object, "currentReplicas")
        if current < wanted { return .inProgress("LessCurrent", "\(current) of \(wanted) replicas are current") }
        guard object.status["currentRevision"] == object.status["updateRevision"] else {
            return .inProgress("RevisionMismatch", "\(count(object, "updatedReplicas")) of \(wanted) replicas are new")
        }
        return .current("\(wanted) of \(wanted) replicas are new and ready")
    }

    private static func partitioned(_ object: KubeObject, _ wanted: Int, _ partition: Int) -> Health {
        let (updated, share) = (count(object, "updatedReplicas"), max(0, wanted - partition))
        if updated < share {
            return .inProgress("PartitionRollout", "\(updated) of \(share) replicas above the partition are new")
        }
        guard share < wanted else { return .current("\(wanted) of \(wanted) replicas are new and ready") }
        return .current("\(updated) replicas are new; the partition keeps the others", "PartitionComplete")
    }

    static func daemonSet(_ object: KubeObject) -> Health {
        guard object.metadata["generation"] != nil else {
            return .inProgress("NoGeneration", "nobody has counted its changes yet")
        }
        guard object.status["observedGeneration"] != nil else {
            return .inProgress("NoObservedGeneration", "its controller has not seen it yet")
        }
        guard let wanted = object.status["desiredNumberScheduled"]?.int else {
            return .inProgress("NoDesiredNumber", "nobody has counted the nodes it is for yet")
        }
        let isManual = object.spec[path: "updateStrategy", "type"]?.string == "OnDelete"
        if isManual { return .current("its pods are replaced when somebody deletes them", "OnDelete") }
        let counts: [(key: String, reason: String, words: String)] = [
            ("currentNumberScheduled", "LessCurrent", "nodes have a pod"),
            ("updatedNumberScheduled", "LessUpdated", "pods are new"),
            ("numberAvailable", "LessAvailable", "pods are available"),
            ("numberReady", "LessReady", "pods are ready"),
        ]
        for (key, reason, words) in counts where count(object, key) < wanted {
            return .inProgress(reason, "\(count(object, key)) of \(wanted) \(words)")
        }
        return .current("\(wanted) of \(wanted) pods are new and ready")
    }

    /// Replica sets, and replication controllers, which report the same counts.
    static func replicaSet(_ object: KubeObject) -> Health {
        if let failure = object.conditions.first(where: { $0.type == "ReplicaFailure" && $0.isTrue }) {
            return .inProgress("ReplicaFailure", failure.words)
        }
        let wanted = object.spec["replicas"]?.int ?? 1
        let counts: [(key: String, reason: String, words: String)] = [
            ("fullyLabeledReplicas", "LessLabelled", "replicas bear all labels"),
            ("availableReplicas", "LessAvailable", "replicas are available"),
            ("readyReplicas", "LessReady", "replicas are ready"),
        ]
        for (key, reason, words) in counts where count(object, key) < wanted {
            return .inProgress(reason, "\(count(object, key)) of \(wanted) \(words)")
        }
        let surplus = count(object, "replicas") - wanted
        if surplus > 0 { return .inProgress("ExtraPods", "\(surplus) replicas are still to end") }
        return .current("\(wanted) of \(wanted) replicas are ready")
    }
}
