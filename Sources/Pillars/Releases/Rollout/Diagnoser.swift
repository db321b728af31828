// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Reads causes off a rollout's pods. Knows no clock and no cluster.
package enum Diagnoser {
    /// The grace of a cause that may still pass: it counts when the time of the rollout is over, and not before.
    static let untilTheDeadline = Duration.seconds(1 << 31)

    /// A cause and how long it may be seen before it counts: slow nodes and flaky registries deserve patience.
    package struct Finding: Sendable, Hashable {
        package var diagnosis: Diagnosis
        package var grace: Duration

        init(
            _ code: Diagnosis.Code,
            _ cause: String,
            _ advice: String,
            grace: Duration,
            pod: KubeObject? = nil,
            container: String? = nil
        ) {
            diagnosis = Diagnosis(code: code, cause: cause, advice: advice, pod: pod?.name, container: container)
            self.grace = grace
        }
    }

    /// What is wrong with the Deployment and with pods of the new revision, the one that counts soonest first.
    ///
    /// `crashGrace` is how long a container that keeps ending is given beyond its first three tries.
    package static func findings(in view: RolloutView, crashGrace: Duration) -> [Finding] {
        let all =
            [deploymentFinding(view), refusal(view)].compactMap(\.self)
            + view.pods.compactMap { finding(on: $0, view, crashGrace) }
        return all.enumerated().sorted { ($0.element.grace, $0.offset) < ($1.element.grace, $1.offset) }.map(\.element)
    }

    private static func deploymentFinding(_ view: RolloutView) -> Finding? {
        guard let deployment = view.deployment, !deployment.isTerminating else {
            return Finding(
                .deploymentGone,
                "the Deployment was deleted while its pods were awaited",
                "release again if that was not meant",
                grace: .seconds(3)
            )
        }
        guard deployment.spec["paused"]?.bool == true else { return nil }
        return Finding(
            .deploymentPaused,
            "the Deployment is paused, so no new pods come",
            "resume it with 'kubectl rollout resume deployment/\(deployment.name)'",
            grace: .seconds(3)
        )
    }

    private static func refusal(_ view: RolloutView) -> Finding? {
        guard view.pods.count < view.wanted else { return nil }
        // The Deployment may still tell of its last revision; the replica set tells of this one.
        let observed = view.deployment?.status["observedGeneration"]?.int ?? 0
        let isObserved = observed >= view.deployment?.generation ?? 0
        let sources = [view.replicaSet, isObserved ? view.deployment : nil].compactMap(\.self)
        for source in sources {
            let conditions = source.status["conditions"]?.array ?? []
            guard let condition = conditions.first(where: saysRefused) else { continue }
            return Finding(
                .podsRefused,
                "the cluster refuses to create pods: \(condition["message"]?.string ?? "no reason given")",
                "raise the quota or correct what the message names",
                grace: .seconds(5)
            )
        }
        return nil
    }

    private static func saysRefused(_ condition: JSON) -> Bool {
        switch condition["type"]?.string {
        case "ReplicaFailure": condition["status"]?.string == "True"
        case "Progressing": condition["reason"]?.string == "ReplicaSetCreateError"
        default: false
        }
    }

    private static func finding(on pod: KubeObject, _ view: RolloutView, _ crashGrace: Duration) -> Finding? {
        let statuses = ["initContainerStatuses", "containerStatuses"].flatMap { pod.status[$0]?.array ?? [] }
        for status in statuses {
            let diagnosis = ContainerDiagnosis(status: status, pod: pod, view: view, crashGrace: crashGrace)
            if let found = diagnosis.finding { return found }
        }
        return schedulingFinding(pod) ?? eventFinding(pod, view)
    }

    private static func schedulingFinding(_ pod: KubeObject) -> Finding? {
        guard let condition = pod.condition("PodScheduled"), condition["status"]?.string == "False",
            condition["reason"]?.string == "Unschedulable"
        else { return nil }
        return Finding(
            .unschedulable,
            "no node takes the pod: \(condition["message"]?.string ?? "")",
            "lower resources.requests or add nodes",
            grace: .seconds(60),
            pod: pod
        )
    }

    private static let trouble: Set = ["FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox"]
    /// What a pod says once it got past such trouble.
    private static let relief: Set = ["SuccessfulAttachVolume", "Pulling", "Pulled", "Created", "Started"]

    private static func eventFinding(_ pod: KubeObject, _ view: RolloutView) -> Finding? {
        guard pod.status["phase"]?.string == "Pending",
            let event = view.events[pod.name]?.last(where: { (trouble.union(relief)).contains($0.reason) }),
            trouble.contains(event.reason)
        else { return nil }
        let isSandbox = event.reason == "FailedCreatePodSandBox"
        return Finding(
            isSandbox ? .sandboxFails : .volumeFails,
            event.message,
            isSandbox ? "check the node's runtime and network" : "check the volume and what it refers to",
            grace: .seconds(30),
            pod: pod
        )
    }
}
