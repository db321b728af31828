// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Decides whether a pod fits a node, and why not.
struct NodeFit: Sendable {
    /// Why a node does not fit; some reasons no removal of other pods could mend.
    struct Obstacle: Sendable, Hashable {
        var reason: String
        var isLasting: Bool
    }

    let pod: KubeObject
    private let demand: ResourceDemand
    private let ports: Set<String>

    init(_ pod: KubeObject) {
        self.pod = pod
        demand = ResourceDemand(pod: pod)
        ports = Self.hostPorts(of: pod)
    }

    /// What keeps the pod off the node; empty if it fits. `others` are the pods that count there.
    func obstacles(on node: KubeObject, others: [KubeObject]) -> [Obstacle] {
        if node.spec["unschedulable"]?.bool == true,
            !tolerates(["key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"])
        {
            return [Obstacle(reason: "node(s) were unschedulable", isLasting: true)]
        }
        if hasUntoleratedTaint(node) { return [Obstacle(reason: "node(s) had untolerated taint(s)", isLasting: true)] }
        if !matchesSelectors(node) {
            return [Obstacle(reason: "node(s) didn't match Pod's node affinity/selector", isLasting: true)]
        }
        if others.contains(where: { !ports.isDisjoint(with: Self.hostPorts(of: $0)) }) {
            return [Obstacle(reason: "node(s) didn't have free ports for the requested pod ports", isLasting: false)]
        }
        return shortages(on: node, others: others)
    }

    private func shortages(on node: KubeObject, others: [KubeObject]) -> [Obstacle] {
        let allocatable = ResourceDemand.amounts(node.status["allocatable"])
        var found: [Obstacle] = []
        if others.count + 1 > Int(allocatable["pods"]?.value ?? 110) {
            found.append(Obstacle(reason: "Too many pods", isLasting: false))
        }
        var used = ResourceDemand()
        for other in others { used.add(ResourceDemand(pod: other)) }
        let zero = Quantity(nanos: 0)
        for (name, wanted) in demand.amounts.sorted(by: { $0.key < $1.key }) where wanted > zero {
            let capacity = allocatable[name] ?? zero
            guard wanted + (used.amounts[name] ?? zero) > capacity else { continue }
            found.append(Obstacle(reason: "Insufficient \(name)", isLasting: wanted > capacity))
        }
        return found
    }

    /// Whether a daemon's pod should be made on the node, and whether one that is there may stay; room does not count.
    func suits(_ node: KubeObject) -> (runs: Bool, stays: Bool) {
        guard pod.nodeName.isEmpty || pod.nodeName == node.name, matchesSelectors(node) else { return (false, false) }
        let untolerated = (node.spec["taints"]?.array ?? []).filter { !tolerates($0) }.map { $0["effect"]?.string }
        if untolerated.contains("NoExecute") { return (false, false) }
        return (!untolerated.contains("NoSchedule"), true)
    }

    // MARK: Taints

    private func hasUntoleratedTaint(_ node: KubeObject) -> Bool {
        (node.spec["taints"]?.array ?? []).contains { taint in
            let effect = taint["effect"]?.string
            guard effect == "NoSchedule" || effect == "NoExecute" else { return false }
            guard taint["key"]?.string != "node.kubernetes.io/unschedulable" else { return false }
            return !tolerates(taint)
        }
    }

    private func tolerates(_ taint: JSON) -> Bool { !tolerations(of: taint).isEmpty }

    /// The pod's tolerations that match a taint.
    func tolerations(of taint: JSON) -> [JSON] {
        (pod.spec["tolerations"]?.array ?? []).filter { toleration in
            let effect = toleration["effect"]?.string ?? ""
            guard effect.isEmpty || effect == taint["effect"]?.string else { return false }
            let key = toleration["key"]?.string ?? ""
            guard key.isEmpty || key == taint["key"]?.string else { return false }
            if toleration["operator"]?.string == "Exists" { return true }
            return !key.isEmpty && toleration["value"]?.string ?? "" == taint["value"]?.string ?? ""
        }
    }

    // MARK: Selectors

    private func matchesSelectors(_ node: KubeObject) -> Bool {
        let selector = pod.spec["nodeSelector"]?.stringMap ?? [:]
        guard selector.allSatisfy({ node.labels[$0.key] == $0.value }) else { return false }
        let path = ["affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"]
        guard let required = pod.spec[path: path] else { return true }
        return Self.matches(terms: required["nodeSelectorTerms"]?.array ?? [], node)
    }

    /// One of the terms must hold, and a term holds if all its parts do; an empty term holds for no node.
    static func matches(terms: [JSON], _ node: KubeObject) -> Bool {
        terms.contains { term in
            let labels = term["matchExpressions"]?.array ?? []
            let fields = term["matchFields"]?.array ?? []
            guard !labels.isEmpty || !fields.isEmpty else { return false }
            return LabelSelector(json: ["matchExpressions": .array(labels)])?.matches(node.labels) == true
                && LabelSelector(json: ["matchExpressions": .array(fields)])?.matches(["metadata.name": node.name])
                    == true
        }
    }

    private static func hostPorts(of pod: KubeObject) -> Set<String> {
        let ports = (pod.spec["containers"]?.array ?? []).flatMap { $0["ports"]?.array ?? [] }
        return Set(
            ports.compactMap { port in
                guard let number = port["hostPort"]?.int, number > 0 else { return nil }
                return "\(port["protocol"]?.string ?? "TCP")/\(number)"
            }
        )
    }
}

/// The sentence in which the scheduler says that no node fits.
struct SchedulingVerdict: Sendable, Equatable {
    /// The reasons of each node that did not fit.
    let nodes: [[NodeFit.Obstacle]]

    var message: String {
        guard !nodes.isEmpty else { return "no nodes available to schedule pods" }
        let head = "0/\(nodes.count) nodes are available"
        return "\(head): \(Self.counted(nodes.flatMap { $0.map(\.reason) })). no new claims to deallocate, "
            + "preemption: \(head): \(Self.counted(nodes.map(preemption)))."
    }

    private func preemption(_ obstacles: [NodeFit.Obstacle]) -> String {
        obstacles.contains(where: \.isLasting)
            ? "Preemption is not helpful for scheduling" : "No preemption victims found for incoming pod"
    }

    private static func counted(_ reasons: [String]) -> String {
        var counts: [String: Int] = [:]
        for reason in reasons { counts[reason, default: 0] += 1 }
        return counts.map { "\($0.value) \($0.key)" }.sorted().joined(separator: ", ")
    }
}
