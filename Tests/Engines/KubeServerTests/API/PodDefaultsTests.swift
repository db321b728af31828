// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

@Suite("what the server adds to a pod")
struct PodDefaultsTests {
    @Test("an amount that nobody divides is divided by nothing, in variables and in files")
    func divisors() async throws {
        let test = try await TestServer()
        let source: JSON = ["resource": "limits.cpu", "containerName": "m"]
        let body: JSON = [
            "apiVersion": "v1", "kind": "Pod", "metadata": ["name": "p"],
            "spec": [
                "containers": [
                    [
                        "name": "m", "image": "i",
                        "env": [
                            ["name": "A", "valueFrom": ["resourceFieldRef": ["resource": "limits.cpu"]]],
                            [
                                "name": "B",
                                "valueFrom": ["resourceFieldRef": ["resource": "limits.cpu", "divisor": "1m"]],
                            ],
                            ["name": "C", "valueFrom": ["fieldRef": ["fieldPath": "metadata.name"]]],
                        ],
                    ]
                ],
                "volumes": [
                    ["name": "v", "downwardAPI": ["items": [["path": "cpu", "resourceFieldRef": source]]]]
                ],
            ],
        ]
        let pod = await test.send("POST", "/api/v1/namespaces/default/pods", body).json
        let env = pod[path: "spec", "containers"]?[0]?["env"]?.array ?? []
        #expect(env.map { $0[path: "valueFrom", "resourceFieldRef", "divisor"] } == ["0", "1m", nil])
        #expect(env.last?[path: "valueFrom", "fieldRef", "apiVersion"] == "v1")
        let item = (pod[path: "spec", "volumes"]?.array ?? []).first { $0["name"] == "v" }?[
            path: "downwardAPI",
            "items"
        ]?[0]
        #expect(item?[path: "resourceFieldRef", "divisor"] == "0", "\(pod.text)")
    }
}
