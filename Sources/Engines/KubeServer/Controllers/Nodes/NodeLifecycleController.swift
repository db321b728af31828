// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Sees that nodes that stopped reporting count as not ready, and marks unready ones so that no pod is put there.
struct NodeLifecycleController: Reconciler {
    let context: ControllerContext
    /// Silence counts from here at the earliest: while nobody listened, nobody could be heard.
    let start: Timestamp
    let name = "node-controller"

    private var mirrors: ClusterMirrors { context.mirrors }

    var triggers: [Trigger] {
        [.each(mirrors.nodes), Trigger(mirrors.leases) { [ObjectName(name: $0.object.name)] }]
    }

    func reconcile(_ name: ObjectName) async throws -> Duration? {
        guard let node = mirrors.nodes[name] else { return nil }
        // A node without a lease does not report this way and is not judged by it.
        let lease = mirrors.leases[ObjectName(namespace: "kube-node-lease", name: name.name)]
        let renewed = lease?.spec["renewTime"]?.string.flatMap { Timestamp($0) }
        let deadline = renewed.map { max($0, start) + context.configuration.nodeGrace }
        if let deadline, deadline <= context.clock.now { try await declareUnknown(node) }
        try await mark(mirrors.nodes[name] ?? node)
        return deadline.map { $0 - context.clock.now }.flatMap { $0 > .zero ? $0 + .milliseconds(100) : nil }
    }

    private func declareUnknown(_ node: KubeObject) async throws {
        let wasReady = node.hasTrueCondition("Ready")
        var conditions = ConditionList(node.status)
        let silent = ("NodeStatusUnknown", "Kubelet stopped posting node status.")
        for type in ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"] {
            guard type == "Ready" || conditions[type] != nil else { continue }
            conditions.set(
                Condition(type, "Unknown", silent.0, silent.1),
                at: context.clock.now,
                hasUpdateTime: false
            )
        }
        var status = node.status
        status["conditions"] = conditions.json
        try await context.writer.setStatus(status, of: node, as: .nodes)
        guard wasReady else { return }
        context.events.record(
            .normal,
            "NodeNotReady",
            "Node \(node.name) status is now: NodeNotReady",
            on: node,
            by: name
        )
    }

    /// Keeps the taints that stand for the node's readiness as they should be.
    private func mark(_ node: KubeObject) async throws {
        let (notReady, unreachable) = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
        let status = node.condition("Ready")?["status"]?.string
        let wanted = status == "True" ? nil : status == "Unknown" ? unreachable : notReady
        let present = node.spec["taints"]?.array ?? []
        func isOurs(_ taint: JSON) -> Bool {
            [notReady, unreachable].contains(taint["key"]?.string ?? "") && taint["effect"]?.string == "NoSchedule"
        }
        guard present.filter(isOurs).compactMap({ $0["key"]?.string }) != (wanted.map { [$0] } ?? []) else { return }
        let taint = wanted.map { key -> JSON in ["key": .string(key), "effect": "NoSchedule"] }
        let taints = present.filter { !isOurs($0) } + (taint.map { [$0] } ?? [])
        let patch: JSON = [
            "metadata": ["resourceVersion": .string(node.resourceVersion.text)],
            "spec": ["taints": taints.isEmpty ? .null : .array(taints)],
        ]
        try await context.writer.merge(patch, into: node, as: .nodes)
    }
}

/// Removes the pods of nodes that are no more: nobody else would ever confirm that they ended.
struct PodGarbageController: Reconciler {
    let context: ControllerContext
    let start: Timestamp
    let name = "pod-garbage-collector"

    /// How long a node must be missing; it may only be registering anew.
    private static let patience = Duration.seconds(40)

    private var mirrors: ClusterMirrors { context.mirrors }

    var triggers: [Trigger] {
        [
            Trigger(mirrors.pods) { [mirrors] change in
                let pod = change.object
                let isLost = !pod.nodeName.isEmpty && mirrors.nodes[ObjectName(name: pod.nodeName)] == nil
                return isLost ? [ObjectName(pod)] : []
            },
            Trigger(mirrors.nodes) { [mirrors] change in
                guard case .deleted(let node) = change else { return [] }
                return mirrors.pods.objects.filter { $0.nodeName == node.name }.map { ObjectName($0) }
            },
        ]
    }

    func reconcile(_ name: ObjectName) async throws -> Duration? {
        guard let pod = mirrors.pods[name], !pod.nodeName.isEmpty,
            mirrors.nodes[ObjectName(name: pod.nodeName)] == nil
        else { return nil }
        let since = max(start, pod.creationTimestamp ?? start)
        let left = since + Self.patience - context.clock.now
        guard left <= .zero else { return left }
        let reference = ObjectReference(.pods, namespace: pod.namespace, name: pod.name)
        do {
            try await context.writer.api.delete(reference, options: DeleteOptions(gracePeriod: .zero, uid: pod.uid))
        } catch let failure as Failure where failure.code == .notFound {}
        return nil
    }
}
