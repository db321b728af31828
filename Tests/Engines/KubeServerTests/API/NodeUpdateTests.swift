// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

struct NodeUpdateTests {
    private static let nodes = "/api/v1/nodes"

    private func patch(_ test: TestServer, _ body: JSON) async -> APIResponse {
        await test.send("PATCH", "\(Self.nodes)/n1", body, contentType: "application/strategic-merge-patch+json")
    }

    @Test("a node's range is given once, under both names, and stays")
    func podCIDR() async throws {
        let test = try await TestServer()
        _ = await test.send("POST", Self.nodes, ["metadata": ["name": "n1"]])
        let given = await patch(test, ["spec": ["podCIDR": "10.1.0.0/24"]])
        #expect(given.status == 200)
        #expect(given.json[path: "spec", "podCIDRs"] == ["10.1.0.0/24"])
        let refused = await patch(test, ["spec": ["podCIDR": "10.99.0.0/24"]])
        #expect(refused.status == 422)
        #expect(
            refused.message == "Node \"n1\" is invalid: spec.podCIDRs: Forbidden: node updates may not change podCIDR "
                + "except from \"\" to valid"
        )
        #expect(await patch(test, ["spec": ["podCIDR": "10.1.0.0/24"]]).status == 200, "the same again is no change")
    }

    @Test("a node may be cordoned and tainted; nothing else of its spec changes")
    func cordon() async throws {
        let test = try await TestServer()
        _ = await test.send("POST", Self.nodes, ["metadata": ["name": "n1"]])
        let taint: JSON = ["key": "a", "value": "b", "effect": "NoSchedule"]
        let cordoned = await patch(test, ["spec": ["unschedulable": true, "taints": [taint]]])
        #expect(cordoned.status == 200)
        #expect(cordoned.json[path: "spec", "unschedulable"] == true)
        let refused = await patch(test, ["spec": ["externalID": "x"]])
        #expect(refused.status == 422)
        #expect(refused.message.contains("node updates may only change labels, taints, or capacity"))
    }

    @Test("a range that is none is refused")
    func malformed() async throws {
        let test = try await TestServer()
        let refused = await test.send(
            "POST",
            Self.nodes,
            ["metadata": ["name": "n1"], "spec": ["podCIDR": "10.1.0.0"]]
        )
        #expect(refused.status == 422)
        #expect(refused.message.contains("spec.podCIDRs[0]: Invalid value: \"10.1.0.0\": must be a valid CIDR value"))
    }

    @Test(
        "numbers in queries are refused as Go's parser does",
        arguments: [
            ("99999999999999999999", "value out of range"), ("-99999999999999999999", "value out of range"),
            ("abc", "invalid syntax"), ("1_0", "invalid syntax"),
        ]
    )
    func limits(text: String, problem: String) async throws {
        let test = try await TestServer()
        let refused = await test.send("GET", "/api/v1/configmaps?limit=\(text)")
        #expect(refused.status == 400)
        #expect(refused.message == "strconv.ParseInt: parsing \"\(text)\": \(problem)")
        #expect(await test.send("GET", "/api/v1/configmaps?limit=-1").status == 200, "less than nothing is no limit")
    }
}
