// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import TestKit
import Testing

@testable import KubeServer

@Suite("disruption budgets")
struct BudgetTests {
    private let now = Timestamp(seconds: 1_800_000_000)

    private func budget(_ spec: JSON, _ status: JSON = [:]) -> KubeObject {
        var budget = KubeObject(.podDisruptionBudgets, namespace: "a", name: "b")
        budget["spec"] = spec
        budget["status"] = status
        budget.json.set(3, at: ["metadata", "generation"])
        return budget
    }

    private func pods(_ ready: [Bool], owner: String? = "set") -> [KubeObject] {
        ready.enumerated().map { place, isReady in
            var pod = KubeObject(.pods, namespace: "a", name: "p\(place)")
            pod["status"] = [
                "phase": "Running", "conditions": [["type": "Ready", "status": isReady ? "True" : "False"]],
            ]
            if let owner {
                pod.json.set(
                    [["kind": "ReplicaSet", "name": .string(owner), "uid": .string(owner), "controller": true]],
                    at: ["metadata", "ownerReferences"]
                )
            }
            return pod
        }
    }

    private func status(_ spec: JSON, _ pods: [KubeObject], replicas: Int = 4, _ before: JSON = [:]) throws -> JSON {
        let budget = budget(spec, before)
        let demand = try BudgetDemand(budget, pods: pods) { _ in .init(uid: "set", replicas: replicas) }
        return BudgetView(budget, pods: pods, demand: demand, at: now).status
    }

    @Test(
        arguments: [
            (["minAvailable": 2], 3, 2, 1), (["minAvailable": "50%"], 4, 2, 1), (["maxUnavailable": 1], 4, 3, 0),
            (["maxUnavailable": "26%"], 4, 2, 1),
        ] as [(JSON, Int, Int, Int)]
    )
    func amountsAndPercentagesCount(_ spec: JSON, expected: Int, desired: Int, allowed: Int) throws {
        let status = try status(spec, pods([true, true, true]))
        #expect(status["expectedPods"]?.int == expected)
        #expect(status["desiredHealthy"]?.int == desired)
        #expect(status["currentHealthy"] == 3)
        #expect(status["disruptionsAllowed"]?.int == allowed)
        #expect(status["observedGeneration"] == 3)
        #expect(
            ConditionList(status)["DisruptionAllowed"]?["reason"]?.string
                == (allowed > 0 ? "SufficientPods" : "InsufficientPods")
        )
    }

    @Test func podsThatAreIllOrEvictedDoNotCount() throws {
        let before: JSON = [
            "disruptedPods": ["p0": .string((now - .seconds(30)).description), "gone": "2026-01-01T00:00:00Z"]
        ]
        let status = try status(["minAvailable": 1], pods([true, true, false]), before)
        #expect(status["currentHealthy"] == 1)
        #expect(status["disruptionsAllowed"] == 0)
        #expect(status["disruptedPods"]?.object?.keys == ["p0"])
    }

    @Test func anEvictedPodThatStaysIsReportedAndCountsAgain() throws {
        let before: JSON = ["disruptedPods": ["p0": .string((now - .seconds(121)).description)]]
        let budget = budget(["minAvailable": 1], before)
        let pods = pods([true])
        let demand = try BudgetDemand(budget, pods: pods) { _ in nil }
        let view = BudgetView(budget, pods: pods, demand: demand, at: now)
        #expect(view.survivors.map(\.name) == ["p0"])
        #expect(view.status["disruptedPods"] == nil)
        #expect(view.status["currentHealthy"] == 1)
    }

    @Test func podsOfNobodyCountOnlyForWholeNumbers() throws {
        let demand = try BudgetDemand(budget(["maxUnavailable": 1]), pods: pods([true], owner: nil)) { _ in nil }
        #expect(demand.unmanaged == 1 && demand.expected == 0)
        #expect(throws: BudgetDemand.Problem.self) {
            try BudgetDemand(budget(["maxUnavailable": 1]), pods: pods([true])) { _ in nil }
        }
    }

    @Test func theClusterKeepsABudgetsStatusAndAServicesEndpoints() async throws {
        try await ControlledCluster().run { cluster in
            var budget = KubeObject(.podDisruptionBudgets, namespace: "a", name: "b")
            budget["spec"] = ["maxUnavailable": 1, "selector": ["matchLabels": ["app": "web"]]]
            _ = try await cluster.api.create(budget, as: .podDisruptionBudgets)
            var service = KubeObject(.services, namespace: "a", name: "web", labels: ["team": "shop"])
            service["spec"] = [
                "clusterIP": "10.96.0.9", "selector": ["app": "web"],
                "ports": [["name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"]],
            ]
            _ = try await cluster.api.create(service, as: .services)
            var set = KubeObject(.replicaSets, namespace: "a", name: "web")
            set["spec"] = [
                "replicas": 2, "selector": ["matchLabels": ["app": "web"]],
                "template": [
                    "metadata": ["labels": ["app": "web"]], "spec": ["containers": [["name": "c", "image": "i"]]],
                ],
            ]
            _ = try await cluster.api.create(set, as: .replicaSets)
            let kept = try await cluster.wait(.podDisruptionBudgets, "b") { $0.status["disruptionsAllowed"] == 1 }
            #expect(kept.status["currentHealthy"] == 2)
            let endpoints = try await cluster.wait(.endpoints, "web") {
                $0["subsets"]?[0]?["addresses"]?.array?.count == 2
            }
            #expect(endpoints["subsets"]?[0]?["ports"] == [["name": "http", "port": 8080, "protocol": "TCP"]])
            #expect(endpoints.labels["team"] == "shop")
            try await cluster.api.delete(ObjectReference(.services, namespace: "a", name: "web"), options: .init())
            try await cluster.wait(.endpoints) { $0.isEmpty }
        }
    }
}
