// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Testing

@testable import KubeServer

/// The pod spec's fields stand for all: containers merge by name, ports by number, finalizers as a set, tolerations
/// not at all.
@Suite("strategic merge patch")
struct StrategicMergePatchTests {
    /// Name, pod spec, patch of it, result.
    static let specs: [(String, String, String, String)] = [
        (
            "an element is found by its key and merged", #"{"containers":[{"name":"a","image":"x"},{"name":"b"}]}"#,
            #"{"containers":[{"name":"b","image":"y"}]}"#,
            #"{"containers":[{"name":"a","image":"x"},{"name":"b","image":"y"}]}"#
        ),
        (
            "a new element comes before those the patch does not name", #"{"containers":[{"name":"a"}]}"#,
            #"{"containers":[{"name":"b"}]}"#, #"{"containers":[{"name":"b"},{"name":"a"}]}"#
        ),
        (
            "the patch's order wins over the server's", #"{"containers":[{"name":"a"},{"name":"b"},{"name":"c"}]}"#,
            #"{"containers":[{"name":"c"},{"name":"a"}]}"#,
            #"{"containers":[{"name":"b"},{"name":"c"},{"name":"a"}]}"#
        ),
        (
            "$patch delete removes one element", #"{"containers":[{"name":"a"},{"name":"b"}]}"#,
            #"{"containers":[{"name":"a","$patch":"delete"}]}"#, #"{"containers":[{"name":"b"}]}"#
        ),
        (
            "$patch delete of an element that is not there changes nothing", #"{"containers":[{"name":"a"}]}"#,
            #"{"containers":[{"name":"z","$patch":"delete"}]}"#, #"{"containers":[{"name":"a"}]}"#
        ),
        (
            "$patch replace replaces a list", #"{"containers":[{"name":"a","image":"x"},{"name":"b"}]}"#,
            #"{"containers":[{"name":"a"},{"$patch":"replace"}]}"#, #"{"containers":[{"name":"a"}]}"#
        ),
        (
            "$patch replace replaces an object", #"{"securityContext":{"runAsUser":1,"fsGroup":2}}"#,
            #"{"securityContext":{"runAsUser":3,"$patch":"replace"}}"#, #"{"securityContext":{"runAsUser":3}}"#
        ),
        (
            "$patch delete empties an object", #"{"securityContext":{"runAsUser":1}}"#,
            #"{"securityContext":{"$patch":"delete"}}"#, #"{"securityContext":{}}"#
        ),
        (
            "null removes", #"{"nodeName":"n","dnsPolicy":"None"}"#, #"{"nodeName":null,"hostname":null}"#,
            #"{"dnsPolicy":"None"}"#
        ),
        (
            "nulls and directives do not survive where there was nothing", "{}",
            #"{"securityContext":{"runAsUser":1,"fsGroup":null},"containers":[{"name":"a","env":null},{"name":"b","$patch":"delete"}]}"#,
            #"{"securityContext":{"runAsUser":1},"containers":[{"name":"a"}]}"#
        ),
        (
            "a list without merge strategy is replaced", #"{"tolerations":[{"key":"a"},{"key":"b"}]}"#,
            #"{"tolerations":[{"key":"c"}]}"#, #"{"tolerations":[{"key":"c"}]}"#
        ),
        (
            "a list nested in a merged element merges too",
            #"{"containers":[{"name":"a","env":[{"name":"X","value":"1"},{"name":"Y","value":"2"}]}]}"#,
            #"{"containers":[{"name":"a","env":[{"name":"Y","value":"3"},{"name":"Z","value":"4"}]}]}"#,
            #"{"containers":[{"name":"a","env":[{"name":"X","value":"1"},{"name":"Y","value":"3"},{"name":"Z","value":"4"}]}]}"#
        ),
        (
            "maps merge", #"{"nodeSelector":{"a":"1","b":"2"}}"#, #"{"nodeSelector":{"b":null,"c":"3"}}"#,
            #"{"nodeSelector":{"a":"1","c":"3"}}"#
        ),
        (
            "$retainKeys drops what it does not list", #"{"volumes":[{"name":"v","emptyDir":{}}]}"#,
            #"{"volumes":[{"name":"v","configMap":{"name":"c"},"$retainKeys":["name","configMap"]}]}"#,
            #"{"volumes":[{"name":"v","configMap":{"name":"c"}}]}"#
        ),
        (
            "$setElementOrder alone reorders", #"{"containers":[{"name":"a"},{"name":"b"},{"name":"c"}]}"#,
            ##"{"$setElementOrder/containers":[{"name":"c"},{"name":"b"},{"name":"a"}]}"##,
            #"{"containers":[{"name":"c"},{"name":"b"},{"name":"a"}]}"#
        ),
        (
            "$setElementOrder leaves the server's own elements about where they were",
            #"{"containers":[{"name":"a"},{"name":"side"},{"name":"b"}]}"#,
            ##"{"$setElementOrder/containers":[{"name":"a"},{"name":"b"}],"containers":[{"name":"b","image":"i"}]}"##,
            #"{"containers":[{"name":"a"},{"name":"side"},{"name":"b","image":"i"}]}"#
        ),
        (
            "$setElementOrder of a field that neither side has is nothing", #"{"nodeName":"n"}"#,
            ##"{"$setElementOrder/volumes":[{"name":"v"}]}"##, #"{"nodeName":"n"}"#
        ),
        (
            "kubectl apply's removal of one element and change of another",
            #"{"containers":[{"name":"a","ports":[{"containerPort":80},{"containerPort":81}]}]}"#,
            ##"{"$setElementOrder/containers":[{"name":"a"}],"containers":[{"name":"a","$setElementOrder/ports":[{"containerPort":82},{"containerPort":81}],"ports":[{"containerPort":82},{"$patch":"delete","containerPort":80}]}]}"##,
            #"{"containers":[{"name":"a","ports":[{"containerPort":82},{"containerPort":81}]}]}"#
        ),
        (
            "a value of another kind replaces", #"{"securityContext":"odd"}"#,
            #"{"securityContext":{"runAsUser":1}}"#, #"{"securityContext":{"runAsUser":1}}"#
        ),
    ]

    @Test("pod specs", arguments: specs)
    func podSpecs(_ name: String, _ object: String, _ patch: String, _ result: String) throws {
        let schema = try #require(try builtIn("", "v1", "Pod").member("spec"))
        let patched = try Patch.apply(.strategicMerge, json(patch), to: json(object), schema: schema)
        #expect(patched == (try json(result)), "\(name)")
    }

    /// Name, finalizers, patch of the metadata, finalizers after it.
    static let primitives: [(String, String, String, String)] = [
        ("a set takes what is new", #"["a"]"#, #"{"finalizers":["b"]}"#, #"["b","a"]"#),
        ("a set keeps one of each", #"["a","b"]"#, #"{"finalizers":["b","b","c"]}"#, #"["a","b","c"]"#),
        (
            "plain values are removed by a list of them", #"["a","b"]"#,
            ##"{"$deleteFromPrimitiveList/finalizers":["a"]}"##, #"["b"]"#
        ),
        (
            "removal, addition and order at once", #"["a","b","c"]"#,
            ##"{"$deleteFromPrimitiveList/finalizers":["a"],"$setElementOrder/finalizers":["c","d","b"],"finalizers":["d"]}"##,
            #"["c","d","b"]"#
        ),
    ]

    @Test("finalizers", arguments: primitives)
    func finalizers(_ name: String, _ before: String, _ patch: String, _ after: String) throws {
        let schema = try #require(try builtIn("", "v1", "Pod").member("metadata"))
        let patched = try Patch.apply(
            .strategicMerge,
            json(patch),
            to: ["finalizers": json(before)],
            schema: schema
        )
        #expect(patched == ["finalizers": try json(after)], "\(name)")
    }

    /// Pod spec, patch, status, message.
    static let bad: [(String, String, Int, String)] = [
        (
            #"{"containers":[{"name":"a"}]}"#, #"{"containers":[{"image":"nokey"}]}"#, 500,
            "map: map[image:nokey] does not contain declared merge key: name"
        ),
        (
            #"{"containers":[{"name":"a"}]}"#, #"{"containers":[{"name":"a","$patch":"frob"}]}"#, 500,
            "unknown patch type: frob in map: map[$patch:frob name:a]"
        ),
        (
            #"{"containers":[{"name":"a"}]}"#, #"{"containers":[["a"]]}"#, 422,
            "the server rejected our request due to an error in our request"
        ),
        ("{}", ##"{"$setElementOrder":[]}"##, 400, "invalid patch format of setElementOrder list"),
        ("{}", ##"{"$deleteFromPrimitiveList":["x"]}"##, 400, "invalid patch format of primitive list"),
        (#"{"a":1}"#, #"{"$retainKeys":"a"}"#, 400, "invalid patch format of retainKeys"),
        (#"{"a":1}"#, #"{"$retainKeys":["a"],"b":1}"#, 400, "invalid patch format of retainKeys"),
        (
            #"{"containers":[{"name":"a"},{"name":"b"}]}"#,
            ##"{"$setElementOrder/containers":[{"name":"a"}],"containers":[{"name":"b"}]}"##, 500,
            "The order in patch list:\n[map[name:b]]\n doesn't match $setElementOrder list:\n[map[name:a]]\n"
        ),
        ("{}", "[]", 400, "json: cannot unmarshal array into Go value of type map[string]interface {}"),
    ]

    @Test("malformed patches get the real server's answer", arguments: bad)
    func malformed(_ object: String, _ patch: String, _ code: Int, _ message: String) throws {
        let schema = try #require(try builtIn("", "v1", "Pod").member("spec"))
        let (patch, object) = (try json(patch), try json(object))
        let error = #expect(throws: PatchError.self) {
            try Patch.apply(.strategicMerge, patch, to: object, schema: schema)
        }
        #expect(error?.status.code == code)
        #expect(error?.status.message == message)
    }

    @Test("custom resources have no strategic merge patch")
    func noSchema() {
        let error = #expect(throws: PatchError.self) { try Patch.apply(.strategicMerge, [:], to: [:], schema: nil) }
        #expect(error?.status.code == 415)
        #expect(error?.status.reason == "UnsupportedMediaType")
    }

    @Test("a deployment's strategy changes as kubectl rollout and apply send it")
    func strategy() throws {
        let schema = try #require(try builtIn("apps", "v1", "Deployment").member("spec"))
        let before = try json(#"{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}}}"#)
        let patch = try json(#"{"strategy":{"$retainKeys":["type"],"type":"Recreate"}}"#)
        let after = try Patch.apply(.strategicMerge, patch, to: before, schema: schema)
        #expect(after == ["strategy": ["type": "Recreate"]])
    }
}
