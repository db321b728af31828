// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What controllers ask of a pod.
extension KubeObject {
    var podPhase: String { status["phase"]?.string ?? "Pending" }
    /// It will never run again.
    var isFinishedPod: Bool { podPhase == "Succeeded" || podPhase == "Failed" }
    /// It runs or will: neither finished nor being removed.
    var isActivePod: Bool { !isFinishedPod && !isTerminating }
    var isReadyPod: Bool { hasTrueCondition("Ready") }
    var nodeName: String { spec["nodeName"]?.string ?? "" }

    func hasTrueCondition(_ type: String) -> Bool { condition(type)?["status"]?.string == "True" }

    /// When the pod became ready, if it is.
    var readySince: Timestamp? {
        guard isReadyPod else { return nil }
        return condition("Ready")?["lastTransitionTime"]?.string.flatMap { Timestamp($0) }
    }

    /// Ready for at least `duration`.
    func isAvailablePod(after duration: Duration, at now: Timestamp) -> Bool {
        guard isReadyPod else { return false }
        guard duration > .zero else { return true }
        return readySince.map { $0 + duration <= now } ?? false
    }

    /// The highest restart count among its containers.
    var restartCount: Int {
        let lists = ["initContainerStatuses", "containerStatuses"].flatMap { status[$0]?.array ?? [] }
        return lists.compactMap { $0["restartCount"]?.int }.max() ?? 0
    }

    var replicas: Int { spec["replicas"]?.int ?? 1 }
    func statusCount(_ field: String) -> Int { status[field]?.int ?? 0 }

    /// The selector in `spec.selector`; `nil` where it is missing, broken or matches everything.
    var workloadSelector: LabelSelector? {
        guard let selector = spec["selector"].flatMap({ LabelSelector(json: $0) }), !selector.isEmpty else {
            return nil
        }
        return selector
    }
}

/// Owner references.
extension KubeObject {
    func isControlled(by owner: KubeObject) -> Bool { controller?["uid"]?.string == owner.uid }

    /// The reference by which this object controls another.
    func controllerReference(as type: ResourceType) -> JSON {
        [
            "apiVersion": .string(type.apiVersion), "kind": .string(type.kind), "name": .string(name),
            "uid": .string(uid), "controller": true, "blockOwnerDeletion": true,
        ]
    }
}
