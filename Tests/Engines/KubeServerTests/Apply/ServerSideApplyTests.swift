// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

@Suite("server-side apply")
struct ServerSideApplyTests {
    private let path = "/api/v1/namespaces/default/configmaps/one"

    private func apply(
        _ server: TestServer,
        _ manager: String,
        _ data: JSON,
        _ query: String = ""
    ) async throws -> (status: Int, body: JSON) {
        let body: JSON = [
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "one"], "data": data,
        ]
        return try await patch(server, "\(path)?fieldManager=\(manager)\(query)", body)
    }

    private func patch(
        _ server: TestServer,
        _ path: String,
        _ body: JSON,
        _ type: String = "application/apply-patch+yaml"
    ) async throws -> (status: Int, body: JSON) {
        let answer = await server.send("PATCH", path, body, contentType: type)
        guard case .bytes(let bytes) = answer.body else { return (answer.status, .null) }
        return (answer.status, try JSON(parsing: bytes))
    }

    private func owners(_ object: JSON) -> [String] {
        (object[path: "metadata", "managedFields"]?.array ?? []).map {
            "\($0["manager"]?.string ?? "") \($0["operation"]?.string ?? "") \($0["fieldsV1"]?.text ?? "")"
        }
    }

    @Test func applyingCreatesAndOwnsWhatIsInTheBody() async throws {
        let server = try await TestServer()
        let made = try await apply(server, "a", ["x": "1"])
        #expect(made.status == 201)
        #expect(owners(made.body) == [#"a Apply {"f:data":{"f:x":{}}}"#])
        let again = try await apply(server, "a", ["x": "1"])
        #expect(again.status == 200)
        #expect(again.body == made.body)
    }

    @Test func fieldsOfOthersAreAConflictUnlessForced() async throws {
        let server = try await TestServer()
        _ = try await apply(server, "a", ["x": "1"])
        let refused = try await apply(server, "b", ["x": "2"])
        #expect(refused.status == 409)
        #expect(refused.body["message"] == #"Apply failed with 1 conflict: conflict with "a": .data.x"#)
        let cause: JSON = [
            "reason": "FieldManagerConflict", "message": #"conflict with "a""#, "field": ".data.x",
        ]
        #expect(refused.body["details"] == ["causes": [cause]])
        let forced = try await apply(server, "b", ["x": "2"], "&force=true")
        #expect(owners(forced.body) == [#"b Apply {"f:data":{"f:x":{}}}"#])
        #expect(forced.body["data"] == ["x": "2"])
    }

    @Test func whatIsNoLongerAppliedGoesUnlessSharedOrForeign() async throws {
        let server = try await TestServer()
        _ = try await apply(server, "a", ["x": "1", "y": "2", "z": "3"])
        _ = try await apply(server, "b", ["y": "2"])
        let left = try await apply(server, "a", ["z": "3"])
        #expect(left.body["data"] == ["y": "2", "z": "3"])
        #expect(Set(owners(left.body)) == [#"a Apply {"f:data":{"f:z":{}}}"#, #"b Apply {"f:data":{"f:y":{}}}"#])
    }

    @Test func updatesOwnWhatTheyChange() async throws {
        let server = try await TestServer()
        _ = try await apply(server, "a", ["x": "1", "y": "2"])
        let merged = try await patch(
            server,
            "\(path)?fieldManager=u",
            ["data": ["x": "9"]],
            "application/merge-patch+json"
        )
        #expect(
            owners(merged.body) == [
                #"a Apply {"f:data":{"f:y":{}}}"#, #"u Update {"f:data":{"f:x":{}}}"#,
            ]
        )
        let refused = try await apply(server, "a", ["x": "1", "y": "2"])
        #expect(refused.body["message"] == #"Apply failed with 1 conflict: conflict with "u" using v1: .data.x"#)
    }

    @Test func aFieldManagerIsNeeded() async throws {
        let server = try await TestServer()
        let answer = try await patch(server, path, ["apiVersion": "v1", "kind": "ConfigMap"])
        #expect(answer.status == 422)
        #expect(
            answer.body["message"]
                == #"PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch"#
        )
    }

    @Test func listsAreMergedByTheirKeys() throws {
        let schema = StructuralSchema(
            try JSON(
                parsing: """
                    {"type":"object","properties":{"list":{"type":"array","x-kubernetes-list-type":"set",
                    "items":{"type":"string"}}}}
                    """
            )
        )
        let type = FieldType.custom(schema, keepsUnknown: false)
        let merged = type.merge(
            ["list": ["a", "b", "c", "d"]],
            ["list": ["a", "aprime", "c", "cprime"]]
        )
        #expect(merged == ["list": ["a", "b", "aprime", "c", "d", "cprime"]])
        #expect(
            type.merge(["list": ["a", "b", "c", "d"]], ["list": ["a", "d", "c", "b"]]) == [
                "list": ["a", "d", "c", "b"]
            ]
        )
    }

    @Test func aKeyGivenTwiceCountsLastAndIsTold() async throws {
        let server = try await TestServer()
        let yaml = """
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: one}
            data:
              b: "0"
              "x": "1"
              x: "2"
            """
        func send(_ query: String) async -> APIResponse {
            await server.send(
                "PATCH",
                "\(path)?fieldManager=a\(query)",
                bytes: Array(yaml.utf8),
                contentType: "application/apply-patch+yaml"
            )
        }
        let strict = await send("&fieldValidation=Strict")
        #expect(strict.status == 400)
        #expect(
            strict.message == "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n"
                + #"  line 7: key "x" already set in map"#
        )
        let warned = await send("")
        #expect(warned.status == 201)
        #expect(warned.json["data"] == ["b": "0", "x": "2"])
        #expect(warned.warnings == [#"line 7: key "x" already set in map"#])
        #expect(await send("&fieldValidation=Ignore").warnings == [])
    }

    // MARK: - Scale

    private let deployment = "/apis/apps/v1/namespaces/default/deployments/w"

    private func applyDeployment(_ server: TestServer, replicas: Int?) async throws -> (status: Int, body: JSON) {
        var body: JSON = [
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "w"],
            "spec": [
                "selector": ["matchLabels": ["app": "w"]],
                "template": [
                    "metadata": ["labels": ["app": "w"]], "spec": ["containers": [["name": "c", "image": "i"]]],
                ],
            ],
        ]
        if let replicas { body.set(JSON(replicas), at: ["spec", "replicas"]) }
        return try await patch(server, "\(deployment)?fieldManager=a", body)
    }

    private func owner(of path: [String], _ object: JSON) -> [String] {
        (object[path: "metadata", "managedFields"]?.array ?? [])
            .filter { entry in entry["fieldsV1"]?[path: path.map { "f:\($0)" }] != nil }
            .map {
                "\($0["manager"]?.string ?? "") \($0["apiVersion"]?.string ?? "") \($0["subresource"]?.string ?? "")"
            }
    }

    @Test func scalingTakesTheReplicasAndNothingElse() async throws {
        let server = try await TestServer()
        _ = try await applyDeployment(server, replicas: 1)
        let scaled = try await patch(
            server,
            "\(deployment)/scale?fieldManager=k",
            ["spec": ["replicas": 3]],
            "application/merge-patch+json"
        )
        #expect(scaled.body[path: "metadata", "managedFields"] == nil)
        let stored = await server.send("GET", deployment).json
        #expect(owner(of: ["spec", "replicas"], stored) == ["k apps/v1 scale"])
        #expect(owner(of: ["spec", "selector"], stored) == ["a apps/v1 "])
        let refused = try await applyDeployment(server, replicas: 1)
        #expect(
            refused.body["message"]
                == #"Apply failed with 1 conflict: conflict with "k" with subresource "scale" using apps/v1: .spec.replicas"#
        )
        #expect(try await applyDeployment(server, replicas: nil).body[path: "spec", "replicas"] == 3)
    }

    @Test func aScaleIsAppliedWithTheConflictsOfItsObject() async throws {
        let server = try await TestServer()
        _ = try await applyDeployment(server, replicas: 1)
        let scale: JSON = ["apiVersion": "autoscaling/v1", "kind": "Scale", "spec": ["replicas": 2]]
        let refused = try await patch(server, "\(deployment)/scale?fieldManager=b", scale)
        #expect(refused.body["message"] == #"Apply failed with 1 conflict: conflict with "a": .spec.replicas"#)
        let forced = try await patch(server, "\(deployment)/scale?fieldManager=b&force=true", scale)
        #expect(forced.status == 200 && forced.body[path: "spec", "replicas"] == 2)
        let stored = await server.send("GET", deployment).json
        #expect(owner(of: ["spec", "replicas"], stored) == ["b apps/v1 scale"])
        let odd = try await patch(server, "\(deployment)/scale?fieldManager=b", ["apiVersion": "v1", "kind": "Pod"])
        #expect(odd.body["message"] == "invalid object type: /v1, Kind=Pod")
    }

    // MARK: - What else a write must hold to

    @Test func aDryRunShowsWhatWouldBeAndStoresNothing() async throws {
        let server = try await TestServer()
        let made = try await apply(server, "a", ["x": "1"], "&dryRun=All")
        #expect(made.status == 201 && made.body["data"] == ["x": "1"])
        #expect(await server.send("GET", path).status == 404)
        let stored = try await apply(server, "a", ["x": "1"])
        let changed = try await apply(server, "a", ["y": "1"], "&dryRun=All")
        #expect(changed.body["data"] == ["y": "1"])
        #expect(try await apply(server, "b", ["x": "2"], "&dryRun=All").status == 409)
        #expect(await server.send("GET", path).json == stored.body)
    }

    @Test func aChangedSpellingOfTheSameQuantityIsNoWrite() async throws {
        let server = try await TestServer()
        func applyPod(_ cpu: JSON) async throws -> JSON {
            let body: JSON = [
                "apiVersion": "v1", "kind": "Pod", "metadata": ["name": "p"],
                "spec": ["containers": [["name": "c", "image": "i", "resources": ["limits": ["cpu": cpu]]]]],
            ]
            return try await patch(server, "/api/v1/namespaces/default/pods/p?fieldManager=a", body).body
        }
        let first = try await applyPod("1")
        #expect(first[path: "metadata", "resourceVersion"]?.string != nil)
        #expect(try await applyPod("1000m") == first)
    }

    @Test func whoeverMayNotCreateCannotCreateByApplying() async throws {
        let server = try await TestServer()
        let rules: JSON = [["apiGroups": [""], "resources": ["configmaps"], "verbs": ["patch"]]]
        _ = await server.send(
            "POST",
            "/apis/rbac.authorization.k8s.io/v1/clusterroles",
            ["metadata": ["name": "patcher"], "rules": rules]
        )
        _ = await server.send(
            "POST",
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            [
                "metadata": ["name": "patcher"],
                "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "patcher"],
                "subjects": [["kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "eve"]],
            ]
        )
        let body: JSON = ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "one"], "data": ["x": "1"]]
        func apply() async -> APIResponse {
            await server.send(
                "PATCH",
                "\(path)?fieldManager=eve",
                bytes: body.bytes,
                contentType: "application/apply-patch+yaml",
                user: APIUser(name: "eve", groups: ["system:authenticated"])
            )
        }
        let refused = await apply()
        #expect(refused.status == 403)
        #expect(refused.message.contains(#"cannot create resource "configmaps""#))
        _ = try await self.apply(server, "a", ["z": "1"])
        #expect(await apply().status == 200)
    }
}
