// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

@Suite("rules of custom resources")
struct ValidationRuleTests {
    private static let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    private static let gears = "/apis/t.example.com/v1/namespaces/default/gears"

    private func define(_ test: TestServer, spec: JSON, root: JSON? = nil) async -> APIResponse {
        var schema: JSON = ["type": "object", "properties": ["spec": spec]]
        if let root { schema["x-kubernetes-validations"] = root }
        return await test.send(
            "POST",
            Self.definitions,
            [
                "metadata": ["name": "gears.t.example.com"],
                "spec": [
                    "group": "t.example.com", "scope": "Namespaced", "names": ["plural": "gears", "kind": "Gear"],
                    "versions": [
                        ["name": "v1", "served": true, "storage": true, "schema": ["openAPIV3Schema": schema]]
                    ],
                ],
            ]
        )
    }

    private func create(_ test: TestServer, _ name: String, _ spec: JSON) async -> APIResponse {
        let gear: JSON = [
            "apiVersion": "t.example.com/v1", "kind": "Gear", "metadata": ["name": .string(name)], "spec": spec,
        ]
        return await test.send("POST", Self.gears, gear)
    }

    private func patch(_ test: TestServer, _ name: String, _ spec: JSON) async -> APIResponse {
        await test.send("PATCH", "\(Self.gears)/\(name)", ["spec": spec], contentType: "application/merge-patch+json")
    }

    private static let size: JSON = ["type": "integer"]

    @Test("an object that breaks a rule is refused with the rule's words, its place and its reason")
    func refused() async throws {
        let test = try await TestServer()
        let spec: JSON = [
            "type": "object",
            "properties": [
                "size": Self.size, "least": Self.size,
                "tags": [
                    "type": "array", "maxItems": 9,
                    "items": [
                        "type": "string", "maxLength": 20,
                        "x-kubernetes-validations": [
                            ["rule": "self.startsWith('t-')", "message": "must begin with t-"]
                        ],
                    ],
                ],
            ],
            "x-kubernetes-validations": [
                ["rule": "self.least <= self.size", "message": "too small"],
                [
                    "rule": "self.size != 13", "messageExpression": "'no ' + string(self.size) + ' here'",
                    "reason": "FieldValueForbidden", "fieldPath": ".size",
                ],
            ],
        ]
        #expect(await define(test, spec: spec).status == 201)
        #expect(await create(test, "good", ["size": 3, "least": 1, "tags": ["t-a"]]).status == 201)
        let bad = await create(test, "bad", ["size": 13, "least": 14, "tags": ["t-a", "b"]])
        #expect(bad.status == 422)
        #expect(
            bad.message
                == "Gear.t.example.com \"bad\" is invalid: [spec: Invalid value: too small, spec.size: Forbidden: "
                + "no 13 here, spec.tags[1]: Invalid value: \"b\": must begin with t-]"
        )
        let absent = await create(test, "absent", ["size": 1])
        #expect(
            absent.message
                == "Gear.t.example.com \"absent\" is invalid: spec: Invalid value: \"object\": no such key: least "
                + "evaluating rule: too small"
        )
    }

    @Test("rules on changes see the old value, and do not speak of new objects")
    func transitions() async throws {
        let test = try await TestServer()
        let spec: JSON = [
            "type": "object", "properties": ["size": Self.size],
            "x-kubernetes-validations": [["rule": "self.size >= oldSelf.size", "message": "may only grow"]],
        ]
        #expect(await define(test, spec: spec).status == 201)
        #expect(await create(test, "a", ["size": 3]).status == 201)
        #expect(await patch(test, "a", ["size": 4]).status == 200)
        let refused = await patch(test, "a", ["size": 2])
        #expect(refused.message == "Gear.t.example.com \"a\" is invalid: spec: Invalid value: may only grow")
    }

    @Test("the root's rules see type and name; what an update leaves alone is a warning only")
    func rootAndRatchet() async throws {
        let test = try await TestServer()
        let spec: JSON = [
            "type": "object",
            "properties": [
                "note": ["type": "string"],
                "size": [
                    "type": "integer",
                    "x-kubernetes-validations": [["rule": "self % 2 == 0", "message": "must be even"]],
                ],
            ],
        ]
        let root: JSON = [["rule": "self.kind == 'Gear' && self.metadata.name != 'x'", "message": "bad name"]]
        var old = spec
        old.set(nil, at: ["properties", "size", "x-kubernetes-validations"])
        #expect(await define(test, spec: old, root: root).status == 201)
        let named = await create(test, "x", [:])
        #expect(named.message == "Gear.t.example.com \"x\" is invalid: <nil>: Invalid value: bad name")
        #expect(await create(test, "a", ["size": 3]).status == 201)
        let change: JSON = [
            "op": "add", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec", "value": spec,
        ]
        let changed = await test.send(
            "PATCH",
            "\(Self.definitions)/gears.t.example.com",
            [change],
            contentType: "application/json-patch+json"
        )
        #expect(changed.status == 200)
        let untouched = await patch(test, "a", ["note": "n"])
        #expect(untouched.status == 200)
        #expect(untouched.warnings == ["spec.size: Invalid value: 3: must be even"])
        #expect(await patch(test, "a", ["size": 5]).status == 422)
        #expect(await patch(test, "a", ["size": 6]).status == 200)
    }

    @Test("a definition whose rule cannot be right is refused; one that this server does not know brings a warning")
    func definitions() async throws {
        let test = try await TestServer()
        func spec(_ rule: JSON) -> JSON {
            ["type": "object", "properties": ["size": Self.size], "x-kubernetes-validations": [rule]]
        }
        let at = "spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[0]"
        let unknown = await define(test, spec: spec(["rule": "self.sice > 1"]))
        #expect(unknown.status == 422)
        #expect(unknown.message.contains("\(at).rule: Invalid value: {\"Rule\":\"self.sice > 1\""))
        #expect(unknown.message.contains("compilation failed: ERROR: <input>:1:5: undefined field 'sice'"))
        let number = await define(test, spec: spec(["rule": "self.size"]))
        #expect(number.message.hasSuffix("cel expression must evaluate to a bool"))
        let empty = await define(test, spec: spec(["rule": " "]))
        #expect(empty.message.hasSuffix("\(at).rule: Required value: rule is not specified"))
        let reason = await define(test, spec: spec(["rule": "true", "reason": "Odd"]))
        #expect(reason.message.contains("\(at).reason: Unsupported value: \"Odd\""))
        let path = await define(test, spec: spec(["rule": "true", "fieldPath": ".sice"]))
        #expect(path.message.hasSuffix("\(at).fieldPath: Invalid value: \".sice\": must be a valid path"))
        let warned = await define(test, spec: spec(["rule": "isURL(string(self.size))"]))
        #expect(warned.status == 201)
        #expect(
            warned.warnings == [
                "spec.versions[0].schema.openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule: this server does "
                    + "not know the function 'isURL'; the rule is stored and not evaluated"
            ]
        )
        #expect(await create(test, "a", ["size": 1]).status == 201)
    }
}
