// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Telemetry
import TestKit
import Testing

@testable import KubeServer

@Suite("nodes and events", .timeLimit(.minutes(5)))
struct NodeTests {
    func lease(_ time: Timestamp) -> KubeObject {
        var lease = KubeObject(.leases, namespace: "kube-node-lease", name: "n1")
        lease["spec"] = ["holderIdentity": "n1", "renewTime": .string(time.microText)]
        return lease
    }

    @Test("a node that stops renewing its lease becomes unknown and takes no pods, until it reports again")
    func silence() async throws {
        let clock = HandClock()
        let cluster = ControlledCluster(clock: clock.wall)
        try await cluster.run { cluster in
            _ = try await cluster.api.create(lease(clock.wall.now), as: .leases)
            _ = try await cluster.api.create(Sample.pod("first"), as: .pods)
            _ = try await cluster.wait(.pods, "first") { $0.nodeName == "n1" }
            clock.advance(by: .seconds(60))
            _ = try await cluster.api.patch(
                ObjectReference(.nodes, name: "n1"),
                .merge,
                ["metadata": ["annotations": ["look": "1"]]]
            )
            let silent = try await cluster.wait(.nodes, "n1") { $0.spec["taints"] != nil }
            #expect(silent.condition("Ready")?["status"] == "Unknown")
            #expect(silent.condition("Ready")?["reason"] == "NodeStatusUnknown")
            #expect(silent.spec["taints"] == [["key": "node.kubernetes.io/unreachable", "effect": "NoSchedule"]])
            _ = try await cluster.api.create(Sample.pod("second"), as: .pods)
            _ = try await cluster.wait(.pods, "second") { $0.condition("PodScheduled") != nil }

            _ = try await cluster.api.update(lease(clock.wall.now), as: .leases)
            _ = try await cluster.api.patch(
                ObjectReference(.nodes, name: "n1"),
                subresource: "status",
                .merge,
                ["status": ["conditions": [["type": "Ready", "status": "True"]]]],
                options: .init()
            )
            _ = try await cluster.wait(.pods, "second") { $0.nodeName == "n1" }
        }
    }

    private func taint(_ cluster: ControlledCluster, _ taints: JSON) async throws {
        let change: JSON = ["spec": ["taints": taints]]
        _ = try await cluster.api.patch(ObjectReference(.nodes, name: "n1"), .merge, change)
    }

    @Test("a NoExecute taint removes pods that do not tolerate it, at once or when their time is up")
    func evictions() async throws {
        let clock = HandClock()
        let cluster = ControlledCluster(clock: clock.wall)
        let tolerations: [(String, JSON)] = [
            ("weak", []), ("other", [["key": "b", "operator": "Exists"]]),
            ("patient", [["key": "a", "operator": "Exists", "tolerationSeconds": 60]]),
            ("strong", [["operator": "Exists"]]),
        ]
        try await cluster.run { cluster in
            for (name, tolerated) in tolerations {
                var pod = Sample.pod(name)
                pod.json.set(tolerated, at: ["spec", "tolerations"])
                _ = try await cluster.api.create(pod, as: .pods)
            }
            _ = try await cluster.wait(.pods) { $0.count { $0.nodeName == "n1" } == 4 }
            try await taint(cluster, [["key": "c", "effect": "NoSchedule"]])
            try await taint(cluster, [["key": "a", "value": "x", "effect": "NoExecute"]])
            let left = try await cluster.wait(.pods) { $0.count == 2 }
            #expect(Set(left.map(\.name)) == ["patient", "strong"])
            let events = try await cluster.wait(.events) { $0.count { $0["reason"] == "TaintManagerEviction" } == 2 }
            #expect(events.contains { $0["message"] == "Marking for deletion Pod shop/weak" })

            clock.advance(by: .seconds(61))
            try await taint(cluster, [["key": "a", "value": "y", "effect": "NoExecute"]])
            #expect(try await cluster.wait(.pods) { $0.count == 1 }.map(\.name) == ["strong"])
        }
    }

    @Test("pods of a node that is gone go after a while")
    func orphanedPods() async throws {
        let clock = HandClock()
        let cluster = ControlledCluster(clock: clock.wall)
        try await cluster.run { cluster in
            var pod = Sample.pod("lost")
            pod.json.set("gone", at: ["spec", "nodeName"])
            _ = try await cluster.api.create(pod, as: .pods)
            var other = Sample.pod("mark")
            other.json.set("gone", at: ["spec", "nodeName"])
            _ = try await cluster.wait(.namespaces) { !$0.isEmpty }  // the controllers run
            clock.advance(by: .seconds(41))
            _ = try await cluster.api.create(other, as: .pods)
            _ = try await cluster.api.patch(
                ObjectReference(.pods, namespace: "shop", name: "lost"),
                .merge,
                ["metadata": ["labels": ["look": "1"]]]
            )
            _ = try await cluster.wait(.pods) { all in !all.contains { $0.name == "lost" } }
            #expect(cluster.api.all(.pods).contains { $0.name == "mark" })
        }
    }

    @Test("the same event again counts up; another message is another event")
    func eventCounts() async throws {
        let clock = HandClock()
        let api = FakeCluster(clock: clock.wall)
        let recorder = EventRecorder(api: api, clock: clock.wall, telemetry: .init("test", log: .quiet))
        let pod = try await api.create(Sample.pod("p"), as: .pods)
        await withTaskGroup { group in
            group.addTask { await recorder.run() }
            for _ in 0..<3 { recorder.record(.warning, "BackOff", "again", on: pod, by: "kubelet") }
            recorder.record(.normal, "Pulled", "done", on: pod, by: "kubelet")
            while api.all(.events).count < 2 { await Task.yield() }
            group.cancelAll()
        }
        let events = api.all(.events)
        #expect(events.map { $0["count"] } == [3, 1])
        #expect(events[0]["involvedObject"]?["uid"]?.string == pod.uid)
        #expect(events[0]["source"]?["component"] == "kubelet")
        #expect(events[0]["reportingComponent"] == "kubelet")
    }
}
