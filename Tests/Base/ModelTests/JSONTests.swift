// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@Suite("JSON")
struct JSONTests {
    @Test func keepsKeyOrderAndNumberText() throws {
        let text = #"{"z":1.50,"a":[true,null,"é\n"],"m":{"x":1e3}}"#
        #expect(try JSON(parsing: text).text == text)
    }

    @Test func objectsAreEqualWhateverTheKeyOrder() throws {
        #expect(try JSON(parsing: #"{"a":1,"b":2}"#) == JSON(parsing: #"{"b":2.0,"a":1}"#))
    }

    @Test func surrogatePairsAreJoined() throws {
        #expect(try JSON(parsing: #""\ud83d\ude00\ud83d""#).string == "😀\u{FFFD}")
    }

    @Test(arguments: ["", "{", "[1,]", "{\"a\" 1}", "01", "1.", "\"\u{1}\"", "nul", "[1] 2", "\"\\x\"", "-"])
    func refusesWhatIsNoJSON(_ text: String) {
        #expect(throws: JSONError.self) { try JSON(parsing: text) }
    }

    @Test func deepNestingIsRefusedInsteadOfOverflowingTheStack() {
        #expect(throws: JSONError.self) { try JSON(parsing: String(repeating: "[", count: 100_000)) }
    }

    @Test func repeatedKeysAreReportedByPath() throws {
        var parser = JSONParser(#"{"spec":{"a":1,"list":[{"b":1,"b":2}],"a":3}}"#.utf8)
        let value = try parser.parseDocument()
        #expect(parser.duplicates == ["spec.list[0].b", "spec.a"])
        #expect(value["spec"]?["a"]?.int == 3)
    }

    @Test func nestedMembersCanBeSetAndRemoved() {
        var value: JSON = [:]
        value.set("x", at: ["a", "b", "c"])
        #expect(value.text == #"{"a":{"b":{"c":"x"}}}"#)
        value.set(nil, at: ["a", "b", "c"])
        #expect(value.text == #"{"a":{"b":{}}}"#)
        value["a"]?["b"]?["d"] = 1
        #expect(value[path: "a", "b", "d"]?.int == 1)
    }

    @Test func largeObjectsKeepOrderThroughRemoval() {
        var object = JSONObject((0..<40).map { ("k\($0)", JSON($0)) })
        object["k3"] = nil
        #expect(object.count == 39 && object["k3"] == nil && object["k39"]?.int == 39)
        #expect(object.keys.first == "k0" && object.keys.last == "k39")
    }
}
