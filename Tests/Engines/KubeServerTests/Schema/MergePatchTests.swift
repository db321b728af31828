// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Testing

@testable import KubeServer

@Suite("merge patch")
struct MergePatchTests {
    /// The examples of RFC 7386's appendix whose patch is an object, and more.
    static let cases: [(String, String, String)] = [
        (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
        (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
        (#"{"a":"b"}"#, #"{"a":null}"#, "{}"),
        (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
        (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
        (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
        (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
        (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#),
        (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#),
        ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
        (#"{"a":[1,2]}"#, #"{"a":{"x":null,"y":[null]}}"#, #"{"a":{"y":[null]}}"#),
    ]

    @Test("follows RFC 7386", arguments: cases)
    func followsTheRFC(_ object: String, _ patch: String, _ result: String) throws {
        #expect(try Patch.apply(.merge, json(patch), to: json(object), schema: nil) == json(result))
    }

    @Test("a patch that is no object is refused")
    func noObject() {
        let error = #expect(throws: PatchError.self) { try Patch.apply(.merge, [1], to: [:], schema: nil) }
        #expect(error?.status.code == 400)
        #expect(
            error?.status.message
                == "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"
        )
    }
}
