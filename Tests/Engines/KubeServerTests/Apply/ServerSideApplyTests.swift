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
}
