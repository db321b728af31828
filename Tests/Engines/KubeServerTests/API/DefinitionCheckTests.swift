// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

/// CustomResourceDefinitions that are refused, and custom resources that outlive a stricter schema.
@Suite("definitions")
struct DefinitionCheckTests {
    private static let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

    private func server() async throws -> TestServer { try await TestServer { $0.requiresServiceAccounts = false } }

    private func definition(_ version: JSONObject = [:], schema: JSON? = nil, _ spec: JSONObject = [:]) -> JSON {
        var first: JSON = [
            "name": "v1", "served": true, "storage": true,
            "schema": ["openAPIV3Schema": schema ?? ["type": "object", "x-kubernetes-preserve-unknown-fields": true]],
        ]
        for (member, value) in version { first[member] = value }
        var whole: JSON = [
            "group": "x.example.com", "scope": "Namespaced", "names": ["plural": "things", "kind": "Thing"],
            "versions": [first],
        ]
        for (member, value) in spec { whole[member] = value }
        return [
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": ["name": "things.x.example.com"], "spec": whole,
        ]
    }

    @Test func partsOfAVersionAreNamedWhereTheServerMovesThem() async throws {
        let test = try await server()
        for (version, words) in [
            (
                ["subresources": ["scale": [:]]],
                "[spec.subresources.scale.specReplicasPath: Required value, "
                    + "spec.subresources.scale.statusReplicasPath: Required value]"
            ),
            (
                ["subresources": ["scale": ["specReplicasPath": "spec.n", "statusReplicasPath": ".x.n"]]],
                #"[spec.subresources.scale.specReplicasPath: Invalid value: "spec.n": must be a simple json path starting "#
                    + #"with ., spec.subresources.scale.statusReplicasPath: Invalid value: ".x.n": should be a json path under .status]"#
            ),
            (
                ["additionalPrinterColumns": [["name": "", "type": "text", "jsonPath": "x"]]],
                #"[spec.additionalPrinterColumns[0].name: Required value, spec.additionalPrinterColumns[0].type: Invalid value: "#
                    + #""text": must be one of boolean,date,integer,number,string, spec.additionalPrinterColumns[0].JSONPath: "#
                    + #"Invalid value: "x": must be a simple json path starting with .]"#
            ),
            (
                ["selectableFields": [["jsonPath": ".spec.none"]]],
                #"spec.selectableFields[0].jsonPath: Invalid value: ".spec.none": is an invalid path: does not refer to a valid field"#
            ),
            (
                ["storage": false],
                #"[spec.versions: Invalid value: [{"Name":"v1","Served":true,"Storage":false,"Deprecated":false,"#
                    + #""DeprecationWarning":null,"Schema":null,"Subresources":null,"AdditionalPrinterColumns":null,"#
                    + #""SelectableFields":null}]: must have exactly one version marked as storage version, "#
                    + "status.storedVersions: Invalid value: null: must have at least one stored version]"
            ),
        ] as [(JSONObject, String)] {
            let answer = await test.send("POST", Self.definitions, definition(version))
            #expect(
                answer.message
                    == #"CustomResourceDefinition.apiextensions.k8s.io "things.x.example.com" is invalid: \#(words)"#
            )
        }
    }

    @Test func aConversionNeedsItsWebhook() async throws {
        let test = try await server()
        let conversion: JSON = ["strategy": "Webhook"]
        let answer = await test.send("POST", Self.definitions, definition([:], ["conversion": conversion]))
        #expect(
            answer.message.hasSuffix(
                "[spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook, "
                    + "spec.conversion.conversionReviewVersions: Required value]"
            )
        )
    }

    @Test func whatAnUpdateLeavesAloneIsNotHeldToAStricterSchema() async throws {
        let test = try await server()
        func schema(_ rules: JSON) -> JSON {
            let item: JSON = [
                "type": "object", "properties": ["k": ["type": "string"], "v": rules], "required": ["k"],
            ]
            let keyed: JSON = [
                "type": "array", "items": item, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
            ]
            let spec: JSON = [
                "type": "object",
                "properties": [
                    "a": rules, "n": ["type": "integer"], "keyed": keyed, "plain": ["type": "array", "items": rules],
                ],
            ]
            return ["type": "object", "properties": ["spec": spec]]
        }
        _ = await test.send("POST", Self.definitions, definition(schema: schema(["type": "string"])))
        let things = "/apis/x.example.com/v1/namespaces/default/things"
        let spec: JSON = ["a": "bad", "keyed": [["k": "1", "v": "bad"]], "plain": ["bad"]]
        let object: JSON = [
            "apiVersion": "x.example.com/v1", "kind": "Thing", "metadata": ["name": "t"], "spec": spec,
        ]
        #expect(await test.send("POST", things, object).status == 201)
        var stricter = await test.send("GET", "\(Self.definitions)/things.x.example.com").json
        stricter.set(
            [
                [
                    "name": "v1", "served": true, "storage": true,
                    "schema": ["openAPIV3Schema": schema(["type": "string", "enum": ["good"]])],
                ]
            ],
            at: ["spec", "versions"]
        )
        #expect(await test.send("PUT", "\(Self.definitions)/things.x.example.com", stricter).status == 200)
        func patch(_ spec: JSON) async -> APIResponse {
            await test.send("PATCH", "\(things)/t", ["spec": spec], contentType: "application/merge-patch+json")
        }
        // Elements with keys are known again, whatever stands beside them.
        #expect(await patch(["n": 1, "keyed": [["k": "2", "v": "good"], ["k": "1", "v": "bad"]]]).status == 200)
        let worse = await patch(["a": "worse"])
        #expect(
            worse.message
                == #"Thing.x.example.com "t" is invalid: spec.a: Unsupported value: "worse": supported values: "good""#
        )
        #expect(await patch(["plain": ["bad", "good"]]).message.contains("spec.plain[0]: Unsupported value"))
        let fresh: JSON = [
            "apiVersion": "x.example.com/v1", "kind": "Thing", "metadata": ["name": "u"], "spec": ["a": "bad"],
        ]
        #expect(await test.send("POST", things, fresh).status == 422)
    }

    @Test func anObjectIsReadByTheVersionItIsAskedIn() async throws {
        let test = try await server()
        func version(_ name: String, storage: Bool, _ properties: JSON) -> JSON {
            let spec: JSON = ["type": "object", "properties": properties]
            let schema: JSON = ["type": "object", "properties": ["spec": spec]]
            return [
                "name": .string(name), "served": true, "storage": .bool(storage), "schema": ["openAPIV3Schema": schema],
            ]
        }
        let text: JSON = ["type": "string"]
        let two: JSON = [
            version("v1", storage: true, ["a": text, "b": text]),
            version("v2", storage: false, ["a": text, "c": ["type": "string", "default": "given"]]),
        ]
        #expect(await test.send("POST", Self.definitions, definition([:], ["versions": two])).status == 201)
        let object: JSON = [
            "apiVersion": "x.example.com/v1", "kind": "Thing", "metadata": ["name": "t"], "spec": ["a": "1", "b": "2"],
        ]
        #expect(await test.send("POST", "/apis/x.example.com/v1/namespaces/default/things", object).status == 201)
        let other = await test.send("GET", "/apis/x.example.com/v2/namespaces/default/things/t")
        #expect(other.json["spec"] == ["a": "1", "c": "given"])
        let first = await test.send("GET", "/apis/x.example.com/v1/namespaces/default/things/t")
        #expect(first.json["spec"] == ["a": "1", "b": "2"])
    }
}
