// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Argo Rollouts: Deployments with steps, which tell by a phase of their own, and before version 1.0 only by counts.
enum RolloutHealth {
    static func of(_ rollout: KubeObject) -> Health {
        let status = rollout.status
        guard let told = status.object, !told.isEmpty else {
            return .inProgress("NotObserved", "its controller has not seen it yet")
        }
        if let invalid = rollout.conditions.first(where: { $0.type == "InvalidSpec" && $0.isTrue }) {
            return .failed("InvalidSpec", invalid.words)
        }
        // The field held a hash once; only a number of the same kind can be compared.
        if let observed = status["observedGeneration"]?.scalarText, observed.count < 8, let seen = Int(observed),
            seen < rollout.generation
        {
            return .inProgress("LatestGenerationNotObserved", "its controller has not seen the newest template yet")
        }
        if let seen = status["workloadObservedGeneration"]?.scalarText.flatMap({ Int($0) }),
            let asked = rollout.annotations["rollout.argoproj.io/workload-generation"].flatMap({ Int($0) }),
            seen < asked
        {
            return .inProgress("WorkloadGenerationNotObserved", "its controller has not seen the newest workload yet")
        }
        if let phase = status["phase"]?.string { return byPhase(phase, status["message"]?.string ?? phase) }
        for condition in rollout.conditions
        where ["ProgressDeadlineExceeded", "RolloutAborted"].contains(condition.reason) {
            return .failed(condition.reason, condition.words)
        }
        let isPaused =
            rollout.spec["paused"]?.bool == true || status["controllerPause"]?.bool == true
            || status["pauseConditions"]?.array?.isEmpty == false
        if isPaused { return Health(.suspended, "RolloutPaused", "it is paused") }
        return byCounts(rollout)
    }

    private static func byPhase(_ phase: String, _ message: String) -> Health {
        switch phase {
        case "Healthy": .current("healthy")
        case "Degraded": .failed("Degraded", message)
        case "Paused": Health(.suspended, "RolloutPaused", message)
        default: .inProgress(phase, message)
        }
    }

    private static func byCounts(_ rollout: KubeObject) -> Health {
        func count(_ key: String) -> Int { rollout.status[key]?.int ?? 0 }
        let wanted = rollout.spec["replicas"]?.int ?? 1
        if count("updatedReplicas") < wanted {
            return .inProgress("LessUpdated", "\(count("updatedReplicas")) of \(wanted) replicas are new")
        }
        if count("availableReplicas") < count("updatedReplicas") {
            return .inProgress("LessAvailable", "\(count("availableReplicas")) new replicas are available")
        }
        let isBlueGreen = rollout.spec[path: "strategy", "blueGreen"] != nil
        if !isBlueGreen, count("replicas") > count("updatedReplicas") {
            return .inProgress("ExtraPods", "old replicas are still to end")
        }
        return .current("\(wanted) replicas are new and available")
    }
}
