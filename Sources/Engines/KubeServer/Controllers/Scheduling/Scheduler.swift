// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Puts pods on nodes.
///
/// One pod at a time, so that two never count on the same free memory. A pod that fits nowhere is looked at again when a
/// node changes, when a pod leaves its node, or when one of its claims changes.
struct Scheduler: Reconciler {
    let context: ControllerContext
    let name = "default-scheduler"
    let workers = 1

    private var mirrors: ClusterMirrors { context.mirrors }

    var triggers: [Trigger] {
        let waiting: @Sendable () -> [ObjectName] = { [mirrors] in
            mirrors.pods.objects.filter(Self.isWaiting).map { ObjectName($0) }.sorted()
        }
        return [
            Trigger(mirrors.pods) { change in
                if Self.isWaiting(change.object) { return [ObjectName(change.object)] }
                return Self.freesRoom(change) ? waiting() : []
            },
            Trigger(mirrors.nodes) { Self.mattersToPods($0) ? waiting() : [] },
            Trigger(mirrors.claims) { [mirrors] change in
                mirrors.pods.objects(in: change.object.namespace ?? "")
                    .filter { Self.isWaiting($0) && $0.claimNames.contains(change.object.name) }
                    .map { ObjectName($0) }
            },
            Trigger(mirrors.storageClasses) { _ in waiting() },
        ]
    }

    static func isWaiting(_ pod: KubeObject) -> Bool {
        pod.nodeName.isEmpty && pod.isActivePod
            && ["", "default-scheduler"].contains(pod.spec["schedulerName"]?.string ?? "")
    }

    /// Whether a pod gave its place on a node back.
    private static func freesRoom(_ change: ObjectChange) -> Bool {
        switch change {
        case .added: false
        case .deleted(let pod): !pod.nodeName.isEmpty
        case .updated(let pod, let before): !pod.nodeName.isEmpty && pod.isFinishedPod && !before.isFinishedPod
        }
    }

    /// A node's heartbeat is no news; its labels, spec, allocatable amounts and readiness are.
    private static func mattersToPods(_ change: ObjectChange) -> Bool {
        guard case .updated(let node, let before) = change else { return true }
        return node.labels != before.labels || node["spec"] != before["spec"]
            || node.status["allocatable"] != before.status["allocatable"]
            || node.hasTrueCondition("Ready") != before.hasTrueCondition("Ready")
    }

    func reconcile(_ name: ObjectName) async throws -> Duration? {
        guard let pod = mirrors.pods[name], Self.isWaiting(pod) else { return nil }
        guard pod.spec["schedulingGates"]?.array?.isEmpty != false else { return nil }
        let claims = ClaimCheck(pod: pod, mirrors: mirrors)
        if let problem = claims.problem {
            let nodes = mirrors.nodes.objects.count
            try await reportUnschedulable(pod, "0/\(nodes) nodes are available: \(problem). " + claims.tail(nodes))
            return .seconds(60)
        }
        let nodes = mirrors.nodes.objects.sorted { $0.name < $1.name }
        let fit = NodeFit(pod)
        let verdicts = nodes.map { ($0, fit.obstacles(on: $0, others: pods(on: $0)) + claims.obstacles(on: $0)) }
        guard let node = best(verdicts.filter { $0.1.isEmpty }.map(\.0)) else {
            try await reportUnschedulable(pod, SchedulingVerdict(nodes: verdicts.map(\.1)).message)
            return .seconds(60)
        }
        guard try await claims.select(node, with: context.writer) else { return nil }  // bound claims bring it back
        try await bind(pod, to: node)
        return nil
    }

    private func pods(on node: KubeObject) -> [KubeObject] {
        mirrors.pods.objects.filter { $0.nodeName == node.name && !$0.isFinishedPod }
    }

    /// The node with the fewest pods.
    private func best(_ nodes: [KubeObject]) -> KubeObject? {
        nodes.count <= 1 ? nodes.first : nodes.min { pods(on: $0).count < pods(on: $1).count }
    }

    private func bind(_ pod: KubeObject, to node: KubeObject) async throws {
        var binding = KubeObject(.bindings, namespace: pod.namespace, name: pod.name)
        binding.json.set(.string(pod.uid), at: ["metadata", "uid"])
        binding["target"] = ["apiVersion": "v1", "kind": "Node", "name": .string(node.name)]
        _ = try await context.writer.api.create(binding, as: .bindings)
        record(
            .normal,
            "Scheduled",
            "Successfully assigned \(pod.namespace ?? "")/\(pod.name) to \(node.name)",
            on: pod
        )
        await waitUntilBound(pod)
    }

    /// The next pod must be weighed against this one's place.
    private func waitUntilBound(_ pod: KubeObject) async {
        let reference = ObjectReference(.pods, namespace: pod.namespace, name: pod.name)
        guard let bound = try? await context.writer.api.get(reference) else { return }
        await mirrors.pods.waitUntilSeen(bound.resourceVersion)
    }

    private func reportUnschedulable(_ pod: KubeObject, _ message: String) async throws {
        let current = pod.condition("PodScheduled")
        guard current?["message"]?.string != message || current?["status"]?.string != "False" else { return }
        record(.warning, "FailedScheduling", message, on: pod)
        var conditions = ConditionList(pod.status)
        let since =
            current?["status"]?.string == "False"
            ? current?["lastTransitionTime"]?.string.flatMap { Timestamp($0) } : nil
        let condition = Condition("PodScheduled", "False", "Unschedulable", message)
        conditions.put(condition.json(since: since ?? context.clock.now))
        var status = pod.status
        status["phase"] = status["phase"] ?? "Pending"
        status["conditions"] = conditions.json
        try await context.writer.setStatus(status, of: pod, as: .pods, manager: "kube-scheduler")
    }

    private func record(_ severity: EventRecorder.Severity, _ reason: String, _ message: String, on object: KubeObject)
    {
        context.events.record(severity, reason, message, on: object, by: name)
    }
}
