// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What a daemon set wants on each node, and what is there.
struct DaemonSetView: Sendable {
    static let hashLabel = "controller-revision-hash"

    let owner: KubeObject
    /// Of the present template.
    let hash: String
    let now: Timestamp
    /// The nodes there are, by name.
    let nodes: [KubeObject]
    /// The set's pods by the node they are on or meant for.
    let pods: [String: [KubeObject]]

    init(_ owner: KubeObject, hash: String, nodes: [KubeObject], pods: [KubeObject], at now: Timestamp) {
        self.owner = owner
        self.hash = hash
        self.now = now
        self.nodes = nodes.sorted { $0.name < $1.name }
        self.pods = Dictionary(grouping: pods, by: Self.target)
    }

    private static let affinityPath = [
        "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution",
    ]

    /// The node a pod is on, or the only one that it may go to.
    static func target(of pod: KubeObject) -> String {
        guard pod.nodeName.isEmpty else { return pod.nodeName }
        let terms = pod.spec[path: affinityPath]?["nodeSelectorTerms"]?.array ?? []
        let fields = terms.flatMap { $0["matchFields"]?.array ?? [] }
        return fields.first { $0["key"] == "metadata.name" }?["values"]?[0]?.string ?? ""
    }

    /// Whether a pod should be made on the node, and whether one that is there may stay.
    func suits(_ node: KubeObject) -> (runs: Bool, stays: Bool) {
        var pod = KubeObject(["spec": owner.spec[path: "template", "spec"] ?? [:]])
        tolerate(&pod)
        return NodeFit(pod).suits(node)
    }

    var minReady: Duration { .seconds(owner.spec["minReadySeconds"]?.int ?? 0) }
    func isUpdated(_ pod: KubeObject) -> Bool { pod.labels[Self.hashLabel] == hash }
    func isAvailable(_ pod: KubeObject) -> Bool { pod.isAvailablePod(after: minReady, at: now) }

    /// The pod for one node; the scheduler puts it there.
    func makePod(on node: String) -> KubeObject {
        var pod = ReplicaSetPlan.pod(from: owner.spec["template"] ?? [:], of: owner, as: .daemonSets)
        pod.json.set(.string(hash), at: ["metadata", "labels", Self.hashLabel])
        if let generation = owner.annotations[DaemonSetStrategy.generationKey] {
            pod.json.set(.string(generation), at: ["metadata", "labels", "pod-template-generation"])
        }
        let field: JSON = ["key": "metadata.name", "operator": "In", "values": [.string(node)]]
        pod.json.set(
            ["nodeSelectorTerms": [["matchFields": [field]]]],
            at: ["spec"] + Self.affinityPath
        )
        tolerate(&pod)
        return pod
    }

    /// Daemons go where others may not, and stay when the node ails.
    private func tolerate(_ pod: inout KubeObject) {
        var all = pod.spec["tolerations"]?.array ?? []
        var wanted = [("not-ready", "NoExecute"), ("unreachable", "NoExecute")]
        wanted += ["disk-pressure", "memory-pressure", "pid-pressure", "unschedulable"].map { ($0, "NoSchedule") }
        if pod.spec["hostNetwork"]?.bool == true { wanted.append(("network-unavailable", "NoSchedule")) }
        for (key, effect) in wanted {
            let toleration: JSON = [
                "key": .string("node.kubernetes.io/\(key)"), "operator": "Exists", "effect": .string(effect),
            ]
            if !all.contains(toleration) { all.append(toleration) }
        }
        pod.json.set(.array(all), at: ["spec", "tolerations"])
    }

    /// Older first; those on their node before others.
    static func isOlder(_ left: KubeObject, _ right: KubeObject) -> Bool {
        if left.nodeName.isEmpty != right.nodeName.isEmpty { return !left.nodeName.isEmpty }
        let start = Timestamp(seconds: 0)
        let (x, y) = (left.creationTimestamp ?? start, right.creationTimestamp ?? start)
        return x == y ? left.name < right.name : x < y
    }

    // MARK: Rolling

    var isRolling: Bool { owner.spec[path: "updateStrategy", "type"]?.string == "RollingUpdate" }

    /// How many pods may be missing and how many may be too many; never neither.
    var limits: (unavailable: Int, surge: Int) {
        let rolling = owner.spec[path: "updateStrategy", "rollingUpdate"] ?? [:]
        let desired = nodes.count { suits($0).runs }
        let surge = RolloutBounds.resolve(rolling["maxSurge"] ?? 0, of: desired, roundsUp: true)
        let unavailable = RolloutBounds.resolve(rolling["maxUnavailable"] ?? 1, of: desired, roundsUp: true)
        return (surge == 0 ? max(1, unavailable) : unavailable, surge)
    }

    /// What the next step of a rollout is.
    struct Step: Sendable {
        var removed: [KubeObject] = []
        /// Nodes that get a new pod beside the old one.
        var added: [String] = []
    }

    var nextStep: Step {
        let limits = limits
        return limits.surge > 0 ? surgingStep(limits.surge) : plainStep(limits.unavailable)
    }

    private func generations(on node: KubeObject) -> (old: KubeObject?, new: KubeObject?) {
        let live = (pods[node.name] ?? []).filter(\.isActivePod).sorted(by: Self.isOlder)
        return (live.first { !isUpdated($0) }, live.first(where: isUpdated))
    }

    private func plainStep(_ limit: Int) -> Step {
        var (step, unavailable, candidates) = (Step(), 0, [KubeObject]())
        for node in nodes where suits(node).runs {
            switch generations(on: node) {
            case (nil, let new?): if !isAvailable(new) { unavailable += 1 }
            case (let old?, nil):
                if isAvailable(old) {
                    candidates.append(old)
                } else {
                    // It serves nobody, so nothing is lost.
                    step.removed.append(old)
                    unavailable += 1
                }
            default: unavailable += 1
            }
        }
        step.removed += candidates.prefix(max(0, limit - unavailable))
        return step
    }

    private func surgingStep(_ limit: Int) -> Step {
        var (step, surging, desired, available) = (Step(), 0, 0, 0)
        var (candidates, strays) = ([String](), [KubeObject]())
        for node in nodes {
            let (runs, _) = suits(node)
            let (old, new) = generations(on: node)
            if runs { desired += 1 }
            if let first = old ?? new, isAvailable(first) { available += 1 }
            switch (old, new) {
            case (let old?, let new?): if isAvailable(new) { step.removed.append(old) } else { surging += 1 }
            case (let old?, nil) where isAvailable(old):
                if runs { candidates.append(node.name) } else { strays.append(old) }
            case (let old?, nil):
                if runs { step.added.append(node.name) } else { step.removed.append(old) }
            default: break
            }
        }
        // Where no pod should be, one stays as long as it is needed elsewhere.
        step.removed += strays.prefix(max(0, available - desired))
        step.added += candidates.prefix(max(0, limit - surging))
        return step
    }

    // MARK: Status

    func status(_ collisions: Int) -> JSON {
        var (desired, current, stray, ready, available, updated) = (0, 0, 0, 0, 0, 0)
        for node in nodes {
            let oldest = (pods[node.name] ?? []).min(by: Self.isOlder)
            guard suits(node).runs else {
                if oldest != nil { stray += 1 }
                continue
            }
            desired += 1
            guard let oldest else { continue }
            current += 1
            if oldest.isReadyPod {
                ready += 1
                if isAvailable(oldest) { available += 1 }
            }
            if isUpdated(oldest) { updated += 1 }
        }
        var status: JSON = [
            "currentNumberScheduled": JSON(current), "numberMisscheduled": JSON(stray),
            "desiredNumberScheduled": JSON(desired), "numberReady": JSON(ready),
            "observedGeneration": JSON(owner.generation),
        ]
        for (member, count) in [
            ("updatedNumberScheduled", updated), ("numberAvailable", available),
            ("numberUnavailable", desired - available),
        ] where count > 0 { status[member] = JSON(count) }
        if collisions > 0 { status["collisionCount"] = JSON(collisions) }
        status["conditions"] = owner.status["conditions"]
        return status
    }
}
