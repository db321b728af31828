// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

/// Updates, patches and deletes that cannot be done, or only in a certain way, as the real server answers them.
@Suite("answers to changes")
struct UpdateAnswerTests {
    private static let maps = "/api/v1/namespaces/default/configmaps"
    private static let one = "\(maps)/one"
    private static let merge = "application/merge-patch+json"
    private static let strategic = "application/strategic-merge-patch+json"

    private func server() async throws -> TestServer {
        let test = try await TestServer { $0.requiresServiceAccounts = false }
        _ = await test.send("POST", Self.maps, ["metadata": ["name": "one"], "data": ["a": "1"]])
        return test
    }

    private func body(_ metadata: JSON) -> JSON {
        var object: JSON = ["metadata": ["name": "one"], "data": ["a": "2"]]
        for (key, value) in metadata.object ?? [:] { object.set(value, at: ["metadata", key]) }
        return object
    }

    @Test func versionZeroIsAnyAndTextIsNone() async throws {
        let test = try await server()
        #expect(await test.send("PUT", Self.one, body(["resourceVersion": "0"])).status == 200)
        let odd = await test.send("PUT", Self.one, body(["resourceVersion": "abc"]))
        #expect(odd.message == #"strconv.ParseUint: parsing "abc": invalid syntax"#)
    }

    @Test func anotherUIDIsAConflictForAnUpdateAndInvalidForAPatch() async throws {
        let test = try await server()
        let uid = await test.send("GET", Self.one).json[path: "metadata", "uid"]?.string ?? ""
        let put = await test.send("PUT", Self.one, body(["uid": "other"]))
        #expect(put.status == 409)
        #expect(
            put.message
                == #"Operation cannot be fulfilled on configmaps "one": StorageError: invalid object, Code: 4, "#
                + "Key: /registry/configmaps/default/one, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in "
                + "precondition: other, UID in object meta: \(uid)"
        )
        let patch = await test.send("PATCH", Self.one, ["metadata": ["uid": "other"]], contentType: Self.merge)
        #expect(
            patch.message == #"ConfigMap "one" is invalid: metadata.uid: Invalid value: "other": field is immutable"#
        )
    }

    @Test func namesAndNamespacesOfChangesMustFit() async throws {
        let test = try await server()
        let nameless = await test.send("PATCH", Self.one, ["metadata": ["name": .null]], contentType: Self.merge)
        #expect(
            nameless.message == "the name of the object (one based on URL) was undeterminable: name must be provided"
        )
        let elsewhere = await test.send("PATCH", Self.one, ["metadata": ["namespace": "x"]], contentType: Self.merge)
        #expect(
            elsewhere.message == "the namespace of the provided object does not match the namespace sent on the request"
        )
    }

    @Test func metadataIsObjectedToAsOftenAsItIsLookedAt() async throws {
        let test = try await server()
        let labels: JSON = ["metadata": ["labels": ["bad key": "x"]]]
        let answer = await test.send("PATCH", Self.one, labels, contentType: Self.merge)
        #expect(answer.status == 422)
        #expect(answer.json[path: "details", "causes"]?.array?.count == 4)
        #expect(answer.message.split(separator: "bad key").count == 2)
    }

    @Test(
        "a patch that cannot be read is refused without details, once there is something to patch",
        arguments: [
            (
                "application/json-patch+json", "{}",
                "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
            ),
            (
                "application/json-patch+json", #"[{"op":1}]"#,
                "error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string"
            ),
            (Self.merge, "null", "Invalid JSON Patch"),
            (Self.strategic, "[]", "json: cannot unmarshal array into Go value of type map[string]interface {}"),
        ]
    )
    func unreadable(_ type: String, _ text: String, _ message: String) async throws {
        let test = try await server()
        let answer = await test.send("PATCH", Self.one, bytes: Array(text.utf8), contentType: type)
        #expect(answer.status == 400 && answer.message == message, "\(answer.message)")
        #expect(answer.json["details"] == nil)
    }

    @Test func aBrokenPatchOfNothingFindsNothing() async throws {
        let test = try await server()
        let answer = await test.send("PATCH", "\(Self.maps)/none", bytes: Array("x".utf8), contentType: Self.merge)
        #expect(answer.status == 404)
    }

    @Test(
        "a strategic patch to the wrong types is quoted itself, in the words of the converter",
        arguments: [
            (#"{"data":{"m":1}}"#, "map[data:map[m:1]]", "cannot convert int64 to string"),
            (#"{"data":"x"}"#, "map[data:x]", "cannot restore map from string"),
            (#"{"data":[]}"#, "map[data:[]]", "cannot restore map from slice"),
        ]
    )
    func conversions(_ text: String, _ shown: String, _ problem: String) async throws {
        let test = try await server()
        let answer = await test.send("PATCH", Self.one, bytes: Array(text.utf8), contentType: Self.strategic)
        #expect(answer.message == #" "" is invalid: patch: Invalid value: "\#(shown)": \#(problem)"#)
    }

    @Test func repeatedMembersOfAPatchAreToldOf() async throws {
        let test = try await server()
        let text = #"{"data":{"q":"1","q":"2"},"bogus":1}"#
        let answer = await test.send("PATCH", Self.one, bytes: Array(text.utf8), contentType: Self.merge)
        #expect(answer.warnings == [#"duplicate field "data.q""#, #"unknown field "bogus""#])
    }

    @Test(
        "options of a delete are read as strictly as any object",
        arguments: [
            (
                #"{"gracePeriodSeconds":"x"}"#,
                "json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64"
            ),
            (
                #"{"kind":"Pod","apiVersion":"v1"}"#,
                #"no kind "Pod" is registered for version "v1" in scheme "k8s.io/apimachinery/pkg/apis/meta/internalversion/"#
                    + #"scheme/register.go:27""#
            ),
        ]
    )
    func deletes(_ text: String, _ message: String) async throws {
        let test = try await server()
        let answer = await test.send("DELETE", Self.one, bytes: Array(text.utf8))
        #expect(answer.status == 400 && answer.message == message, "\(answer.message)")
    }

    @Test func aPodsAddressAndItsAddressesSayTheSame() async throws {
        let test = try await server()
        let pods = "/api/v1/namespaces/default/pods"
        _ = await test.send(
            "POST",
            pods,
            ["metadata": ["name": "p"], "spec": ["containers": [["name": "c", "image": "i"]]]]
        )
        let change: JSON = ["status": ["podIP": "10.0.0.9"]]
        let answer = await test.send("PATCH", "\(pods)/p/status", change, contentType: Self.merge)
        #expect(answer.json[path: "status", "podIPs"] == [["ip": "10.0.0.9"]])
    }

    @Test(
        "a selector that is none is said to be invalid, and its template is not looked at",
        arguments: [
            ("{}", "spec.selector: Invalid value: {}: empty selector is invalid for deployment"),
            (
                #"{"matchExpressions":[{"key":"app","operator":"X"}]}"#,
                #"[spec.selector.matchExpressions[0].operator: Invalid value: "X": not a valid selector operator, "#
                    + #"spec.selector: Invalid value: {"matchExpressions":[{"key":"app","operator":"X"}]}: invalid label "#
                    + "selector]"
            ),
        ]
    )
    func selectors(_ selector: String, _ problem: String) async throws {
        let test = try await server()
        let text = """
            {"metadata":{"name":"d"},"spec":{"selector":\(selector),"template":{"metadata":{"labels":{"app":"x"}},
            "spec":{"containers":[{"name":"c","image":"i"}]}}}}
            """
        let answer = await test.send("POST", "/apis/apps/v1/namespaces/default/deployments", bytes: Array(text.utf8))
        #expect(answer.message == #"Deployment.apps "d" is invalid: \#(problem)"#)
    }

    @Test(
        "the finer parts of a service are checked",
        arguments: [
            (
                #""externalTrafficPolicy":"Local""#,
                #"spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services"#
            ),
            (
                #""externalIPs":["127.0.0.1"]"#,
                #"spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)"#
            ),
            (
                #""type":"LoadBalancer","loadBalancerSourceRanges":["x"]"#,
                #"spec.LoadBalancerSourceRanges[0]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or "#
                    + "2001:db8::/64)"
            ),
            (
                #""trafficDistribution":"X""#,
                #"spec.trafficDistribution: Unsupported value: "X": supported values: "PreferClose", "PreferSameZone", "#
                    + #""PreferSameNode""#
            ),
        ]
    )
    func services(_ members: String, _ problem: String) async throws {
        let test = try await server()
        let text = #"{"metadata":{"name":"s"},"spec":{"ports":[{"port":80}],\#(members)}}"#
        let answer = await test.send("POST", "/api/v1/namespaces/default/services", bytes: Array(text.utf8))
        #expect(answer.message == #"Service "s" is invalid: \#(problem)"#)
    }
}
