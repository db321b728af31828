// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import TestKit
import Testing

@testable import KubeServer

@Suite("node fit")
struct NodeFitTests {
    func node(
        cpu: String = "2",
        memory: String = "1Gi",
        pods: String = "110",
        labels: [String: String] = [:],
        spec: JSON = [:]
    ) -> KubeObject {
        var node = KubeObject(.nodes, name: "n1", labels: labels)
        node["spec"] = spec
        node["status"] = ["allocatable": ["cpu": .string(cpu), "memory": .string(memory), "pods": .string(pods)]]
        return node
    }

    func message(_ pod: KubeObject, on node: KubeObject, others: [KubeObject] = []) -> String? {
        let obstacles = NodeFit(pod).obstacles(on: node, others: others)
        return obstacles.isEmpty ? nil : SchedulingVerdict(nodes: [obstacles]).message
    }

    func pod(_ spec: JSON) -> KubeObject {
        var pod = Sample.pod("p")
        for (key, value) in spec.object ?? [:] { pod.json.set(value, at: ["spec", key]) }
        return pod
    }

    let tail = "no new claims to deallocate, preemption: 0/1 nodes are available: 1"

    @Test("what does not fit is said in the scheduler's words")
    func messages() {
        let large = Sample.pod("p", requests: ["memory": "2Gi", "cpu": "3"])
        #expect(
            message(large, on: node())
                == "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory. \(tail) Preemption is not helpful for scheduling."
        )
        let half = Sample.pod("p", requests: ["memory": "600Mi"])
        #expect(message(half, on: node()) == nil)
        #expect(
            message(half, on: node(), others: [half])
                == "0/1 nodes are available: 1 Insufficient memory. \(tail) No preemption victims found for incoming pod."
        )
        #expect(message(half, on: node(pods: "1"), others: [Sample.pod("q")])?.contains("1 Too many pods.") == true)
        #expect(
            message(half, on: node(spec: ["unschedulable": true]))
                == "0/1 nodes are available: 1 node(s) were unschedulable. \(tail) Preemption is not helpful for scheduling."
        )
        #expect(SchedulingVerdict(nodes: []).message == "no nodes available to schedule pods")
    }

    @Test("selectors, affinity, taints and host ports are heeded")
    func placement() {
        let selecting = pod(["nodeSelector": ["disk": "ssd"]])
        #expect(message(selecting, on: node())?.contains("node(s) didn't match Pod's node affinity/selector") == true)
        #expect(message(selecting, on: node(labels: ["disk": "ssd"])) == nil)
        let term: JSON = ["matchExpressions": [["key": "zone", "operator": "NotIn", "values": ["a"]]]]
        let affine = pod([
            "affinity": [
                "nodeAffinity": ["requiredDuringSchedulingIgnoredDuringExecution": ["nodeSelectorTerms": [term]]]
            ]
        ])
        #expect(message(affine, on: node(labels: ["zone": "a"])) != nil)
        #expect(message(affine, on: node(labels: ["zone": "b"])) == nil)

        let tainted = node(spec: ["taints": [["key": "only", "value": "x", "effect": "NoSchedule"]]])
        #expect(message(Sample.pod("p"), on: tainted)?.contains("node(s) had untolerated taint(s)") == true)
        #expect(
            message(pod(["tolerations": [["key": "only", "value": "x", "effect": "NoSchedule"]]]), on: tainted) == nil
        )
        #expect(message(pod(["tolerations": [["key": "only", "value": "y"]]]), on: tainted) != nil)
        #expect(message(pod(["tolerations": [["operator": "Exists"]]]), on: tainted) == nil)
        let preferring = node(spec: ["taints": [["key": "only", "effect": "PreferNoSchedule"]]])
        #expect(message(Sample.pod("p"), on: preferring) == nil)

        let port = pod(["containers": [["name": "c", "ports": [["containerPort": 80, "hostPort": 80]]]]])
        #expect(message(port, on: node(), others: [port])?.contains("didn't have free ports") == true)
    }

    @Test("init containers count by their largest, sidecars with the rest")
    func demand() {
        let requests: (String) -> JSON = { ["requests": ["memory": .string($0)]] }
        let spec: JSON = [
            "initContainers": [
                ["name": "i", "resources": requests("500Mi")],
                ["name": "s", "restartPolicy": "Always", "resources": requests("100Mi")],
                ["name": "j", "resources": requests("150Mi")],
            ],
            "containers": [
                ["name": "a", "resources": requests("100Mi")], ["name": "b", "resources": requests("100Mi")],
            ],
            "overhead": ["memory": "10Mi"],
        ]
        #expect(ResourceDemand(pod: pod(spec)).amounts == ["memory": Quantity("510Mi") ?? Quantity(nanos: 0)])
    }
}

@Suite("scheduler", .timeLimit(.minutes(5)))
struct SchedulerTests {
    let cluster = ControlledCluster()

    @Test("a pod that fits is bound; one that does not waits, says why, and is bound when room appears")
    func schedules() async throws {
        try await cluster.run { cluster in
            _ = try await cluster.api.create(Sample.pod("first", requests: ["memory": "800Mi"]), as: .pods)
            _ = try await cluster.wait(.pods, "first") { $0.nodeName == "n1" }
            _ = try await cluster.api.create(Sample.pod("second", requests: ["memory": "800Mi"]), as: .pods)
            let waiting = try await cluster.wait(.pods, "second") { $0.condition("PodScheduled") != nil }
            #expect(waiting.condition("PodScheduled")?["reason"] == "Unschedulable")
            #expect(
                waiting.condition("PodScheduled")?["message"]?.string?.hasPrefix(
                    "0/1 nodes are available: 1 Insufficient memory."
                ) == true
            )
            try await cluster.api.delete(ObjectReference(.pods, namespace: "shop", name: "first"))
            _ = try await cluster.wait(.pods, "second") { $0.nodeName == "n1" }
            let events = try await cluster.waitForEvents("Pod", count: 3)
            #expect(events.contains("Scheduled: Successfully assigned shop/second to n1"))
            #expect(
                events.contains { $0.hasPrefix("FailedScheduling: 0/1 nodes are available: 1 Insufficient memory.") }
            )
        }
    }

    @Test("pods for another scheduler, and gated ones, are left alone; a new node takes what waits")
    func waitsForNodes() async throws {
        try await cluster.run { cluster in
            var foreign = Sample.pod("foreign")
            foreign.json.set("other", at: ["spec", "schedulerName"])
            _ = try await cluster.api.create(foreign, as: .pods)
            var gated = Sample.pod("gated")
            gated.json.set([["name": "x.dev/gate"]], at: ["spec", "schedulingGates"])
            _ = try await cluster.api.create(gated, as: .pods)
            _ = try await cluster.api.create(Sample.pod("large", requests: ["cpu": "8"]), as: .pods)
            _ = try await cluster.wait(.pods, "large") { $0.condition("PodScheduled") != nil }
            try await cluster.addNode("n2", cpu: "16", memory: "1Gi")
            _ = try await cluster.wait(.pods, "large") { $0.nodeName == "n2" }
            #expect(cluster.api.all(.pods).filter { $0.nodeName.isEmpty }.map(\.name) == ["foreign", "gated"])
        }
    }
}
