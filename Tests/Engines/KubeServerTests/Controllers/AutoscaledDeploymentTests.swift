// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Logging
import Model
import Ports
import Telemetry
import TestKit
import Testing

@testable import KubeServer

/// An autoscaler beside the real API server, its metrics and all controllers; only the containers are made up.
@Suite("an autoscaled deployment", .timeLimit(.minutes(5)))
struct AutoscaledDeploymentTests {
    /// A node whose containers all use the same share of a processor.
    private final class Agent: NodeAgent {
        let used = Mutexed([String: Double]())

        func work(_ pods: [KubeObject], cores: Double, for seconds: Double) {
            var all = used.value
            for pod in pods { all[pod.uid, default: 0] += cores * seconds }
            used.value = all
        }

        func usage() async -> NodeUsage? {
            func usage(_ seconds: Double) -> ResourceUsage {
                ResourceUsage(processorTime: .milliseconds(Int(seconds * 1000)), memory: 1 << 20)
            }
            return NodeUsage(node: "n1", machine: usage(0), containers: used.value.mapValues(usage))
        }

        func logs(namespace: String, pod: String, uid: String, _ options: LogOptions) async throws
            -> AsyncThrowingStream<[UInt8], any Error>
        { throw Failure(.notFound, "no logs here") }

        func session(namespace: String, pod: String, uid: String, _ options: SessionOptions) async throws
            -> any ContainerSession
        { throw Failure(.notFound, "no sessions here") }

        func ports(namespace: String, pod: String, uid: String) async throws -> any PodPorts {
            throw Failure(.notFound, "no ports here")
        }
    }

    private let deployment: KubeObject = {
        var object = Sample.deployment("web", replicas: 1)
        let resources: JSON = ["requests": ["cpu": "100m"]]
        object.json.set(
            [["name": "main", "image": "web:1", "resources": resources]],
            at: ["spec", "template", "spec", "containers"]
        )
        return object
    }()

    private let autoscaler: KubeObject = {
        var object = KubeObject(.horizontalPodAutoscalers, namespace: "shop", name: "web")
        let target: JSON = ["type": "Utilization", "averageUtilization": 50]
        object["spec"] = [
            "scaleTargetRef": ["apiVersion": "apps/v1", "kind": "Deployment", "name": "web"], "maxReplicas": 6,
            "metrics": [["type": "Resource", "resource": ["name": "cpu", "target": target]]],
        ]
        return object
    }()

    private func run(_ test: TestServer, _ body: @escaping @Sendable (any ClusterAPI) async throws -> Void) async throws
    {
        let api = test.server.api
        let clock = WallClock { test.now.value }
        let controllers = Controllers(
            api: api,
            configuration: ControllerConfiguration(),
            wallClock: clock,
            telemetry: Telemetry("test", log: .quiet)
        )
        try await withThrowingTaskGroup { group in
            group.addTask { await controllers.run() }
            group.addTask {
                await Kubelet(api: api, clock: clock, phase: { _ in "Running" }, showsContainers: true).run()
            }
            try await body(api)
            group.cancelAll()
        }
    }

    private func addNode(_ api: any ClusterAPI) async throws {
        var node = KubeObject(.nodes, name: "n1")
        node["status"] = [
            "allocatable": ["cpu": "2", "memory": "1Gi", "pods": "110"],
            "conditions": [["type": "Ready", "status": "True"]],
        ]
        _ = try await api.create(node, as: .nodes)
        _ = try await api.updateStatus(node, as: .nodes)
    }

    /// The pods work for a while, two samples are taken, and the autoscaler looks again, as it does when its spec changes.
    private func work(_ test: TestServer, _ agent: Agent, cores: Double, most: Int) async throws {
        let api = test.server.api
        let pods = try await RealServerTests().wait(api, .pods) { all in
            !all.isEmpty && all.allSatisfy { $0.status["containerStatuses"] != nil && !$0.isTerminating }
        }
        test.now.value = test.now.value + .seconds(600)
        agent.work(pods, cores: cores, for: 600)
        await test.server.sampleUsage()
        test.now.value = test.now.value + .seconds(15)
        agent.work(pods, cores: cores, for: 15)
        await test.server.sampleUsage()
        let reference = ObjectReference(.horizontalPodAutoscalers, namespace: "shop", name: "web")
        _ = try await api.patch(reference, .merge, ["spec": ["maxReplicas": JSON(most)]])
    }

    @Test func loadMakesItGrowAndIdlenessShrink() async throws {
        let test = try await TestServer { $0.servesMetrics = true }
        let agent = Agent()
        test.server.nodeAgent = agent
        try await run(test) { api in
            try await addNode(api)
            _ = try await api.create(KubeObject(.namespaces, name: "shop"), as: .namespaces)
            _ = try await api.create(deployment, as: .deployments)
            _ = try await api.create(autoscaler, as: .horizontalPodAutoscalers)
            // 200m of 100m is four times the 50 % that is wanted.
            try await work(test, agent, cores: 0.2, most: 5)
            func size(_ count: Int) async throws -> [KubeObject] {
                try await RealServerTests().wait(api, .deployments) { all in
                    all.first?.spec["replicas"]?.int == count && all.first?.statusCount("availableReplicas") == count
                }
            }
            #expect(try await size(4).count == 1)
            let shown = try await RealServerTests().wait(api, .horizontalPodAutoscalers) {
                $0.first?.status["desiredReplicas"] == 4
            }
            let current = shown.first?.status["currentMetrics"]?[0]?["resource"]?["current"]
            #expect(current == ["averageUtilization": 200, "averageValue": "200m"])
            try await work(test, agent, cores: 0.01, most: 6)
            #expect(try await size(1).count == 1)
            let events = try await RealServerTests().wait(api, .events) { all in
                all.count { $0["reason"] == "SuccessfulRescale" } == 2
            }
            #expect(
                Set(events.filter { $0["reason"] == "SuccessfulRescale" }.compactMap { $0["message"]?.string }) == [
                    "New size: 4; reason: cpu resource utilization (percentage of request) above target",
                    "New size: 1; reason: All metrics below target",
                ]
            )
        }
    }
}
