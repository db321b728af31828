// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

/// Smaller things in which the real server's answers are known exactly.
@Suite("details of answers")
struct AnswerDetailTests {
    private static let maps = "/api/v1/namespaces/default/configmaps"

    private func server() async throws -> TestServer {
        try await TestServer {
            $0.requiresServiceAccounts = false
            $0.refusesUnsupportedPods = false
        }
    }

    @Test func remarksAboutABodyComeWithARefusalToo() async throws {
        let test = try await server()
        let body: JSON = ["metadata": ["name": "A"], "bogus": 1]
        let answer = await test.send("POST", Self.maps, body)
        #expect(answer.status == 422)
        #expect(answer.warnings == [#"unknown field "bogus""#])
        let endpoints = await test.send("GET", "/api/v1/namespaces/default/endpoints/none")
        #expect(endpoints.status == 404)
        #expect(endpoints.warnings == ["v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"])
    }

    @Test func yamlMayGiveKeysTwiceUnlessThatIsForbidden() async throws {
        let test = try await server()
        let text = "metadata: {name: why}\ndata:\n  a: \"1\"\n  a: \"2\"\nbogus: 1\n---\nmetadata: {name: z}\n"
        let strict = await test.send(
            "POST",
            "\(Self.maps)?fieldValidation=Strict",
            bytes: Array(text.utf8),
            contentType: "application/yaml"
        )
        #expect(
            strict.message == """
                ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: yaml: unmarshal errors:
                  line 4: key "a" already set in map, unknown field "bogus"
                """
        )
        let made = await test.send("POST", Self.maps, bytes: Array(text.utf8), contentType: "application/yaml")
        #expect(made.status == 201 && made.json[path: "data", "a"] == "2")
        #expect(made.warnings == [#"line 4: key "a" already set in map"#, #"unknown field "bogus""#])
    }

    @Test(
        "a text that is no YAML is refused in the words of Go's parser",
        arguments: [
            ("a: b: c", "yaml: mapping values are not allowed in this context (613a20623a2063)"),
            ("{", "yaml: line 1: did not find expected node content ({)"),
            (
                "metadata:\n\tname: a",
                "yaml: line 2: found character that cannot start any token (6d657461646174613a0a096e616d653a2061)"
            ),
        ]
    )
    func noYAML(_ text: String, _ problem: String) async throws {
        let test = try await server()
        let answer = await test.send("POST", Self.maps, bytes: Array(text.utf8), contentType: "application/yaml")
        #expect(answer.status == 400)
        #expect(answer.message == "the object provided is unrecognized (must be of type ConfigMap): \(problem)")
    }

    @Test func optionsAreCheckedInTheOrderOfTheRealServer() async throws {
        let test = try await server()
        let answer = await test.send(
            "PATCH",
            "\(Self.maps)/x?fieldValidation=strict&dryRun=x&force=true&fieldManager=a%01",
            [:],
            contentType: "application/merge-patch+json"
        )
        #expect(
            answer.json[path: "details", "causes"]?.array?.map { $0["field"] } == [
                "force", "fieldManager", "dryRun", "fieldValidation",
            ]
        )
        #expect(
            answer.json[path: "details", "causes"]?[1]?["message"]
                == #"Invalid value: "a\x01": invalid character U+0001 (at position 1)"#
        )
    }

    @Test(
        "forms that are not written are refused, each kind in its words",
        arguments: [
            (
                "application/*", "",
                "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, "
                    + "application/vnd.kubernetes.protobuf"
            ),
            (
                "application/json;as=Odd;g=meta.k8s.io;v=v1", "",
                "only the following media types are accepted: application/json, application/yaml, "
                    + "application/vnd.kubernetes.protobuf"
            ),
            (
                "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", "/x",
                "you requested PartialObjectMetadataList, but the requested object is not a list (*core.ConfigMap)"
            ),
            (
                "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", "",
                "you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)"
            ),
        ]
    )
    func forms(_ accept: String, _ path: String, _ message: String) async throws {
        let test = try await server()
        _ = await test.send("POST", Self.maps, ["metadata": ["name": "x"]])
        let answer = await test.send("GET", Self.maps + path, accept: accept)
        #expect(answer.status == 406)
        #expect(answer.message.hasPrefix(message), "\(answer.message)")
    }

    @Test func aStatusTakesLabelsAlongButNotADeployments() async throws {
        let test = try await server()
        let merge = "application/merge-patch+json"
        let spec: JSON = ["containers": [["name": "c", "image": "i"]]]
        _ = await test.send("POST", "/api/v1/namespaces/default/pods", ["metadata": ["name": "p"], "spec": spec])
        let change: JSON = ["metadata": ["labels": ["a": "b"], "annotations": ["c": "d"]], "spec": ["nodeName": "n"]]
        let pod = await test.send("PATCH", "/api/v1/namespaces/default/pods/p/status", change, contentType: merge)
        #expect(pod.json[path: "metadata", "labels"] == ["a": "b"])
        #expect(pod.json[path: "spec", "nodeName"] == nil)
        let template: JSON = ["metadata": ["labels": ["app": "x"]], "spec": spec]
        let selector: JSON = ["matchLabels": ["app": "x"]]
        let deployments = "/apis/apps/v1/namespaces/default/deployments"
        _ = await test.send(
            "POST",
            deployments,
            ["metadata": ["name": "d"], "spec": ["selector": selector, "template": template]]
        )
        let answer = await test.send("PATCH", "\(deployments)/d/status", change, contentType: merge)
        #expect(answer.json[path: "metadata", "labels"] == nil)
        #expect(answer.json[path: "metadata", "annotations"] == ["c": "d"])
    }

    @Test func whatANewObjectBringsAlongIsNotOwned() async throws {
        let test = try await server()
        let owner: JSON = ["apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "u"]
        let made = await test.send(
            "POST",
            Self.maps,
            [
                "metadata": [
                    "name": "x", "deletionTimestamp": "2026-01-01T00:00:00Z", "generation": 7, "resourceVersion": "0",
                    "ownerReferences": [owner, owner],
                ], "data": ["a": "1"],
            ]
        )
        #expect(made.status == 201, "\(made.message)")
        #expect(made.json[path: "metadata", "generation"] == 7)
        #expect(made.json[path: "metadata", "ownerReferences"] == [owner])
        #expect(made.warnings.count == 1 && made.warnings[0].hasSuffix("duplicate UID(s) observed: u"))
        let fields = made.json[path: "metadata", "managedFields"]?[0]?["fieldsV1"]
        #expect(fields?["f:metadata"]?["f:deletionTimestamp"] == nil && fields?["f:data"] != nil)
    }

    @Test(
        "names are refused in the words of their length, their dots or their letters",
        arguments: [
            ("a.b", "must not contain dots"), (String(repeating: "x", count: 64), "must be no more than 63 characters"),
        ]
    )
    func names(_ name: String, _ problem: String) async throws {
        let test = try await server()
        let body: JSON = ["metadata": ["name": .string(name)], "spec": ["ports": [["port": 1]]]]
        let answer = await test.send("POST", "/api/v1/namespaces/default/services", body)
        #expect(
            answer.message == #"Service "\#(name)" is invalid: metadata.name: Invalid value: "\#(name)": \#(problem)"#
        )
    }

    @Test(
        "what a watch may not ask for is refused in the real words",
        arguments: [
            (
                "resourceVersionMatch=NotOlderThan",
                "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
            ),
            (
                "sendInitialEvents=true",
                "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
            ),
            (
                "continue=x",
                "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided"
            ),
        ]
    )
    func watches(_ query: String, _ problem: String) async throws {
        let answer = try await server().send("GET", "\(Self.maps)?watch=1&\(query)")
        #expect(answer.status == 422 && answer.message == #"ListOptions.meta.k8s.io "" is invalid: \#(problem)"#)
    }

    @Test(
        "field selectors are read with their escapes",
        arguments: [
            ("metadata.name=a=b", "invalid field selector: unescaped character in value: 61"),
            (#"metadata.name=a\"#, #"invalid field selector: invalid escape sequence: \"#),
            (#"metadata.name=\x"#, #"invalid field selector: invalid escape sequence: \x"#),
        ]
    )
    func fieldSelectors(_ text: String, _ problem: String) {
        let error = #expect(throws: KubeStatus.self) { try FieldSelector(parsing: text) }
        #expect(error?.message == problem)
    }
}
