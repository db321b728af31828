// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

@Suite("custom resources")
struct CustomResourceTests {
    private func texts(_ errors: FieldErrors) -> [String] { errors.all.map { "\($0.field): \($0.message)" } }

    /// Objections to an object with `spec.f` of the given schema.
    private func objections(_ schema: String, _ value: String) throws -> [String] {
        let schema = try json(#"{"type":"object","properties":{"f":\#(schema)}}"#)
        var errors = FieldErrors()
        StructuralSchema(schema).validate(try json(#"{"f":\#(value)}"#), &errors)
        return texts(errors)
    }

    /// Schema of a field, good values, bad values with the objection.
    static let values: [(String, [String], [(String, [String])])] = [
        (
            #"{"type":"integer","minimum":1,"maximum":10}"#, ["1", "10", "2.0"],
            [
                ("0", ["f: Invalid value: 0: f in body should be greater than or equal to 1"]),
                ("11", ["f: Invalid value: 11: f in body should be less than or equal to 10"]),
                (#""x""#, [#"f: Invalid value: "string": f in body must be of type integer: "string""#]),
                ("1.5", [#"f: Invalid value: "number": f in body must be of type integer: "number""#]),
                ("null", [#"f: Invalid value: "null": f in body must be of type integer: "null""#]),
            ]
        ),
        (
            #"{"type":"number","minimum":0,"exclusiveMinimum":true,"multipleOf":0.5}"#, ["0.5", "3"],
            [
                ("0", ["f: Invalid value: 0: f in body should be greater than 0"]),
                ("0.7", ["f: Invalid value: 0.7: f in body should be a multiple of 0.5"]),
            ]
        ),
        (
            #"{"type":"integer","format":"int32"}"#, ["2147483647"],
            [("true", [#"f: Invalid value: "": f in body must be of type int32: """#])]
        ),
        (
            #"{"type":"string","enum":["red","blue"]}"#, [#""red""#],
            [(#""green""#, [#"f: Unsupported value: "green": supported values: "red", "blue""#])]
        ),
        (
            #"{"type":"string","minLength":2,"maxLength":3,"pattern":"^[a-z]+$"}"#, [#""ab""#, #""abc""#],
            [
                (#""a""#, [#"f: Invalid value: "a": f in body should be at least 2 chars long"#]),
                (#""abcd""#, ["f: Too long: may not be more than 3 bytes"]),
                (#""AB""#, [#"f: Invalid value: "AB": f in body should match '^[a-z]+$'"#]),
            ]
        ),
        (
            #"{"type":"array","minItems":1,"maxItems":2,"items":{"type":"string"}}"#, [#"["a"]"#],
            [
                ("[]", ["f: Invalid value: 0: f in body should have at least 1 items"]),
                (#"["a","b","c"]"#, ["f: Too many: 3: must have at most 2 items"]),
                (#"["a",1]"#, [#"f[1]: Invalid value: "integer": f[1] in body must be of type string: "integer""#]),
            ]
        ),
        (
            #"{"type":"object","required":["a"],"properties":{"a":{"type":"boolean"}}}"#, [#"{"a":true}"#],
            [
                ("{}", ["f.a: Required value"]),
                ("[]", [#"f: Invalid value: "array": f in body must be of type object: "array""#]),
            ]
        ),
        (
            #"{"type":"object","additionalProperties":{"type":"integer"},"maxProperties":2}"#, [#"{"x":1}"#],
            [
                (#"{"x":"1"}"#, [#"f.x: Invalid value: "string": f.x in body must be of type integer: "string""#]),
                (#"{"x":1,"y":2,"z":3}"#, ["f: Too many: 3: must have at most 2 items"]),
            ]
        ),
        (
            #"{"x-kubernetes-int-or-string":true}"#, ["80", #""http""#],
            [("true", [#"f: Invalid value: "boolean": f in body must be of type integer,string: "boolean""#])]
        ),
        (#"{"type":"string","nullable":true}"#, ["null", #""x""#], []),
        (
            #"{"type":"string","format":"date-time"}"#, [#""2026-01-02T03:04:05Z""#],
            [(#""today""#, [#"f: Invalid value: "today": f in body must be of type date-time: "today""#])]
        ),
        (#"{"type":"string","format":"something-else"}"#, [#""x""#], []),
        (
            #"{"type":"array","x-kubernetes-list-type":"set","items":{"type":"string"}}"#, [#"["a","b"]"#],
            [(#"["a","a","a"]"#, [#"f[1]: Duplicate value: "a""#])]
        ),
        (
            #"{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k","p"],"items":{"type":"object","properties":{"k":{"type":"string"},"p":{"type":"integer"}}}}"#,
            [#"[{"k":"a","p":1},{"k":"a","p":2}]"#],
            [(#"[{"k":"a","p":1},{"k":"a","p":1}]"#, [#"f[1]: Duplicate value: {"k":"a","p":1}"#])]
        ),
        (
            #"{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"oneOf":[{"required":["a"]},{"required":["b"]}]}"#,
            [#"{"a":"x"}"#],
            [
                (
                    "{}",
                    [
                        #"<nil>: Invalid value: "": "f" must validate one and only one schema (oneOf). Found none valid"#,
                        "f.a: Required value",
                    ]
                ),
                (
                    #"{"a":"x","b":"y"}"#,
                    [
                        #"<nil>: Invalid value: "": "f" must validate one and only one schema (oneOf). Found 2 valid alternatives"#
                    ]
                ),
            ]
        ),
        (
            #"{"type":"integer","anyOf":[{"minimum":10},{"maximum":3}],"not":{"enum":[2]}}"#, ["1", "11"],
            [
                (
                    "5",
                    [
                        #"<nil>: Invalid value: "": "f" must validate at least one schema (anyOf)"#,
                        "f: Invalid value: 5: f in body should be greater than or equal to 10",
                    ]
                ),
                ("2", [#"<nil>: Invalid value: "": "f" must not validate the schema (not)"#]),
            ]
        ),
        (
            #"{"type":"integer","allOf":[{"minimum":2},{"maximum":5}]}"#, ["3"],
            [
                (
                    "1",
                    [
                        "f: Invalid value: 1: f in body should be greater than or equal to 2",
                        #"<nil>: Invalid value: "": "f" must validate all the schemas (allOf)"#,
                    ]
                )
            ]
        ),
    ]

    @Test("values are checked in the real server's words", arguments: values)
    func checkedValues(_ schema: String, _ good: [String], _ bad: [(String, [String])]) throws {
        for value in good { #expect(try objections(schema, value) == [], "\(schema) with \(value)") }
        for (value, expected) in bad { #expect(try objections(schema, value) == expected, "\(schema) with \(value)") }
    }

    static let formats: [(String, [String], [String])] = [
        ("ipv4", ["10.0.0.1"], ["10.0.0", "256.1.1.1", "10.0.0.01", ""]),
        (
            "ipv6", ["::1", "fe80::1", "1:2:3:4:5:6:7:8", "::ffff:10.0.0.1", "::"],
            ["1:2:3", ":::", "g::", "1:2:3:4:5:6:7:8:9"]
        ),
        ("cidr", ["10.0.0.0/8", "fd00::/64"], ["10.0.0.0", "10.0.0.0/33", "x/8"]),
        ("uuid", ["0d4f3b0a-1111-4222-8333-abcdefabcdef"], ["nope"]),
        ("date", ["2026-02-03"], ["2026-13-03", "2026-02-03T00:00:00Z"]),
        ("duration", ["1h30m", "5s", "1.5h", "2 days", "0"], ["", "x"]),
        ("email", ["a@b.c"], ["a", "@b"]),
        ("hostname", ["a.b-c.d", "localhost"], ["-a", "a..b", ""]),
        ("uri", ["https://x.y/z?q=1", "/path"], ["x y", "relative"]),
        ("mac", ["00:00:5e:00:53:01"], ["00:00:5e:00:53"]),
        ("byte", ["aGk="], ["a"]),
        ("hexcolor", ["#fff", "aabbcc"], ["#ff"]),
        ("k8s-short-name", ["ab-1"], ["Ab", "-a", "a.b"]),
        ("k8s-long-name", ["a.b-c"], ["a..b"]),
    ]

    @Test("formats", arguments: formats)
    func formatsHold(_ name: String, _ good: [String], _ bad: [String]) {
        for text in good { #expect(CustomFormat.accepts(text, name), "\(name) \(text)") }
        for text in bad { #expect(!CustomFormat.accepts(text, name), "\(name) \(text)") }
    }

    @Test("unknown fields are dropped and reported, preserved ones stay")
    func pruning() throws {
        let schema = StructuralSchema(
            try json(
                """
                {"type":"object","properties":{"spec":{"type":"object","properties":{
                  "list":{"type":"array","items":{"type":"object","properties":{"a":{"type":"string"}}}},
                  "map":{"type":"object","additionalProperties":{"type":"object","properties":{"a":{"type":"string"}}}},
                  "free":{"type":"object","x-kubernetes-preserve-unknown-fields":true,"properties":{"s":{"type":"object"}}},
                  "pod":{"type":"object","x-kubernetes-embedded-resource":true,"properties":{"spec":{"type":"object"}}}}}}}
                """
            )
        )
        let decoded = try schema.decode(
            json(
                """
                {"kind":"W","apiVersion":"g/v1","metadata":{"name":"x","odd":1,"labels":{"b":"1","a":"2"}},"top":1,
                 "spec":{"list":[{"a":"1"},{"a":"1","b":2}],"map":{"k":{"a":"1","z":1}},"free":{"x":{"y":1},"s":{"q":1}},
                         "pod":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","zz":1},"spec":{},"nope":1}}}
                """
            ),
            duplicates: ["spec.free"]
        )
        #expect(
            decoded.problems == [
                #"duplicate field "spec.free""#, #"unknown field "metadata.odd""#, #"unknown field "spec.free.s.q""#,
                #"unknown field "spec.list[1].b""#,
                #"unknown field "spec.map.k.z""#, #"unknown field "spec.pod.metadata.zz""#,
                #"unknown field "spec.pod.nope""#,
                #"unknown field "top""#,
            ]
        )
        #expect(
            decoded.object.text
                == #"{"apiVersion":"g/v1","kind":"W","metadata":{"labels":{"a":"2","b":"1"},"name":"x"},"spec":{"#
                + #""free":{"s":{},"x":{"y":1}},"list":[{"a":"1"},{"a":"1"}],"map":{"k":{"a":"1"}},"#
                + #""pod":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{}}}}"#
        )
    }

    @Test("metadata of a wrong type does not decode")
    func badMetadata() throws {
        let schema = StructuralSchema(["type": "object"])
        let error = #expect(throws: DecodingError.self) {
            _ = try schema.decode(["metadata": ["labels": ["a": 1]]])
        }
        #expect(error?.message == "json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string")
    }

    @Test("defaults fill in what is missing, and members of default objects too")
    func defaulting() throws {
        let schema = StructuralSchema(
            try json(
                """
                {"type":"object","properties":{"a":{"type":"integer","default":1},"n":{"type":"string","nullable":true,"default":"x"},
                 "o":{"type":"object","default":{},"properties":{"b":{"type":"string","default":"y"}}},
                 "l":{"type":"array","items":{"type":"object","properties":{"c":{"type":"boolean","default":true}}}},
                 "m":{"type":"object","additionalProperties":{"type":"object","properties":{"d":{"type":"integer","default":4}}}}}}
                """
            )
        )
        var object = try json(#"{"a":null,"n":null,"l":[{},{"c":false}],"m":{"k":{}}}"#)
        schema.setDefaults(&object)
        let expected = try json(#"{"a":1,"n":null,"o":{"b":"y"},"l":[{"c":true},{"c":false}],"m":{"k":{"d":4}}}"#)
        #expect(object == expected)
        schema.setDefaults(&object)
        #expect(object == expected)
    }

    /// An openAPIV3Schema and the objections to it.
    static let definitions: [(String, [String])] = [
        (#"{"type":"object","properties":{"spec":{"type":"object"}}}"#, []),
        (
            #"{"properties":{"spec":{}}}"#,
            [
                "S.properties[spec].type: Required value: must not be empty for specified object fields",
                "S.type: Required value: must not be empty at the root",
            ]
        ),
        (#"{"type":"string"}"#, [#"S.type: Invalid value: "string": must be object at the root"#]),
        (
            #"{"type":"object","properties":{"a":{"type":"array"},"b":{"type":"array","items":{}}}}"#,
            [
                "S.properties[a].items: Required value: must be specified",
                "S.properties[b].items.type: Required value: must not be empty for specified array items",
            ]
        ),
        (
            #"{"type":"object","properties":{"a":{"type":"text"}}}"#,
            [
                #"S.properties[a].type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string""#
            ]
        ),
        (
            #"{"type":"object","properties":{"a":{"type":"object","anyOf":[{"type":"object","properties":{"x":{}}}]}}}"#,
            ["S.properties[a].anyOf[0].type: Forbidden: must be empty to be structural"]
        ),
        (
            #"{"type":"object","properties":{"a":{"type":"object","anyOf":[{"properties":{"x":{}}}]}}}"#,
            [
                "S.properties[a].properties[x]: Required value: because it is defined in S.properties[a].anyOf[0].properties[x]"
            ]
        ),
        (
            #"{"type":"object","properties":{"p":{"x-kubernetes-int-or-string":true,"anyOf":[{"type":"integer"},{"type":"string"}]}}}"#,
            []
        ),
        (
            #"{"type":"object","properties":{"p":{"type":"string","pattern":"(?=a)"}}}"#,
            [
                #"S.properties[p].pattern: Invalid value: "(?=a)": must be a valid regular expression, but isn't: error parsing regexp: invalid or unsupported Perl syntax: `(?=`"#
            ]
        ),
        (
            #"{"type":"object","properties":{"m":{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":{"type":"string"}}}}"#,
            [
                "S.properties[m].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive"
            ]
        ),
        (
            ##"{"type":"object","properties":{"r":{"type":"object","$ref":"#/x"}}}"##,
            ["S.properties[r].$ref: Forbidden: $ref is not supported"]
        ),
        (
            #"{"type":"object","properties":{"l":{"type":"array","x-kubernetes-list-type":"map","items":{"type":"object","properties":{"k":{"type":"string"}}},"x-kubernetes-list-map-keys":["k","z"]}}}"#,
            [
                "S.properties[l].items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
                #"S.properties[l].x-kubernetes-list-map-keys: Invalid value: ["k","z"]: entries must all be names of item properties"#,
            ]
        ),
        (
            #"{"type":"object","properties":{"d":{"type":"integer","default":"x"}}}"#,
            [
                #"S.properties[d].default: Invalid value: "string":  in body must be of type integer: "string""#
            ]
        ),
        (
            #"{"type":"object","properties":{"metadata":{"type":"object","properties":{"labels":{"type":"object"}}}}}"#,
            [
                "S.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified"
            ]
        ),
        (
            #"{"type":"object","properties":{"e":{"type":"object","x-kubernetes-embedded-resource":true}}}"#,
            [
                "S.properties[e].properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields"
            ]
        ),
        (
            #"{"type":"object","properties":{"u":{"type":"array","uniqueItems":true,"items":{"type":"string"}}}}"#,
            [
                "S.properties[u].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
            ]
        ),
    ]

    @Test("definitions whose schema is not structural are refused", arguments: definitions)
    func definitionsAreChecked(_ schema: String, _ expected: [String]) throws {
        var errors = FieldErrors()
        DefinitionRules.check(try json(schema), at: "S", &errors)
        #expect(texts(errors) == expected)
    }

    @Test("versions with different schemas are named one by one")
    func severalVersions() throws {
        let spec = try json(
            """
            {"versions":[{"name":"v1","schema":{"openAPIV3Schema":{"type":"object"}}},
                         {"name":"v2","schema":{"openAPIV3Schema":{"type":"string"}}},{"name":"v3"}]}
            """
        )
        var errors = FieldErrors()
        DefinitionRules.checkPresence(spec, &errors)
        DefinitionRules.check(spec, &errors)
        #expect(
            texts(errors) == [
                "spec.versions[2].schema.openAPIV3Schema: Required value",
                #"spec.versions[1].schema.openAPIV3Schema.type: Invalid value: "string": must be object at the root"#,
            ]
        )
    }

    /// The objections recorded from a real server; those of expression rules are out of reach.
    @Test("recorded objections to custom resources are ours too")
    func recordedObjections() throws {
        let steps = try TranscriptTests.steps("custom-resources")
        var schema: StructuralSchema?
        for (number, step) in steps.enumerated() {
            guard let body = step[path: "request", "body"], step[path: "request", "method"] == "POST" else { continue }
            if body["kind"] == "CustomResourceDefinition" {
                if number == 0 {
                    let version = body[path: "spec", "versions"]?[0]
                    schema = version?[path: "schema", "openAPIV3Schema"].map { StructuralSchema($0) }
                }
                var errors = FieldErrors()
                DefinitionRules.check(body["spec"] ?? [:], &errors)
                let isOurs = step[path: "response", "message"]?.string?.contains("openAPIV3Schema") ?? false
                let causes = isOurs ? step[path: "response", "details", "causes"]?.array ?? [] : []
                #expect(texts(errors) == causes.map { "\($0["field"]?.string ?? ""): \($0["message"]?.string ?? "")" })
                continue
            }
            let compiled = try #require(schema)
            var object = try compiled.decode(body).object
            compiled.setDefaults(&object)
            var errors = FieldErrors()
            compiled.validate(object, &errors)
            let recorded = (step[path: "response", "details", "causes"]?.array ?? []).filter {
                $0["message"] != "Invalid value: replicas must not exceed size"
            }
            #expect(
                texts(errors) == recorded.map { "\($0["field"]?.string ?? ""): \($0["message"]?.string ?? "")" },
                "step \(number)"
            )
            if step["status"] == 201 { #expect(object["spec"] == step[path: "response", "spec"], "step \(number)") }
        }
    }
}
