// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

@Suite("the DaemonSet kind")
struct DaemonSetKindTests {
    private static let path = "/apis/apps/v1/namespaces/default/daemonsets"

    private func body(_ rolling: JSON? = nil, image: String = "x") -> JSON {
        var object: JSON = [
            "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": ["name": "agent"],
            "spec": [
                "selector": ["matchLabels": ["a": "b"]],
                "template": [
                    "metadata": ["labels": ["a": "b"]],
                    "spec": ["containers": [["name": "m", "image": .string(image)]]],
                ],
            ],
        ]
        if let rolling { object.set(rolling, at: ["spec", "updateStrategy", "rollingUpdate"]) }
        return object
    }

    @Test(
        "a rollout needs exactly one of its two limits",
        arguments: [
            (
                ["maxSurge": 1],
                "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: "
                    + "may not be set when maxUnavailable is non-zero"
            ),
            (
                ["maxUnavailable": 0],
                "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0"
            ),
        ] as [(JSON, String)]
    )
    func limits(_ rolling: JSON, _ words: String) async throws {
        try await TestServer().expectInvalid(body(rolling), at: Self.path, words)
    }

    @Test("templates are counted in an annotation that clients cannot set")
    func counts() async throws {
        let test = try await TestServer()
        let key = ["metadata", "annotations", DaemonSetStrategy.generationKey]
        #expect(await test.send("POST", Self.path, body()).json[path: key] == "1")
        var changed = body(image: "y")
        changed.set("7", at: key)
        #expect(await test.send("PUT", "\(Self.path)/agent", changed).json[path: key] == "2")
        #expect(await test.send("PUT", "\(Self.path)/agent", body(image: "y")).json[path: key] == "2")
        changed.set(["c": "d"], at: ["spec", "selector", "matchLabels"])
        #expect(await test.send("PUT", "\(Self.path)/agent", changed).message.contains("field is immutable"))
    }
}
