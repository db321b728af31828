// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Synchronization
import TestKit

/// What a deployment controller and a kubelet do, in a few lines: a replica set per template, pods by the fate of their image.
final class RolloutSimulator: Sendable {
    enum Fate: Sendable {
        case serves
        /// The pods stay in this status.
        case stuck(JSON)
    }

    private let cluster: FakeCluster
    private let fates = Mutex<[Character: Fate]>([:])

    init(_ cluster: FakeCluster) { self.cluster = cluster }

    /// What becomes of pods whose image's digest begins with that digit; others serve.
    func set(_ fate: Fate, for content: Character) { fates.withLock { $0[content] = fate } }

    func run() async {
        let mirror = ObjectMirror(ListQuery(.deployments), of: cluster)
        await withDiscardingTaskGroup { group in
            group.addTask { await mirror.run() }
            for await change in mirror.changes() {
                if case .deleted = change {
                    try? await collect(change.object)
                    continue
                }
                try? await follow(change.object)
            }
            group.cancelAll()
        }
    }

    /// What belonged to a Deployment that was deleted goes too.
    private func collect(_ deployment: KubeObject) async throws {
        for set in cluster.all(.replicaSets) where set.controller?["uid"]?.string == deployment.uid {
            for pod in cluster.all(.pods) where pod.controller?["uid"]?.string == set.uid {
                try await cluster.delete(ObjectReference(.pods, namespace: pod.namespace, name: pod.name))
            }
            try await cluster.delete(ObjectReference(.replicaSets, namespace: set.namespace, name: set.name))
        }
    }

    private func follow(_ deployment: KubeObject) async throws {
        guard deployment.status["observedGeneration"]?.int != deployment.generation else { return }
        let template = deployment.spec["template"] ?? [:]
        let wanted = deployment.spec["replicas"]?.int ?? 1
        let sets = cluster.all(.replicaSets).filter { $0.controller?["uid"]?.string == deployment.uid }
        let next = (sets.compactMap { Self.revision($0) }.max() ?? 0) + 1
        var set: KubeObject
        if let known = sets.first(where: { $0.spec["template"] == template }) {
            set = known
            if Self.revision(known) != next - 1 { set = try await renumber(known, .replicaSets, next) }
        } else {
            set = owned(
                KubeObject(.replicaSets, namespace: deployment.namespace, name: "\(deployment.name)-\(next)"),
                by: deployment
            )
            set["spec"] = ["template": template, "replicas": JSON(wanted)]
            if let labels = template[path: "metadata", "labels"] { set.json.set(labels, at: ["metadata", "labels"]) }
            set.json.set(.string("\(next)"), at: Self.annotation)
            set = try await cluster.create(set, as: .replicaSets)
        }
        _ = try await renumber(deployment, .deployments, Self.revision(set) ?? 0)
        try await makePods(deployment, set, wanted)
    }

    private func makePods(_ deployment: KubeObject, _ set: KubeObject, _ wanted: Int) async throws {
        let image = deployment.spec[path: "template", "spec", "containers"]?[0]?["image"]?.string ?? ""
        let content = image.split(separator: "sha256:").last?.first ?? "0"
        let fate = fates.withLock { $0[content] } ?? .serves
        let sets = cluster.all(.replicaSets).filter { $0.controller?["uid"]?.string == deployment.uid }
        let pods = cluster.all(.pods).filter { pod in sets.contains { $0.uid == pod.controller?["uid"]?.string } }
        var mine = pods.filter { $0.controller?["uid"]?.string == set.uid }.count
        while mine < wanted {
            mine += 1
            var pod = owned(KubeObject(.pods, namespace: deployment.namespace, name: "\(set.name)-\(mine)"), by: set)
            if let labels = deployment.spec[path: "template", "metadata", "labels"] {
                pod.json.set(labels, at: ["metadata", "labels"])
            }
            switch fate {
            case .serves: pod["status"] = ["phase": "Running", "conditions": [["type": "Ready", "status": "True"]]]
            case .stuck(let status): pod["status"] = status
            }
            _ = try await cluster.create(pod, as: .pods)
        }
        var old = 0
        for pod in pods where pod.controller?["uid"]?.string != set.uid {
            if case .stuck = fate {
                old += 1
            } else {
                try await cluster.delete(ObjectReference(.pods, namespace: pod.namespace, name: pod.name))
            }
        }
        var ready = wanted
        if case .stuck = fate { ready = old }
        let reference = ObjectReference(.deployments, namespace: deployment.namespace, name: deployment.name)
        let status: JSON = [
            "observedGeneration": JSON(deployment.generation), "updatedReplicas": JSON(wanted),
            "replicas": JSON(wanted + old), "readyReplicas": JSON(ready), "availableReplicas": JSON(ready),
            "conditions": [
                ["type": "Available", "status": ready < wanted ? "False" : "True"],
                [
                    "type": "Progressing", "status": "True",
                    "reason": ready < wanted || old > 0 ? "ReplicaSetUpdated" : "NewReplicaSetAvailable",
                ],
            ],
        ]
        _ = try await cluster.patch(
            reference,
            subresource: "status",
            .merge,
            ["status": status],
            options: WriteOptions()
        )
    }

    private static let annotation = ["metadata", "annotations", "deployment.kubernetes.io/revision"]
    private static func revision(_ object: KubeObject) -> Int? {
        object.json[path: annotation]?.string.flatMap { Int($0) }
    }

    private func renumber(_ object: KubeObject, _ type: ResourceType, _ number: Int) async throws -> KubeObject {
        var patch: JSON = [:]
        patch.set(.string("\(number)"), at: Self.annotation)
        let reference = ObjectReference(type, namespace: object.namespace, name: object.name)
        return try await cluster.patch(reference, .merge, patch)
    }

    private func owned(_ object: KubeObject, by owner: KubeObject) -> KubeObject {
        var object = object
        object.json.set(
            JSON(["app.kubernetes.io/name": owner.labels["app.kubernetes.io/name"] ?? owner.name]),
            at: ["metadata", "labels"]
        )
        object.json.set([["uid": .string(owner.uid), "controller": true]], at: ["metadata", "ownerReferences"])
        return object
    }
}
