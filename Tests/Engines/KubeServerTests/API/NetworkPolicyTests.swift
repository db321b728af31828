// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

@Suite("the NetworkPolicy kind")
struct NetworkPolicyTests {
    private static let path = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"

    private func body(_ spec: JSON) -> JSON {
        var object: JSON = [
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": ["name": "p"],
            "spec": ["podSelector": [:]],
        ]
        for (key, value) in spec.object ?? [:] { object.set(value, at: ["spec", key]) }
        return object
    }

    @Test("it is stored with its defaults, and a warning says that nothing enforces it")
    func stored() async throws {
        let test = try await TestServer()
        let answer = await test.send("POST", Self.path, body(["egress": [["ports": [["port": 53]]]]]))
        #expect(answer.status == 201)
        #expect(answer.json[path: "spec", "policyTypes"] == ["Ingress", "Egress"])
        #expect(answer.json["spec"]?["egress"]?[0]?["ports"]?[0]?["protocol"] == "TCP")
        #expect(answer.warnings.contains { $0.contains("does not enforce") })
        let table = await test.send("GET", Self.path, accept: "application/json;as=Table;v=v1;g=meta.k8s.io").json
        #expect(table["rows"]?[0]?["cells"]?[1] == "<none>")
    }

    @Test(
        "what is wrong is named with its field",
        arguments: [
            (["ingress": [["from": [[:]]]]], "spec.ingress[0].from[0]: Required value: must specify a peer"),
            (
                ["ingress": [["from": [["podSelector": [:], "ipBlock": ["cidr": "10.0.0.0/8"]]]]]],
                "spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer"
            ),
            (
                ["ingress": [["from": [["ipBlock": ["cidr": "10.0.0.0/8", "except": ["11.0.0.0/16"]]]]]]],
                "spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: \"11.0.0.0/16\": "
                    + "must be a strict subset of `cidr`"
            ),
            (
                ["ingress": [["from": [["ipBlock": ["cidr": "10.0.0.0"]]]]]],
                "spec.ingress[0].from[0].ipBlock.cidr: Invalid value: \"10.0.0.0\": "
                    + "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
            ),
            (
                ["egress": [["ports": [["port": 9, "endPort": 8]]]]],
                "spec.egress[0].ports[0].endPort: Invalid value: 9: must be greater than or equal to `port`"
            ),
            (
                ["policyTypes": ["Sideways"]],
                "spec.policyTypes[0]: Unsupported value: \"Sideways\": supported values: \"Ingress\", \"Egress\""
            ),
        ] as [(JSON, String)]
    )
    func refused(_ spec: JSON, _ words: String) async throws {
        try await TestServer().expectInvalid(body(spec), at: Self.path, words)
    }
}
