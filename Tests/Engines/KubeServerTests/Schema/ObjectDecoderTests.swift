// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

@Suite("object decoder")
struct ObjectDecoderTests {
    private func decode(_ text: String, _ group: String, _ version: String, _ kind: String) throws -> DecodedObject {
        var parser = JSONParser(text.utf8)
        let value = try parser.parseDocument()
        return try ObjectDecoder.decode(value, as: builtIn(group, version, kind), duplicates: parser.duplicates)
    }

    private func message(_ text: String, _ kind: String, _ group: String = "") -> String? {
        let error = #expect(throws: DecodingError.self) { _ = try decode(text, group, "v1", kind) }
        return error?.message
    }

    @Test("unknown fields are reported in the order of the text and dropped")
    func unknownFields() throws {
        let decoded = try decode(
            """
            {"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"a"},"spec":{"selector":{"matchLabels":{"a":"b"}},
            "template":{"spec":{"containers":[{"name":"main","imagee":"q"}],"foo":{"x":1}}},"replicass":3},"odd":1}
            """,
            "apps",
            "v1",
            "Deployment"
        )
        #expect(
            decoded.problems == [
                #"unknown field "spec.template.spec.containers[0].imagee""#, #"unknown field "spec.template.spec.foo""#,
                #"unknown field "spec.replicass""#, #"unknown field "odd""#,
            ]
        )
        #expect(decoded.object[path: "spec", "replicass"] == nil)
        #expect(decoded.object["odd"] == nil)
    }

    @Test("an object that is left out prints its nulls too, so that reading it again changes nothing")
    func absentObjects() throws {
        let schema = try builtIn("authentication.k8s.io", "v1", "TokenRequest")
        let decoded = try ObjectDecoder.decode([:], as: schema).object
        #expect(decoded[path: "spec", "boundObjectRef"] == .null)
        #expect(try ObjectDecoder.decode(decoded, as: schema).object.text == decoded.text)
    }

    @Test("repeated fields are reported with the unknown ones, the last value counts")
    func duplicateFields() throws {
        let decoded = try decode(
            #"{"metadata":{"name":"a","name":"b","labels":{"x":"1","x":"2"}},"nope":{"q":1,"q":2},"data":{"a":"1","a":"2"}}"#,
            "",
            "v1",
            "ConfigMap"
        )
        #expect(
            decoded.problems == [
                #"duplicate field "metadata.name""#, #"duplicate field "metadata.labels.x""#, #"unknown field "nope""#,
                #"duplicate field "data.a""#,
            ]
        )
        #expect(decoded.object[path: "data", "a"] == "2")
    }

    @Test("a repeated field inside a list element is found by its index")
    func duplicateInList() throws {
        let decoded = try decode(
            #"{"spec":{"containers":[{"name":"a"},{"name":"b","name":"c"}]}}"#,
            "",
            "v1",
            "Pod"
        )
        #expect(decoded.problems == [#"duplicate field "spec.containers[1].name""#])
    }

    @Test("at most a hundred problems are told")
    func manyProblems() throws {
        let fields = (0..<300).map { "\"x\($0)\":1" }.joined(separator: ",")
        #expect(try decode("{\(fields)}", "", "v1", "ConfigMap").problems.count == 100)
    }

    static let wrongTypes: [(String, String, String, String)] = [
        (
            "", "ConfigMap", #"{"data":{"n":5}}"#,
            "json: cannot unmarshal number into Go struct field ConfigMap.data of type string"
        ),
        (
            "", "ConfigMap", #"{"metadata":{"name":true}}"#,
            "json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.name of type string"
        ),
        (
            "apps", "Deployment", #"{"spec":{"replicas":"two"}}"#,
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
        ),
        (
            "apps", "Deployment", #"{"spec":{"replicas":1.5}}"#,
            "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32"
        ),
        (
            "apps", "Deployment", #"{"spec":{"replicas":99999999999}}"#,
            "json: cannot unmarshal number 99999999999 into Go struct field DeploymentSpec.spec.replicas of type int32"
        ),
        (
            "apps", "Deployment", #"{"spec":[]}"#,
            "json: cannot unmarshal array into Go struct field Deployment.spec of type v1.DeploymentSpec"
        ),
        (
            "", "Pod", #"{"spec":{"containers":{"name":"x"}}}"#,
            "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container"
        ),
        (
            "", "Pod", #"{"spec":{"containers":[{"command":"sh"}]}}"#,
            "json: cannot unmarshal string into Go struct field Container.spec.containers.command of type []string"
        ),
        (
            "", "Pod", #"{"spec":{"containers":[{"imagePullPolicy":1}]}}"#,
            "json: cannot unmarshal number into Go struct field Container.spec.containers.imagePullPolicy of type v1.PullPolicy"
        ),
        (
            "", "Pod", #"{"spec":{"nodeSelector":[]}}"#,
            "json: cannot unmarshal array into Go struct field PodSpec.spec.nodeSelector of type map[string]string"
        ),
        (
            "", "Pod", #"{"spec":{"containers":[{"resources":{"limits":{"cpu":"much"}}}]}}"#,
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        ),
        (
            "", "Pod", #"{"metadata":{"name":1},"spec":{"containers":[{"resources":{"limits":{"cpu":"much"}}}]}}"#,
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        ),
        ("", "Secret", #"{"data":{"k":"not base64!"}}"#, "illegal base64 data at input byte 3"),
        ("", "Secret", #"{"data":{"k":"YWI"}}"#, "illegal base64 data at input byte 0"),
        ("", "Secret", #"{"data":{"k":"YQ="}}"#, "illegal base64 data at input byte 3"),
        ("", "Secret", #"{"data":{"k":"YQ==x"}}"#, "illegal base64 data at input byte 4"),
        (
            "", "Secret", #"{"data":{"k":7}}"#,
            "json: cannot unmarshal number into Go struct field Secret.data of type []uint8"
        ),
        (
            "", "Service", #"{"spec":{"ports":[{"targetPort":true}]}}"#,
            "json: cannot unmarshal bool into Go value of type int32"
        ),
        (
            "", "Pod", #"{"metadata":{"creationTimestamp":"yesterday"}}"#,
            #"parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006""#
        ),
        (
            "", "Pod", #"{"metadata":{"creationTimestamp":"2026-01-02"}}"#,
            #"parsing time "2026-01-02" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T""#
        ),
        (
            "", "Pod", #"{"metadata":{"creationTimestamp":"2026-13-02T00:00:00Z"}}"#,
            #"parsing time "2026-13-02T00:00:00Z": month out of range"#
        ),
        (
            "", "Pod", #"{"metadata":{"creationTimestamp":5}}"#,
            "json: cannot unmarshal number into Go value of type string"
        ),
    ]

    @Test("wrong types get the real decoder's words", arguments: wrongTypes)
    func wrongType(_ group: String, _ kind: String, _ text: String, _ expected: String) {
        #expect(message(text, kind, group) == expected)
    }

    @Test("values come out in canonical form and order")
    func canonicalForm() throws {
        let decoded = try decode(
            """
            {"metadata":{"annotations":{},"labels":{"b":"2","a":"1"},"name":"x","creationTimestamp":null,"finalizers":[]},
             "kind":"Pod","apiVersion":"v1","spec":{"securityContext":{},"volumes":[{"emptyDir":{},"name":"v"}],
             "containers":[{"resources":{"limits":{"memory":"1024Mi","cpu":0.5}},"name":"c","args":null,"env":[{"name":"E"}]}]}}
            """,
            "",
            "v1",
            "Pod"
        )
        #expect(
            decoded.object.text
                == #"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"x","labels":{"a":"1","b":"2"}},"#
                + #""spec":{"volumes":[{"name":"v","emptyDir":{}}],"containers":[{"name":"c","env":[{"name":"E"}],"#
                + #""resources":{"limits":{"cpu":"500m","memory":"1Gi"}}}],"securityContext":{}},"status":{}}"#
        )
        #expect(decoded.problems.isEmpty)
    }

    static let quantities: [(String, String?)] = [
        ("1024Mi", "1Gi"), (" 1000m ", "1"), ("0.5", "500m"), ("1e3", "1e3"), ("-2Ki", "-2Ki"), ("1.5Gi", "1536Mi"),
        ("", nil), (" ", nil), ("much", nil), ("1.2.3", nil), ("Gi", nil), ("1 Gi", nil),
    ]

    @Test("quantities are brought into canonical form or refused", arguments: quantities)
    func quantitiesAreCanonical(_ text: String, _ canonical: String?) {
        if let canonical {
            #expect((try? ScalarText.quantity(text)) == canonical)
        } else {
            #expect(throws: ScalarText.badQuantity) { _ = try ScalarText.quantity(text) }
        }
    }

    @Test("a suffix that is none has its own complaint", arguments: ["1Kii", "5eG", "3Pi7"])
    func badSuffix(_ text: String) {
        #expect(throws: DecodingError(message: "unable to parse quantity's suffix")) {
            _ = try ScalarText.quantity(text)
        }
    }

    @Test("nulls in maps become what Go makes of them")
    func nullsInMaps() throws {
        let decoded = try decode(#"{"data":{"a":null}}"#, "", "v1", "ConfigMap")
        #expect(decoded.object[path: "data", "a"] == "")
    }

    @Test("times move to UTC and whole seconds")
    func times() throws {
        let decoded = try decode(
            #"{"metadata":{"creationTimestamp":"2026-11-23T15:00:00.75+01:00"}}"#,
            "",
            "v1",
            "ConfigMap"
        )
        #expect(decoded.object[path: "metadata", "creationTimestamp"] == "2026-11-23T14:00:00Z")
        let lease = try decode(
            #"{"spec":{"renewTime":"2026-11-23T16:00:00.123456+01:00"}}"#,
            "coordination.k8s.io",
            "v1",
            "Lease"
        )
        #expect(lease.object[path: "spec", "renewTime"] == "2026-11-23T15:00:00.123456Z")
    }
}
