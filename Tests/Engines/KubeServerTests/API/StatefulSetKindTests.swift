// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

@Suite("the StatefulSet kind")
struct StatefulSetKindTests {
    private static let path = "/apis/apps/v1/namespaces/default/statefulsets"

    private func body(_ spec: JSON = [:], name: String = "db") -> JSON {
        var object: JSON = [
            "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": ["name": .string(name)],
            "spec": [
                "serviceName": "db", "selector": ["matchLabels": ["a": "b"]],
                "template": [
                    "metadata": ["labels": ["a": "b"]],
                    "spec": [
                        "containers": [
                            ["name": "m", "image": "x", "volumeMounts": [["name": "data", "mountPath": "/data"]]]
                        ]
                    ],
                ],
                "volumeClaimTemplates": [
                    [
                        "metadata": ["name": "data"],
                        "spec": ["accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": "1Gi"]]],
                    ]
                ],
            ],
        ]
        for (key, value) in spec.object ?? [:] { object.set(value, at: ["spec", key]) }
        return object
    }

    @Test(
        "what is wrong is named with its field",
        arguments: [
            (
                ["podManagementPolicy": "Odd"],
                "spec.podManagementPolicy: Invalid value: \"Odd\": must be 'OrderedReady' or 'Parallel'"
            ),
            (
                ["updateStrategy": ["type": "RollingUpdate", "rollingUpdate": ["partition": -1]]],
                "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0"
            ),
            (
                ["persistentVolumeClaimRetentionPolicy": ["whenScaled": "Keep"]],
                "spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: \"Keep\": "
                    + "supported values: \"Retain\", \"Delete\""
            ),
            (
                ["ordinals": ["start": -1]],
                "spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0"
            ),
        ] as [(JSON, String)]
    )
    func refused(_ spec: JSON, _ words: String) async throws {
        try await TestServer().expectInvalid(body(spec), at: Self.path, words)
    }

    @Test("only some of it changes, the same claims may be sent again, and it has a scale")
    func updates() async throws {
        let test = try await TestServer()
        #expect(await test.send("POST", Self.path, body()).status == 201)
        let again = await test.send("PUT", "\(Self.path)/db", body(["replicas": 2]))
        #expect(again.status == 200)
        #expect(again.json[path: "metadata", "generation"] == 2)
        let refused = await test.send("PUT", "\(Self.path)/db", body(["serviceName": "other"]))
        #expect(refused.status == 422)
        #expect(
            refused.message
                == "StatefulSet.apps \"db\" is invalid: spec: Forbidden: updates to statefulset spec for fields other "
                + "than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', "
                + "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
        )
        let scale = await test.send("GET", "\(Self.path)/db/scale")
        #expect(scale.json[path: "spec", "replicas"] == 2)
        #expect(scale.json[path: "status", "selector"] == "a=b")
    }

    @Test("a revision's data never changes, and its table names the owner")
    func revisions() async throws {
        let test = try await TestServer()
        let path = "/apis/apps/v1/namespaces/default/controllerrevisions"
        let owner: JSON = [
            "apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": "u", "controller": true,
        ]
        var revision: JSON = [
            "apiVersion": "apps/v1", "kind": "ControllerRevision",
            "metadata": ["name": "db-x", "ownerReferences": [owner]], "revision": 1,
        ]
        #expect(await test.send("POST", path, revision).message.contains("data: Required value: data is mandatory"))
        revision["data"] = ["spec": ["a": 1]]
        #expect(await test.send("POST", path, revision).status == 201)
        revision["revision"] = 2
        #expect(await test.send("PUT", "\(path)/db-x", revision).status == 200)
        revision["data"] = ["spec": ["a": 2]]
        #expect(await test.send("PUT", "\(path)/db-x", revision).message.hasSuffix("field is immutable"))
        let accept = "application/json;as=Table;v=v1;g=meta.k8s.io"
        let table = await test.send("GET", path, accept: accept).json
        #expect(table["rows"]?[0]?["cells"]?[1] == "statefulset.apps/db")
        #expect(table["rows"]?[0]?["cells"]?[2] == 2)
    }
}
