// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

/// Custom resources under server-side apply: what their schema says of lists and maps decides who owns what. Every
/// expectation here is what a real 1.36 server answers to the same requests.
@Suite("custom resources under server-side apply")
struct CustomApplyTests {
    private static let path = "/apis/o.example.com/v1/namespaces/default/widgets/s1"

    private static let schema = """
        {"type":"object","properties":{"spec":{"type":"object","properties":{
        "size":{"type":"integer","maximum":10},
        "tags":{"type":"array","x-kubernetes-list-type":"set","items":{"type":"string"}},
        "items":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name","port"],
          "items":{"type":"object","required":["name"],
            "properties":{"name":{"type":"string"},"port":{"type":"integer","default":80},"v":{"type":"string"}}}},
        "atoms":{"type":"array","x-kubernetes-list-type":"atomic","items":{"type":"string"}},
        "labels":{"type":"object","additionalProperties":{"type":"string"}},
        "amap":{"type":"object","x-kubernetes-map-type":"atomic",
          "properties":{"a":{"type":"string"},"b":{"type":"string"}}},
        "any":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}},
        "status":{"type":"object","properties":{"phase":{"type":"string"},
          "conditions":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["type"],
            "items":{"type":"object","required":["type"],"properties":{"type":{"type":"string"}}}}}}}}
        """

    private func server() async throws -> TestServer {
        let test = try await TestServer()
        let definition = """
            {"metadata":{"name":"widgets.o.example.com"},"spec":{"group":"o.example.com","scope":"Namespaced",
            "names":{"plural":"widgets","kind":"Widget"},"versions":[{"name":"v1","served":true,"storage":true,
            "subresources":{"status":{}},"schema":{"openAPIV3Schema":\(Self.schema)}}]}}
            """
        let made = await test.send(
            "POST",
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
            bytes: Array(definition.utf8)
        )
        try #require(made.status == 201, "\(made.message)")
        return test
    }

    private func apply(
        _ test: TestServer,
        _ manager: String,
        _ members: String,
        force: Bool = false,
        at path: String = path
    ) async -> APIResponse {
        let text = #"{"apiVersion":"o.example.com/v1","kind":"Widget","metadata":{"name":"s1"},\#(members)}"#
        return await test.send(
            "PATCH",
            "\(path)?fieldManager=\(manager)\(force ? "&force=true" : "")",
            bytes: Array(text.utf8),
            contentType: "application/apply-patch+yaml"
        )
    }

    private func fields(of manager: String, _ answer: APIResponse) -> String? {
        answer.json[path: "metadata", "managedFields"]?.array?.first { $0["manager"]?.string == manager }?["fieldsV1"]?
            .text
    }

    private static let first = """
        "spec":{"size":3,"tags":["a","b"],"items":[{"name":"x","v":"1"},{"name":"x","port":81}],"atoms":["p"],
        "amap":{"a":"1"},"labels":{"k":"v"},"any":{"d":{"e":1}}}
        """

    @Test func elementsAreOwnedByTheirKeysWithDefaultsAndAtomsAsAWhole() async throws {
        let made = await apply(try await server(), "a", Self.first)
        #expect(made.status == 201, "\(made.message)")
        #expect(
            fields(of: "a", made) == #"{"f:spec":{"f:amap":{},"f:any":{"f:d":{".":{},"f:e":{}}},"f:atoms":{},"#
                + #""f:items":{"k:{\"name\":\"x\",\"port\":80}":{".":{},"f:name":{},"f:v":{}},"#
                + #""k:{\"name\":\"x\",\"port\":81}":{".":{},"f:name":{},"f:port":{}}},"f:labels":{"f:k":{}},"f:size":{},"#
                + #""f:tags":{"v:\"a\"":{},"v:\"b\"":{}}}}"#
        )
    }

    @Test func setsAreSharedAtomsAndKeyedFieldsConflict() async throws {
        let test = try await server()
        _ = await apply(test, "a", Self.first)
        let change = #""spec":{"tags":["b","c"],"items":[{"name":"x","v":"2"}],"atoms":["q"]}"#
        let refused = await apply(test, "b", change)
        #expect(refused.status == 409)
        #expect(
            refused.message == """
                Apply failed with 2 conflicts: conflicts with "a":
                - .spec.atoms
                - .spec.items[name="x",port=80].v
                """
        )
        let forced = await apply(test, "b", change, force: true)
        #expect(forced.json[path: "spec", "tags"] == ["a", "b", "c"])
        #expect(forced.json[path: "spec", "atoms"] == ["q"])
        #expect(fields(of: "b", forced)?.contains(#""f:tags":{"v:\"b\"":{},"v:\"c\"":{}}"#) == true)
        let map = await apply(test, "c", #""spec":{"amap":{"b":"2"}}"#)
        #expect(map.message == #"Apply failed with 1 conflict: conflict with "a": .spec.amap"#)
        #expect(
            await apply(test, "c", #""spec":{"amap":{"b":"2"}}"#, force: true).json[path: "spec", "amap"] == ["b": "2"]
        )
    }

    @Test func freeMapsAreSharedMemberByMember() async throws {
        let test = try await server()
        _ = await apply(test, "a", Self.first)
        let joined = await apply(test, "d", #""spec":{"any":{"d":{"f":1}},"labels":{"l":"1"}}"#)
        #expect(joined.json[path: "spec", "any"] == ["d": ["e": 1, "f": 1]])
        let refused = await apply(test, "d", #""spec":{"any":{"d":{"e":2}}}"#)
        #expect(refused.message == #"Apply failed with 1 conflict: conflict with "a": .spec.any.d.e"#)
        let left = await apply(test, "a", #""spec":{"size":3}"#)
        #expect(
            left.json["spec"] == ["any": ["d": ["f": 1]], "labels": ["l": "1"], "size": 3],
            "\(left.json["spec"]?.text ?? "")"
        )
    }

    @Test(
        "what does not fit the schema is refused before anything else",
        arguments: [
            (
                #""spec":{"items":[{"name":"y"},{"name":"y","port":80}]}"#,
                #".spec.items: duplicate entries for key [name="y",port=80]"#
            ),
            (#""spec":{"tags":["z","z"]}"#, #".spec.tags: duplicate entries for key [="z"]"#),
            (#""spec":{"bogus":1}"#, ".spec.bogus: field not declared in schema"),
            (#""spec":{"size":"x"}"#, ".spec.size: expected numeric (int or float), got string"),
        ]
    )
    func misfits(_ members: String, _ problem: String) async throws {
        let test = try await server()
        _ = await apply(test, "a", Self.first)
        let answer = await apply(test, "e", members, force: true)
        let lead = "failed to create typed patch object (/s1; o.example.com/v1, Kind=Widget): "
        #expect(answer.status == 500 && answer.message == lead + problem)
    }

    @Test func aStatusHasOwnersOfItsOwn() async throws {
        let test = try await server()
        _ = await apply(test, "a", Self.first)
        let status = "\(Self.path)/status"
        _ = await apply(test, "st", #""status":{"phase":"x","conditions":[{"type":"A"}]}"#, at: status)
        let both = await apply(test, "st2", #""spec":{"size":9},"status":{"conditions":[{"type":"B"}]}"#, at: status)
        #expect(both.json[path: "spec", "size"] == 3)
        #expect(both.json[path: "status", "conditions"] == [["type": "A"], ["type": "B"]])
        let refused = await apply(test, "st2", #""status":{"phase":"y"}"#, at: status)
        #expect(
            refused.message
                == #"Apply failed with 1 conflict: conflict with "st" with subresource "status": .status.phase"#
        )
    }
}
