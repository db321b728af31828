// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Testing

@testable import KubeServer

@Suite("JSON patch")
struct JSONPatchTests {
    /// Object, patch, result.
    static let good: [(String, String, String)] = [
        (#"{"a":1}"#, #"[{"op":"add","path":"/b","value":2}]"#, #"{"a":1,"b":2}"#),
        (#"{"a":1}"#, #"[{"op":"add","path":"/a","value":{"x":[]}}]"#, #"{"a":{"x":[]}}"#),
        (#"{"a":[1,3]}"#, #"[{"op":"add","path":"/a/1","value":2}]"#, #"{"a":[1,2,3]}"#),
        (#"{"a":[1]}"#, #"[{"op":"add","path":"/a/-","value":2}]"#, #"{"a":[1,2]}"#),
        (#"{"a":[1]}"#, #"[{"op":"add","path":"/a/1","value":2}]"#, #"{"a":[1,2]}"#),
        (#"{"a":[1,2]}"#, #"[{"op":"add","path":"/a/-1","value":3}]"#, #"{"a":[1,2,3]}"#),
        (#"{"a":[1,2]}"#, #"[{"op":"remove","path":"/a/-1"}]"#, #"{"a":[1]}"#),
        (#"{"a":{"b":1,"c":2}}"#, #"[{"op":"remove","path":"/a/b"}]"#, #"{"a":{"c":2}}"#),
        (#"{"a":[1,2,3]}"#, #"[{"op":"remove","path":"/a/1"}]"#, #"{"a":[1,3]}"#),
        (#"{"a":1}"#, #"[{"op":"replace","path":"/a","value":null}]"#, #"{"a":null}"#),
        (#"{"a":[{"n":1}]}"#, #"[{"op":"replace","path":"/a/0/n","value":"x"}]"#, #"{"a":[{"n":"x"}]}"#),
        (#"{"a":1}"#, #"[{"op":"replace","path":"","value":{"z":1}}]"#, #"{"z":1}"#),
        (#"{"a":{"b":1}}"#, #"[{"op":"move","from":"/a/b","path":"/c"}]"#, #"{"a":{},"c":1}"#),
        (#"{"a":[1,2,3]}"#, #"[{"op":"move","from":"/a/0","path":"/a/2"}]"#, #"{"a":[2,3,1]}"#),
        (#"{"a":{"b":[1]}}"#, #"[{"op":"copy","from":"/a","path":"/c"}]"#, #"{"a":{"b":[1]},"c":{"b":[1]}}"#),
        (#"{"a":1.0}"#, #"[{"op":"test","path":"/a","value":1}]"#, #"{"a":1}"#),
        (#"{"a":{"x":1,"y":2}}"#, #"[{"op":"test","path":"/a","value":{"y":2,"x":1}}]"#, #"{"a":{"x":1,"y":2}}"#),
        (#"{"a":1}"#, #"[{"op":"test","path":"/b"}]"#, #"{"a":1}"#),
        // As the real server does it: what is not there is added, what nothing is copied from is nothing.
        (#"{"a":1}"#, #"[{"op":"replace","path":"/b","value":1}]"#, #"{"a":1,"b":1}"#),
        (#"{"a":1}"#, #"[{"op":"copy","from":"/x","path":"/y"}]"#, #"{"a":1,"y":null}"#),
        (#"{"a":1}"#, #"[{"op":"add","path":"/y"}]"#, #"{"a":1,"y":null}"#),
        (
            #"{"a/b":1,"m~n":2,"~1":3}"#, #"[{"op":"remove","path":"/a~1b"},{"op":"remove","path":"/m~0n"}]"#,
            #"{"~1":3}"#
        ),
        (#"{"~1":3,"/":4}"#, #"[{"op":"remove","path":"/~01"}]"#, #"{"/":4}"#),
        (#"{"":{"":1}}"#, #"[{"op":"replace","path":"//","value":2}]"#, #"{"":{"":2}}"#),
        (#"{"a":1}"#, "[]", #"{"a":1}"#),
    ]

    @Test("applies every operation", arguments: good)
    func appliesEveryOperation(_ object: String, _ patch: String, _ result: String) throws {
        #expect(try Patch.apply(.json, json(patch), to: json(object), schema: nil) == json(result))
    }

    /// Object, patch, status.
    static let bad: [(String, String, Int)] = [
        (#"{"a":1}"#, #"[{"op":"test","path":"/a","value":2}]"#, 422),
        (#"{"a":1}"#, #"[{"op":"remove","path":"/b"}]"#, 422),
        (#"{"a":1}"#, #"[{"op":"test","path":"/b","value":null}]"#, 422),
        (#"{"a":[1]}"#, #"[{"op":"replace","path":"/a/1","value":1}]"#, 422),
        (#"{"a":1}"#, #"[{"op":"add","path":"/b/c","value":1}]"#, 422),
        (#"{"a":[1]}"#, #"[{"op":"add","path":"/a/3","value":1}]"#, 422),
        (#"{"a":[1]}"#, #"[{"op":"add","path":"/a/x","value":1}]"#, 422),
        (#"{"a":[1]}"#, #"[{"op":"add","path":"/a/00","value":1}]"#, 422),
        (#"{"a":[1]}"#, #"[{"op":"remove","path":"/a/-"}]"#, 422),
        (#"{"a":[1]}"#, #"[{"op":"remove","path":"/a/-2"}]"#, 422),
        (#"{"a":{"b":1}}"#, #"[{"op":"move","from":"/a","path":"/a/b"}]"#, 422),
        (#"{"a":1}"#, #"[{"op":"copy","from":"/x/z","path":"/y"}]"#, 422),
        (#"{"a":1}"#, #"[{"op":"frob","path":"/y"}]"#, 422),
        (#"{"a":1}"#, #"[{"op":"add","path":"","value":{}}]"#, 422),
        (#"{"a":1}"#, #"[{"op":"add","value":1}]"#, 422),
        (#"{"a":1}"#, #"[{"op":"add","path":"y","value":1}]"#, 422),
        (#"{"a":1}"#, #"[{"op":"remove","path":""}]"#, 422),
        (#"{"a":1}"#, #"{"op":"add"}"#, 400),
        (#"{"a":1}"#, "[1]", 400),
    ]

    @Test("refuses what does not fit, with the server's status", arguments: bad)
    func refusesWhatDoesNotFit(_ object: String, _ patch: String, _ code: Int) throws {
        let (patch, object) = (try json(patch), try json(object))
        let error = #expect(throws: PatchError.self) { try Patch.apply(.json, patch, to: object, schema: nil) }
        #expect(error?.status.code == code)
    }

    @Test("a refused patch says only the general sentence, as the real server does")
    func generalSentence() throws {
        let patch = try json(#"[{"op":"test","path":"/a","value":2}]"#)
        let error = #expect(throws: PatchError.self) { try Patch.apply(.json, patch, to: ["a": 1], schema: nil) }
        #expect(error?.status.message == "the server rejected our request due to an error in our request")
        #expect(error?.status.reason == "Invalid")
        #expect(error?.detail == "testing value /a failed")
    }

    @Test("more than ten thousand operations are too large")
    func operationLimit() {
        let operation: JSON = ["op": "test", "path": "/a", "value": 1]
        let patch = JSON.array(Array(repeating: operation, count: 10_001))
        let error = #expect(throws: PatchError.self) { try Patch.apply(.json, patch, to: ["a": 1], schema: nil) }
        #expect(error?.status.code == 413)
        #expect(
            error?.status.message
                == "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001"
        )
    }

    @Test("copies that double the object again and again are stopped")
    func copyLimit() {
        let copy: JSON = ["op": "copy", "from": "/a", "path": "/a/-"]
        let patch = JSON.array(Array(repeating: copy, count: 60))
        let error = #expect(throws: PatchError.self) {
            try Patch.apply(.json, patch, to: ["a": ["0123456789"]], schema: nil)
        }
        #expect(error?.status.code == 422)
    }
}
