// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Decides what a replica set does next, from what is there.
struct ReplicaSetPlan: Sendable {
    /// At most so many pods are created or removed in one go.
    static let burst = 500

    /// Pods to be created.
    private(set) var missing = 0
    /// Pods to be removed, in order.
    private(set) var surplus: [KubeObject] = []

    /// `pods` are those it controls; `family` those of all replica sets with the same owner.
    init(_ replicaSet: KubeObject, pods: [KubeObject], family: [KubeObject], at now: Timestamp) {
        guard !replicaSet.isTerminating else { return }
        let active = pods.filter(\.isActivePod)
        let difference = active.count - replicaSet.replicas
        if difference < 0 {
            missing = min(-difference, Self.burst)
        } else if difference > 0 {
            let rank = PodDeletionRank(now: now, crowd: Self.crowd(active, family))
            surplus = Array(rank.sorted(active).prefix(min(difference, Self.burst)))
        }
    }

    private static func crowd(_ pods: [KubeObject], _ family: [KubeObject]) -> [String: Int] {
        var perNode: [String: Int] = [:]
        for pod in family where pod.isActivePod && !pod.nodeName.isEmpty { perNode[pod.nodeName, default: 0] += 1 }
        return Dictionary(pods.map { ($0.uid, perNode[$0.nodeName] ?? 0) }) { first, _ in first }
    }

    /// The sizes of batches in which `count` pods are created: 1, 2, 4 … so that a refusal is met early.
    static func batches(of count: Int) -> [Int] {
        var (sizes, left, next): ([Int], Int, Int) = ([], count, 1)
        while left > 0 {
            sizes.append(min(left, next))
            left -= min(left, next)
            next *= 2
        }
        return sizes
    }

    /// The pod a template stands for, as `owner`'s next one.
    static func pod(from template: JSON, of owner: KubeObject, as type: ResourceType) -> KubeObject {
        var metadata: JSON = ["generateName": .string("\(owner.name)-")]
        if let namespace = owner.namespace { metadata["namespace"] = .string(namespace) }
        for field in ["labels", "annotations", "finalizers"] {
            if let value = template["metadata"]?[field] { metadata[field] = value }
        }
        metadata["ownerReferences"] = [owner.controllerReference(as: type)]
        return KubeObject(["apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"] ?? [:]])
    }
}

/// Why creating or removing pods stopped.
struct ReplicaFailure: Sendable, Equatable {
    var reason: String
    var message: String
}

/// Computes a replica set's status.
struct ReplicaSetStatus: Sendable {
    let replicaSet: KubeObject
    let pods: [KubeObject]
    let failure: ReplicaFailure?
    let now: Timestamp

    private var minReady: Duration { .seconds(replicaSet.spec["minReadySeconds"]?.int ?? 0) }

    var json: JSON {
        let active = pods.filter(\.isActivePod)
        let template = replicaSet.spec[path: "template", "metadata", "labels"]?.stringMap ?? [:]
        let labelled = active.count { pod in template.allSatisfy { pod.labels[$0.key] == $0.value } }
        let ready = active.count(where: \.isReadyPod)
        let available = active.count { $0.isAvailablePod(after: minReady, at: now) }
        var status: JSON = ["replicas": JSON(active.count)]
        if labelled > 0 { status["fullyLabeledReplicas"] = JSON(labelled) }
        if ready > 0 { status["readyReplicas"] = JSON(ready) }
        if available > 0 { status["availableReplicas"] = JSON(available) }
        status["terminatingReplicas"] = JSON(pods.count { $0.isTerminating && !$0.isFinishedPod })
        status["observedGeneration"] = JSON(replicaSet.generation)
        status["conditions"] = conditions.json
        return status
    }

    private var conditions: ConditionList {
        var list = ConditionList(replicaSet.status)
        guard let failure else {
            list.remove("ReplicaFailure")
            return list
        }
        guard list["ReplicaFailure"] == nil else { return list }
        list.put(Condition("ReplicaFailure", "True", failure.reason, failure.message).json(since: now))
        return list
    }

    /// When the next pod that is ready becomes available.
    var nextAvailability: Duration? {
        guard minReady > .zero else { return nil }
        let waits = pods.filter(\.isActivePod).compactMap { pod -> Duration? in
            guard let since = pod.readySince, since + minReady > now else { return nil }
            return since + minReady - now
        }
        return waits.min()
    }
}
