// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import TestKit
import Testing

@testable import KubeServer

@Suite("autoscalers")
struct AutoscalerTests {
    private let now = Timestamp(seconds: 1_800_000_000)

    private func pod(_ name: String, request: String? = "100m", age: Duration = .seconds(3600), isReady: Bool = true)
        -> KubeObject
    {
        var pod = KubeObject(.pods, namespace: "a", name: name, labels: ["app": "web"])
        let resources: JSON = request.map { ["requests": ["cpu": .string($0), "memory": "64Mi"]] } ?? [:]
        pod["spec"] = ["containers": [["name": "c", "image": "i", "resources": resources]]]
        let since = JSON.string((now - age).description)
        pod["status"] = [
            "phase": "Running", "startTime": since,
            "conditions": [["type": "Ready", "status": isReady ? "True" : "False", "lastTransitionTime": since]],
        ]
        return pod
    }

    private func samples(_ amounts: [String: Int64]) -> [String: PodSample] {
        amounts.mapValues { PodSample(time: now, window: .seconds(15), amount: $0) }
    }

    private func propose(
        _ pods: [KubeObject],
        _ amounts: [String: Int64],
        _ target: MetricTarget = .utilization(50),
        current: Int? = nil
    ) throws -> ResourceProposal {
        try ResourceProposal(
            "cpu",
            target: target,
            current: current ?? pods.count,
            pods: pods,
            samples: samples(amounts),
            at: now
        )
    }

    @Test func aRatioBeyondTheToleranceMovesTheSize() throws {
        let pods = [pod("a"), pod("b")]
        let up = try propose(pods, ["a": 90, "b": 110])
        #expect(up.replicas == 4 && up.utilization == 100 && up.average == 100)
        #expect(try propose(pods, ["a": 53, "b": 53]).replicas == 2)
        #expect(try propose(pods, ["a": 20, "b": 20]).replicas == 1)
        #expect(try propose(pods, ["a": 300, "b": 100], .average(50)).replicas == 8)
    }

    @Test func podsWithoutFiguresHoldBackInBothDirections() throws {
        let pods = [pod("a"), pod("b"), pod("c")]
        // Up: the missing one counts as idle. (200 + 0 + 0 of 300) is 66 % of 50 %: 1.32 * 3.
        #expect(try propose(pods, ["a": 200]).replicas == 4)
        // Down: the missing ones count as busy.
        #expect(try propose(pods, ["a": 10]).replicas == 3)
    }

    @Test func podsThatStartDoNotCountAsBusy() throws {
        let pods = [pod("a"), pod("b", age: .seconds(20), isReady: false)]
        #expect(try propose(pods, ["a": 60, "b": 1000]).replicas == 2)
    }

    @Test(arguments: [
        ([], "no pods returned by selector while calculating replica count"),
        (["x"], "did not receive metrics for targeted pods (pods might be unready)"),
    ])
    func whatCannotBeComputedIsSaid(_ names: [String], _ why: String) {
        let error = #expect(throws: ResourceProposal.Problem.self) { try propose(names.map { pod($0) }, [:]) }
        #expect(error?.text == why)
        let blind = #expect(throws: ResourceProposal.Problem.self) { try propose([pod("p", request: nil)], ["p": 1]) }
        #expect(blind?.text == "missing request for cpu in container c of Pod p")
    }

    private func limits(_ entries: [(Int, Int)], behavior: JSON? = nil, least: Int = 1, most: Int = 20) -> ReplicaLimits
    {
        var history = AutoscalerHistory()
        for (count, age) in entries { history.recommend(count, at: now - .seconds(age)) }
        return ReplicaLimits(least: least, most: most, behavior: behavior, history: history, now: now)
    }

    @Test func withoutRulesSizesRiseByDoublingAndFallAfterFiveMinutes() {
        #expect(limits([(9, 0)]).verdict(9, current: 2).replicas == 4)
        #expect(limits([(9, 0)]).verdict(9, current: 2).limited?.reason == "ScaleUpLimit")
        let held = limits([(5, 200), (2, 0)]).verdict(2, current: 5)
        #expect(held.replicas == 5 && held.stabilized?.reason == "ScaleDownStabilized")
        #expect(limits([(5, 301), (2, 0)]).verdict(2, current: 5).replicas == 2)
        #expect(limits([(50, 0)], most: 6).verdict(50, current: 5).limited?.reason == "TooManyReplicas")
        #expect(limits([(1, 0)], least: 3).verdict(1, current: 5).limited?.reason == "TooFewReplicas")
    }

    @Test func rulesBoundHowFastSizesMove() {
        let behavior: JSON = [
            "scaleUp": [
                "stabilizationWindowSeconds": 60, "policies": [["type": "Pods", "value": 1, "periodSeconds": 60]],
            ],
            "scaleDown": [
                "stabilizationWindowSeconds": 0, "policies": [["type": "Percent", "value": 50, "periodSeconds": 60]],
            ],
        ]
        #expect(limits([(9, 50), (9, 0)], behavior: behavior).verdict(9, current: 4).replicas == 5)
        let held = limits([(4, 50), (9, 0)], behavior: behavior).verdict(9, current: 4)
        #expect(held.replicas == 4 && held.stabilized?.reason == "ScaleUpStabilized")
        let down = limits([(1, 0)], behavior: behavior).verdict(1, current: 8)
        #expect(down.replicas == 4 && down.limited?.reason == "ScaleDownLimit")
    }

    private func metrics(_ name: String, cpu: String) -> KubeObject {
        var metrics = KubeObject(.podMetrics, namespace: "a", name: name, labels: ["app": "web"])
        metrics["timestamp"] = .string(now.description)
        metrics["window"] = "15s"
        metrics["containers"] = [["name": "c", "usage": ["cpu": .string(cpu), "memory": "1Mi"]]]
        return metrics
    }

    private func run(_ behaviour: (inout AutoscalerRun) -> Void) -> AutoscalerRun {
        var autoscaler = KubeObject(.horizontalPodAutoscalers, namespace: "a", name: "h")
        autoscaler["spec"] = ["minReplicas": 1, "maxReplicas": 5]
        var run = AutoscalerRun(autoscaler, history: nil, at: now)
        behaviour(&run)
        return run
    }

    private func scale(_ replicas: Int) -> KubeObject {
        KubeObject(["spec": ["replicas": JSON(replicas)], "status": ["selector": "app=web"]])
    }

    @Test func whatCannotBeMeasuredLeavesTheSizeAlone() {
        let run = run { run in
            run.start(scale(2))
            run.propose(["type": "Resource"], failed: "FailedGetResourceMetric", "failed to get cpu utilization: none")
            run.decide()
        }
        #expect(run.desired == 2)
        let condition = ConditionList(run.status)["ScalingActive"]
        #expect(condition?["status"] == "False" && condition?["reason"] == "FailedGetResourceMetric")
        #expect(run.events.map(\.reason) == ["FailedGetResourceMetric", "FailedComputeMetricsReplicas"])
    }

    @Test func sizesBeyondTheLimitsAreMendedWithoutMetrics() {
        #expect(run { $0.start(scale(9)) }.desired == 5)
        #expect(run { $0.start(scale(0)) }.desired == 0)
        let idle = run { $0.start(scale(0)) }
        #expect(ConditionList(idle.status)["ScalingActive"]?["reason"] == "ScalingDisabled")
    }

    @Test func figuresBecomeMetricsWithTheSecondSample() throws {
        let book = UsageBook()
        let pod: JSON = [
            "metadata": ["name": "p", "namespace": "a", "labels": ["app": "web"]], "spec": ["nodeName": "n"],
            "status": [
                "containerStatuses": [
                    ["name": "c", "containerID": "ballast://x1", "state": ["running": ["startedAt": "x"]]]
                ]
            ],
        ]
        func usage(_ seconds: Double) -> NodeUsage {
            let used = ResourceUsage(processorTime: .milliseconds(Int(seconds * 1000)), memory: 5 << 20)
            return NodeUsage(node: "n", machine: used, containers: ["x1": used])
        }
        book.note(usage(10), pods: [pod], at: now)
        #expect(book.object("/metrics/pods/a/p") == nil)
        book.note(usage(11.5), pods: [pod], at: now + .seconds(15))
        let bytes = try #require(book.object("/metrics/pods/a/p"))
        let metrics = try JSON(parsing: bytes)
        #expect(metrics["containers"] == [["name": "c", "usage": ["cpu": "100000000n", "memory": "5120Ki"]]])
        #expect(metrics["window"] == "15s")
        #expect(PodSample(KubeObject(metrics), resource: "cpu", container: nil)?.amount == 100)
        #expect(book.objects("/metrics/nodes/", after: nil).count == 1)
    }

    /// A node whose one container has used so many seconds of a processor.
    private final class Agent: NodeAgent {
        let seconds = Mutexed(10.0)

        func logs(namespace: String, pod: String, uid: String, _ options: LogOptions) async throws
            -> AsyncThrowingStream<[UInt8], any Error>
        {
            throw Failure(.notFound, "no logs here")
        }

        func session(namespace: String, pod: String, uid: String, _ options: SessionOptions) async throws
            -> any ContainerSession
        { throw Failure(.notFound, "no sessions here") }

        func ports(namespace: String, pod: String, uid: String) async throws -> any PodPorts {
            throw Failure(.notFound, "no ports here")
        }

        func usage() async -> NodeUsage? {
            let used = ResourceUsage(processorTime: .milliseconds(Int(seconds.value * 1000)), memory: 5 << 20)
            return NodeUsage(node: "n", machine: used, containers: ["x1": used])
        }
    }

    @Test func figuresAreReadLikeAnyResource() async throws {
        let test = try await TestServer { $0.servesMetrics = true }
        let agent = Agent()
        test.server.nodeAgent = agent
        let pods = "/api/v1/namespaces/default/pods"
        let pod: JSON = [
            "metadata": ["name": "p", "labels": ["app": "web"]],
            "spec": ["nodeName": "n", "containers": [["name": "c", "image": "i"]]],
        ]
        #expect(await test.send("POST", pods, pod).status == 201)
        let status: JSON = [
            "name": "c", "containerID": "ballast://x1", "image": "i", "imageID": "", "ready": true, "restartCount": 0,
            "state": ["running": ["startedAt": "2026-01-01T00:00:00Z"]],
        ]
        _ = await test.send(
            "PATCH",
            "\(pods)/p/status",
            ["status": ["phase": "Running", "containerStatuses": [status]]],
            contentType: "application/merge-patch+json"
        )
        await test.server.sampleUsage()
        agent.seconds.value += 3
        test.now.value = test.now.value + .seconds(15)
        await test.server.sampleUsage()
        let root = "/apis/metrics.k8s.io/v1beta1"
        let list = await test.send("GET", "\(root)/namespaces/default/pods?labelSelector=app%3Dweb").json
        #expect(list["kind"] == "PodMetricsList")
        #expect(list["items"]?[0]?["containers"]?[0]?["usage"] == ["cpu": "200000000n", "memory": "5120Ki"])
        #expect(await test.send("GET", "\(root)/pods?labelSelector=app%3Dother").json["items"] == [])
        #expect(await test.send("GET", "\(root)/namespaces/default/pods/p").json["window"] == "15s")
        #expect(await test.send("GET", "\(root)/nodes/n").json["usage"]?["cpu"] == "200000000n")
        #expect(await test.send("GET", root).json["resources"]?.array?.count == 2)
        let items = try await test.server.api.list(ListQuery(.podMetrics, namespace: "default")).items
        #expect(items.map(\.name) == ["p"])
        let merge = "application/merge-patch+json"
        for (method, path) in [
            ("POST", "namespaces/default/pods"), ("DELETE", "namespaces/default/pods"),
            ("PUT", "namespaces/default/pods/p"), ("PATCH", "namespaces/default/pods/p"),
            ("DELETE", "namespaces/default/pods/p"), ("GET", "namespaces/default/pods?watch=1"), ("POST", "nodes"),
        ] {
            let answer = await test.send(method, "\(root)/\(path)", ["metadata": ["name": "p"]], contentType: merge)
            #expect(answer.status == 405, "\(method) \(path)")
            #expect(answer.message == "the server does not allow this method on the requested resource")
        }
    }

    @Test func theOlderVersionShowsTheSameAutoscaler() async throws {
        let test = try await TestServer()
        let (old, new) = ("/apis/autoscaling/v1/namespaces/default", "/apis/autoscaling/v2/namespaces/default")
        let made = await test.send(
            "POST",
            "\(old)/horizontalpodautoscalers",
            [
                "metadata": ["name": "h"],
                "spec": [
                    "scaleTargetRef": ["apiVersion": "apps/v1", "kind": "Deployment", "name": "web"],
                    "maxReplicas": 3, "targetCPUUtilizationPercentage": 60,
                ],
            ]
        )
        #expect(made.status == 201, "\(made.message)")
        #expect(made.json[path: "spec", "targetCPUUtilizationPercentage"] == 60)
        #expect(made.json[path: "spec", "metrics"] == nil)
        let newer = await test.send("GET", "\(new)/horizontalpodautoscalers/h").json
        let target: JSON = ["type": "Utilization", "averageUtilization": 60]
        #expect(
            newer[path: "spec", "metrics"] == [["type": "Resource", "resource": ["name": "cpu", "target": target]]]
        )
        let memory: JSON = [
            "type": "Resource",
            "resource": ["name": "memory", "target": ["type": "AverageValue", "averageValue": "1Gi"]],
        ]
        _ = await test.send(
            "PATCH",
            "\(new)/horizontalpodautoscalers/h",
            ["spec": ["metrics": [memory]]],
            contentType: "application/merge-patch+json"
        )
        let older = await test.send("GET", "\(old)/horizontalpodautoscalers/h").json
        #expect(older[path: "spec", "targetCPUUtilizationPercentage"] == nil)
        #expect(
            older[path: "metadata", "annotations", "autoscaling.alpha.kubernetes.io/metrics"]
                == #"[{"type":"Resource","resource":{"name":"memory","targetAverageValue":"1Gi"}}]"#
        )
        // What a client reads it can write back.
        #expect(await test.send("PUT", "\(old)/horizontalpodautoscalers/h", older).status == 200)
        #expect(await test.send("GET", "\(new)/horizontalpodautoscalers/h").json[path: "spec", "metrics"] == [memory])
    }
}
