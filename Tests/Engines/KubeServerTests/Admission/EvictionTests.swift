// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

@Suite("evictions")
struct EvictionTests {
    private let root = "/api/v1/namespaces/default"
    private let budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"

    /// A pod that runs and is ready.
    private func run(_ server: TestServer, _ name: String, isReady: Bool = true) async {
        let pod: JSON = [
            "metadata": ["name": .string(name), "labels": ["app": "a"]],
            "spec": ["containers": [["name": "c", "image": "i"]]],
        ]
        _ = await server.send("POST", "\(root)/pods", pod)
        let ready: JSON = ["type": "Ready", "status": isReady ? "True" : "False"]
        await patch(server, "\(root)/pods/\(name)/status", ["status": ["phase": "Running", "conditions": [ready]]])
    }

    @discardableResult
    private func patch(_ server: TestServer, _ path: String, _ body: JSON) async -> APIResponse {
        await server.send("PATCH", path, body, contentType: "application/merge-patch+json")
    }

    private func budget(_ server: TestServer, _ status: JSON, _ more: JSON = [:]) async {
        var spec: JSON = ["minAvailable": 1, "selector": ["matchLabels": ["app": "a"]]]
        for (key, value) in more.object ?? [:] { spec[key] = value }
        _ = await server.send("POST", budgets, ["metadata": ["name": "b"], "spec": spec])
        await patch(server, "\(budgets)/b/status", ["status": status])
    }

    private func evict(_ server: TestServer, _ name: String, _ query: String = "") async -> APIResponse {
        let eviction: JSON = [
            "apiVersion": "policy/v1", "kind": "Eviction", "metadata": ["name": .string(name)],
            "deleteOptions": ["gracePeriodSeconds": 0],
        ]
        return await server.send("POST", "\(root)/pods/\(name)/eviction\(query)", eviction)
    }

    private func isThere(_ server: TestServer, _ name: String) async -> Bool {
        await server.send("GET", "\(root)/pods/\(name)").status == 200
    }

    @Test func aBudgetGivesWhatItHasAndNoMore() async throws {
        let server = try await TestServer()
        for name in ["one", "two"] { await run(server, name) }
        let status: JSON = [
            "observedGeneration": 1, "disruptionsAllowed": 1, "currentHealthy": 2, "desiredHealthy": 1,
            "expectedPods": 2,
        ]
        await budget(server, status)
        #expect(await evict(server, "one", "?dryRun=All").status == 201)
        #expect(await isThere(server, "one"))
        #expect(await evict(server, "one").status == 201)
        #expect(await !isThere(server, "one"))
        let left = await server.send("GET", "\(budgets)/b").json["status"]
        #expect(left?["disruptionsAllowed"] == 0)
        #expect(left?["disruptedPods"]?["one"]?.string != nil)
        let refused = await evict(server, "two")
        #expect(refused.status == 429)
        #expect(refused.message == "Cannot evict pod as it would violate the pod's disruption budget.")
        let cause: JSON = [
            "reason": "DisruptionBudget", "message": "The disruption budget b needs 1 healthy pods and has 2 currently",
        ]
        #expect(refused.json["details"] == ["causes": [cause]])
        #expect(await isThere(server, "two"))
    }

    @Test func aBudgetThatNobodyHasLookedAtYetHoldsBack() async throws {
        let server = try await TestServer()
        await run(server, "one")
        await budget(server, ["observedGeneration": 0, "disruptionsAllowed": 1])
        let refused = await evict(server, "one")
        #expect(refused.status == 429)
        #expect(refused.json[path: "details", "retryAfterSeconds"] == 10)
    }

    @Test func podsThatDoNotCountGoAtOnce() async throws {
        let server = try await TestServer()
        await run(server, "ill", isReady: false)
        await run(server, "done")
        await patch(server, "\(root)/pods/done/status", ["status": ["phase": "Failed"]])
        await budget(server, ["observedGeneration": 1, "currentHealthy": 0, "desiredHealthy": 1])
        #expect(await evict(server, "done").status == 201)
        #expect(await evict(server, "ill").status == 429)
        await patch(server, "\(budgets)/b", ["spec": ["unhealthyPodEvictionPolicy": "AlwaysAllow"]])
        #expect(await evict(server, "ill").status == 201)
    }

    @Test func twoBudgetsOfOnePodAreTooMany() async throws {
        let server = try await TestServer()
        await run(server, "one")
        await budget(server, ["observedGeneration": 1, "disruptionsAllowed": 1])
        let other: JSON = ["metadata": ["name": "c"], "spec": ["selector": [:], "maxUnavailable": "10%"]]
        #expect(await server.send("POST", budgets, other).status == 201)
        #expect(await evict(server, "one").status == 500)
    }

    @Test(
        arguments: [
            (["minAvailable": 1, "maxUnavailable": 1], "minAvailable and maxUnavailable cannot be both set"),
            (["minAvailable": "101%"], "must not be greater than 100%"),
            (["maxUnavailable": -1], "must be greater than or equal to 0"),
            (["unhealthyPodEvictionPolicy": "Never"], "supported values: \"AlwaysAllow\", \"IfHealthyBudget\""),
        ] as [(JSON, String)]
    )
    func whatCannotWorkIsRefused(_ spec: JSON, _ why: String) async throws {
        let server = try await TestServer()
        let answer = await server.send("POST", budgets, ["metadata": ["name": "b"], "spec": spec])
        #expect(answer.status == 422)
        #expect(answer.message.contains(why), "\(answer.message)")
    }
}
