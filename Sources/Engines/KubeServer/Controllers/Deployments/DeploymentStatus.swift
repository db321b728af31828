// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Computes a deployment's status: counts, conditions and whether it still makes progress.
struct DeploymentStatus: Sendable {
    let deployment: KubeObject
    let family: ReplicaSetFamily
    let now: Timestamp

    private var bounds: RolloutBounds { RolloutBounds(deployment) }
    private var deadline: Duration? { deployment.progressDeadline }
    private var old: JSON { deployment.status }
    private var counts: Counts { Counts(family) }

    /// How many pods there are of which sort.
    private struct Counts {
        var total, updated, ready, available, terminating: Int

        init(_ family: ReplicaSetFamily) {
            total = family.sum("replicas")
            updated = family.newest?.statusCount("replicas") ?? 0
            ready = family.sum("readyReplicas")
            available = family.sum("availableReplicas")
            terminating = family.sum("terminatingReplicas")
        }
    }

    /// Everything is new, and nothing is missing.
    var isComplete: Bool {
        counts.updated == bounds.replicas && counts.total == bounds.replicas && counts.available == bounds.replicas
    }

    private var isProgressing: Bool {
        counts.updated > old.count("updatedReplicas")
            || counts.total - counts.updated < old.count("replicas") - old.count("updatedReplicas")
            || counts.ready > old.count("readyReplicas") || counts.available > old.count("availableReplicas")
    }

    private var isTimedOut: Bool {
        guard let deadline, let condition = ConditionList(old)["Progressing"] else { return false }
        switch condition["reason"]?.string {
        case "ProgressDeadlineExceeded": return true
        case "NewReplicaSetAvailable": return false
        default: break
        }
        guard let updated = condition["lastUpdateTime"]?.string.flatMap({ Timestamp($0) }) else { return false }
        return updated + deadline < now
    }

    /// The status to be stored. `judgesProgress` is off while the deployment is paused or only scaled.
    func json(judgesProgress: Bool) -> JSON {
        var status: JSON = ["observedGeneration": JSON(deployment.generation)]
        let fields = [
            ("replicas", counts.total), ("updatedReplicas", counts.updated), ("readyReplicas", counts.ready),
            ("availableReplicas", counts.available), ("unavailableReplicas", max(0, counts.total - counts.available)),
        ]
        for (name, count) in fields where count > 0 { status[name] = JSON(count) }
        status["terminatingReplicas"] = JSON(counts.terminating)
        var conditions = ConditionList(old)
        setAvailable(&conditions)
        if judgesProgress {
            judge(&conditions)
            setReplicaFailure(&conditions)
        }
        status["conditions"] = conditions.json
        status["collisionCount"] = old["collisionCount"]
        return status
    }

    private func setAvailable(_ conditions: inout ConditionList) {
        let isAvailable = counts.available >= bounds.minAvailable
        let condition =
            isAvailable
            ? Condition("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
            : Condition(
                "Available",
                "False",
                "MinimumReplicasUnavailable",
                "Deployment does not have minimum availability."
            )
        conditions.set(condition, at: now, hasUpdateTime: true)
    }

    private var subject: String {
        family.newest.map { "ReplicaSet \"\($0.name)\"" } ?? "Deployment \"\(deployment.name)\""
    }

    private func judge(_ conditions: inout ConditionList) {
        guard deadline != nil else { return conditions.remove("Progressing") }
        let current = conditions["Progressing"]
        let wasComplete = current?["reason"]?.string == "NewReplicaSetAvailable"
        guard !(counts.total == counts.updated && wasComplete) else { return }
        if isComplete {
            let done = Condition(
                "Progressing",
                "True",
                "NewReplicaSetAvailable",
                "\(subject) has successfully progressed."
            )
            conditions.set(done, at: now, hasUpdateTime: true)
        } else if isProgressing {
            let moving = Condition("Progressing", "True", "ReplicaSetUpdated", "\(subject) is progressing.")
            let wasTrue = current?["status"]?.string == "True"
            let since = wasTrue ? current?["lastTransitionTime"]?.string.flatMap { Timestamp($0) } ?? now : now
            conditions.put(moving.json(since: since, updated: now))
        } else if isTimedOut {
            let late = Condition(
                "Progressing",
                "False",
                "ProgressDeadlineExceeded",
                "\(subject) has timed out progressing."
            )
            conditions.set(late, at: now, hasUpdateTime: true)
        }
    }

    /// What keeps a replica set from making pods, the newest one's first.
    private func setReplicaFailure(_ conditions: inout ConditionList) {
        let sets = (family.newest.map { [$0] } ?? []) + family.old
        let failure = sets.lazy.compactMap { $0.condition("ReplicaFailure") }.first
        guard let failure, failure["status"]?.string == "True" else { return conditions.remove("ReplicaFailure") }
        let condition = Condition(
            "ReplicaFailure",
            "True",
            failure["reason"]?.string ?? "",
            failure["message"]?.string ?? ""
        )
        conditions.set(condition, at: now, hasUpdateTime: true)
    }

    /// When to look again, lest the deadline pass unnoticed.
    var nextCheck: Duration? {
        guard let deadline, !isComplete, !deployment.isPaused, let condition = ConditionList(old)["Progressing"],
            let updated = condition["lastUpdateTime"]?.string.flatMap({ Timestamp($0) }),
            condition["reason"]?.string != "ProgressDeadlineExceeded"
        else { return nil }
        return max(.zero, updated + deadline - now) + .seconds(1)
    }
}

extension KubeObject {
    var isPaused: Bool { spec["paused"]?.bool ?? false }

    /// `nil` where none is set; the largest number means none, too.
    var progressDeadline: Duration? {
        guard let seconds = spec["progressDeadlineSeconds"]?.int, seconds < Int32.max else { return nil }
        return .seconds(seconds)
    }
}

extension JSON {
    fileprivate func count(_ field: String) -> Int { self[field]?.int ?? 0 }
}
