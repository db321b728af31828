// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import TestKit
import Testing

@testable import KubeServer

@Suite("daemon sets", .timeLimit(.minutes(5)))
struct DaemonSetTests {
    let cluster = ControlledCluster()

    /// A set as the API would have defaulted it.
    func set(_ name: String, image: String = "agent:1", pod: JSON = [:], rolling: JSON? = nil) -> KubeObject {
        var object = KubeObject(.daemonSets, namespace: "shop", name: name)
        var spec: JSON = ["containers": [["name": "main", "image": .string(image)]]]
        for (key, value) in pod.object ?? [:] { spec[key] = value }
        object["spec"] = [
            "selector": ["matchLabels": ["app": .string(name)]], "revisionHistoryLimit": 10,
            "updateStrategy": [
                "type": "RollingUpdate", "rollingUpdate": rolling ?? ["maxUnavailable": 1, "maxSurge": 0],
            ],
            "template": ["metadata": ["labels": ["app": .string(name)]], "spec": spec],
        ]
        return object
    }

    private func change(_ cluster: ControlledCluster, _ name: String, to image: String) async throws {
        let reference = ObjectReference(.daemonSets, namespace: "shop", name: name)
        let now = try await cluster.api.get(reference)
        let template: JSON = ["spec": ["containers": [["name": "main", "image": .string(image)]]]]
        let metadata: JSON = ["generation": JSON(now.generation + 1)]
        _ = try await cluster.api.patch(reference, .merge, ["metadata": metadata, "spec": ["template": template]])
    }

    private func nodes(_ cluster: ControlledCluster) -> [String] {
        cluster.api.all(.pods).map(\.nodeName).sorted()
    }

    @Test("each node that suits gets one pod, as soon as it is there")
    func placement() async throws {
        try await cluster.run { cluster in
            try await cluster.addNode("n2", cpu: "1", memory: "1Gi")
            let tainted = ObjectReference(.nodes, name: "n2")
            let taint: JSON = ["key": "own", "value": "yes", "effect": "NoSchedule"]
            _ = try await cluster.api.patch(tainted, .merge, ["spec": ["taints": [taint], "unschedulable": true]])
            _ = try await cluster.api.create(set("agent"), as: .daemonSets)
            let one = try await cluster.wait(.daemonSets, "agent") { $0.status["numberReady"] == 1 }
            #expect(one.status["desiredNumberScheduled"] == 1 && one.status["numberAvailable"] == 1)
            #expect(nodes(cluster) == ["n1"])
            let pod = try #require(cluster.api.all(.pods).first)
            #expect(pod.name.hasPrefix("agent-"))
            #expect(DaemonSetView.target(of: pod) == "n1")
            let tolerated = (pod.spec["tolerations"]?.array ?? []).compactMap { $0["key"]?.string }
            #expect(tolerated.contains("node.kubernetes.io/not-ready"))
            #expect(!tolerated.contains("node.kubernetes.io/network-unavailable"))
            // Cordoned nodes are fine, taints are not.
            _ = try await cluster.api.patch(tainted, .merge, ["spec": ["taints": .null]])
            _ = try await cluster.wait(.daemonSets, "agent") { $0.status["numberReady"] == 2 }
            #expect(nodes(cluster) == ["n1", "n2"])
            let events = try await cluster.waitForEvents("DaemonSet", count: 2)
            #expect(events.allSatisfy { $0.hasPrefix("SuccessfulCreate: Created pod: agent-") })
            let revision = try #require(cluster.api.all(.controllerRevisions).first)
            #expect(pod.labels[DaemonSetView.hashLabel] == revision.labels[DaemonSetView.hashLabel])
        }
    }

    @Test("a node that no longer suits loses its pod")
    func leaves() async throws {
        try await cluster.run { cluster in
            let node = ObjectReference(.nodes, name: "n1")
            _ = try await cluster.api.patch(node, .merge, ["metadata": ["labels": ["disk": "fast"]]])
            _ = try await cluster.api.create(set("agent", pod: ["nodeSelector": ["disk": "fast"]]), as: .daemonSets)
            _ = try await cluster.wait(.daemonSets, "agent") { $0.status["numberReady"] == 1 }
            _ = try await cluster.api.patch(node, .merge, ["metadata": ["labels": ["disk": .null]]])
            let done = try await cluster.wait(.daemonSets, "agent") { $0.status["desiredNumberScheduled"] == 0 }
            #expect(done.name == "agent")
            _ = try await cluster.wait(.pods) { $0.isEmpty }
        }
    }

    @Test("a new template goes from node to node, with or without a pod more", arguments: [0, 1])
    func rolls(surge: Int) async throws {
        try await cluster.run { cluster in
            try await cluster.addNode("n2", cpu: "1", memory: "1Gi")
            let rolling: JSON = ["maxUnavailable": JSON(1 - surge), "maxSurge": JSON(surge)]
            _ = try await cluster.api.create(set("agent", rolling: rolling), as: .daemonSets)
            _ = try await cluster.wait(.daemonSets, "agent") { $0.status["numberReady"] == 2 }
            try await change(cluster, "agent", to: "agent:2")
            _ = try await cluster.wait(.daemonSets, "agent") {
                $0.status["updatedNumberScheduled"] == 2 && $0.status["numberAvailable"] == 2
                    && $0.status["observedGeneration"]?.int == $0.generation
            }
            let pods = try await cluster.wait(.pods) { $0.count == 2 }
            #expect(pods.allSatisfy { $0.spec["containers"]?[0]?["image"] == "agent:2" })
            #expect(RevisionHistory.sorted(cluster.api.all(.controllerRevisions)).map(\.revisionNumber) == [1, 2])
        }
    }

    @Test("with a pod too few allowed, one old pod goes at a time; what does not serve goes at once")
    func steps() {
        func pod(_ name: String, _ node: String, _ hash: String, isReady: Bool) -> KubeObject {
            var pod = KubeObject(.pods, namespace: "shop", name: name, labels: [DaemonSetView.hashLabel: hash])
            pod["spec"] = ["nodeName": .string(node)]
            pod["status"] = [
                "phase": "Running", "conditions": [["type": "Ready", "status": isReady ? "True" : "False"]],
            ]
            return pod
        }
        let nodes = ["a", "b", "c"].map { KubeObject(.nodes, name: $0) }
        let ready = ["a", "b", "c"].map { pod("p-\($0)", $0, "old", isReady: true) }
        func step(_ pods: [KubeObject], _ rolling: JSON, on others: [KubeObject]? = nil) -> DaemonSetView.Step {
            let view = DaemonSetView(
                set("agent", rolling: rolling),
                hash: "new",
                nodes: others ?? nodes,
                pods: pods,
                at: Timestamp(seconds: 0)
            )
            return view.nextStep
        }
        let one: JSON = ["maxUnavailable": 1, "maxSurge": 0]
        #expect(step(ready, one).removed.map(\.name) == ["p-a"])
        #expect(step(Array(ready.dropFirst()), one).removed.isEmpty)
        let ailing = [pod("p-a", "a", "old", isReady: false)] + ready.dropFirst()
        #expect(step(ailing, one).removed.map(\.name) == ["p-a"])
        #expect(step(ready, ["maxUnavailable": "34%", "maxSurge": 0]).removed.count == 2)
        let surge: JSON = ["maxUnavailable": 0, "maxSurge": 1]
        #expect(step(ready, surge).added == ["a"])
        #expect(step(ready + [pod("n-a", "a", "new", isReady: false)], surge).added.isEmpty)
        #expect(step(ready + [pod("n-a", "a", "new", isReady: true)], surge).removed.map(\.name) == ["p-a"])
        // A pod on a node that takes no new ones goes when it is not needed.
        var closed = nodes
        closed[2]["spec"] = ["taints": [["key": "x", "effect": "NoSchedule"]]]
        #expect(step(ready, surge, on: closed).removed.map(\.name) == ["p-c"])
        let weak = [ready[0], pod("p-b", "b", "old", isReady: false), ready[2]]
        #expect(step(weak, surge, on: closed).removed.isEmpty)
        #expect(step(weak, surge, on: closed).added.contains("b"))
    }

    @Test("where there may be two pods, nobody waits for the one that goes, nor keeps one that does not serve")
    func surging() async throws {
        try await cluster.run { cluster in
            let rolling: JSON = ["maxUnavailable": 0, "maxSurge": 1]
            _ = try await cluster.api.create(set("agent", rolling: rolling), as: .daemonSets)
            let first = try await cluster.wait(.pods) { $0.count == 1 && $0[0].isReadyPod }
            let pod = ObjectReference(.pods, namespace: "shop", name: first[0].name)
            // It goes slowly: a finalizer holds it.
            _ = try await cluster.api.patch(pod, .merge, ["metadata": ["finalizers": ["test/hold"]]])
            try await cluster.api.delete(pod)
            let both = try await cluster.wait(.pods) { $0.count == 2 }
            #expect(both.contains { $0.uid == first[0].uid && $0.isTerminating })
        }
    }
}
