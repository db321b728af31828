// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

@Suite("resource quotas")
struct ResourceQuotaTests {
    private let root = "/api/v1/namespaces/default"

    private func quota(_ server: TestServer, _ hard: JSON, _ more: JSON = [:]) async -> APIResponse {
        var spec: JSON = ["hard": hard]
        for (key, value) in more.object ?? [:] { spec[key] = value }
        return await server.send("POST", "\(root)/resourcequotas", ["metadata": ["name": "q"], "spec": spec])
    }

    private func used(_ server: TestServer) async -> JSON? {
        await server.send("GET", "\(root)/resourcequotas/q").json[path: "status", "used"]
    }

    private func pod(_ name: String, cpu: String? = nil) -> JSON {
        let resources: JSON = cpu.map { ["requests": ["cpu": .string($0)]] } ?? [:]
        return [
            "metadata": ["name": .string(name)],
            "spec": ["containers": [["name": "c", "image": "i", "resources": resources]]],
        ]
    }

    private func create(_ server: TestServer, _ plural: String, _ body: JSON) async -> APIResponse {
        await server.send("POST", "\(root)/\(plural)", body)
    }

    @Test func aNewQuotaCountsAtOnceWhatIsThere() async throws {
        let server = try await TestServer()
        _ = await create(server, "pods", pod("old", cpu: "250m"))
        let made = await quota(server, ["pods": "2", "requests.cpu": "1", "count/configmaps": "5"])
        #expect(made.json["status"] == [:])
        #expect(await used(server) == ["count/configmaps": "0", "pods": "1", "requests.cpu": "250m"])
    }

    @Test func whatExceedsAQuotaIsRefusedAndCostsNothing() async throws {
        let server = try await TestServer()
        _ = await quota(server, ["pods": "2", "requests.cpu": "1"])
        #expect(await create(server, "pods", pod("a", cpu: "700m")).status == 201)
        let refused = await create(server, "pods", pod("b", cpu: "500m"))
        #expect(refused.status == 403)
        #expect(
            refused.message
                == "pods \"b\" is forbidden: exceeded quota: q, requested: requests.cpu=500m, used: requests.cpu=700m, "
                + "limited: requests.cpu=1"
        )
        #expect(
            await create(server, "pods", pod("c")).message.hasSuffix(
                "failed quota: q: must specify requests.cpu for: c"
            )
        )
        #expect(await used(server) == ["pods": "1", "requests.cpu": "700m"])
        #expect(await create(server, "pods", pod("b", cpu: "300m")).status == 201)
        #expect(
            await create(server, "pods", pod("d", cpu: "0")).message.contains(
                "requested: pods=1, used: pods=2, limited: pods=2"
            )
        )
    }

    @Test func whatGoesOrEndsGivesItsShareBack() async throws {
        let server = try await TestServer()
        _ = await quota(server, ["pods": "1", "configmaps": "1", "services.nodeports": "1"])
        _ = await create(server, "pods", pod("a"))
        _ = await server.send(
            "PATCH",
            "\(root)/pods/a/status",
            ["status": ["phase": "Succeeded"]],
            contentType: "application/merge-patch+json"
        )
        #expect(await create(server, "pods", pod("b")).status == 201)
        _ = await server.send("DELETE", "\(root)/pods/b", ["gracePeriodSeconds": 0])
        #expect(await used(server)?["pods"] == "0")
        let map: JSON = ["metadata": ["name": "m"]]
        #expect(await create(server, "configmaps", map).status == 201)
        #expect(await create(server, "configmaps", ["metadata": ["name": "n"]]).status == 403)
        _ = await server.send("DELETE", "\(root)/configmaps/m")
        #expect(await create(server, "configmaps", map).status == 201)
        let service: JSON = ["metadata": ["name": "s"], "spec": ["type": "NodePort", "ports": [["port": 80]]]]
        #expect(await create(server, "services", service).status == 201)
        #expect(await used(server)?["services.nodeports"] == "1")
        let change: JSON = ["spec": ["type": "ClusterIP"]]
        _ = await server.send("PATCH", "\(root)/services/s", change, contentType: "application/merge-patch+json")
        #expect(await used(server)?["services.nodeports"] == "0")
    }

    @Test func aChangedBoundIsCountedAnew() async throws {
        let server = try await TestServer()
        _ = await quota(server, ["pods": "1"])
        _ = await create(server, "secrets", ["metadata": ["name": "s"]])
        let change: JSON = ["spec": ["hard": ["pods": .null, "secrets": "3"]]]
        _ = await server.send("PATCH", "\(root)/resourcequotas/q", change, contentType: "application/merge-patch+json")
        let quota = await server.send("GET", "\(root)/resourcequotas/q").json
        #expect(quota["status"] == ["hard": ["secrets": "3"], "used": ["secrets": "1"]])
    }

    @Test func aDryRunIsCheckedButNotCharged() async throws {
        let server = try await TestServer()
        _ = await quota(server, ["pods": "1"])
        #expect(await create(server, "pods?dryRun=All", pod("a")).status == 201)
        #expect(await used(server)?["pods"] == "0")
        _ = await create(server, "pods", pod("a"))
        #expect(await create(server, "pods?dryRun=All", pod("b")).status == 403)
    }

    @Test func scopesChooseAmongPods() async throws {
        let server = try await TestServer()
        _ = await quota(server, ["pods": "0"], ["scopes": ["BestEffort"]])
        #expect(await create(server, "pods", pod("a")).status == 403)
        #expect(await create(server, "pods", pod("b", cpu: "1m")).status == 201)
    }

    @Test(
        arguments: [
            (["nonsense": "1"], [:], "must be a standard resource for quota"),
            (["pods": "500m"], [:], "must be an integer"), (["pods": "-1"], [:], "must be greater than or equal to 0"),
            (["pods": "1"], ["scopes": ["Odd"]], "unsupported scope"),
            (["pods": "1"], ["scopes": ["BestEffort", "NotBestEffort"]], "conflicting scopes"),
            (["secrets": "1"], ["scopes": ["Terminating"]], "unsupported scope applied to resource"),
        ] as [(JSON, JSON, String)]
    )
    func whatNobodyCanCountIsRefused(_ hard: JSON, _ more: JSON, _ why: String) async throws {
        let answer = await quota(try await TestServer(), hard, more)
        #expect(answer.status == 422)
        #expect(answer.message.contains(why), "\(answer.message)")
    }
}
