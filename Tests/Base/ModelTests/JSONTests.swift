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

    @Test("repeated keys are found at any depth, by path")
    func duplicatePaths() throws {
        var parser = JSONParser(#"{"a":[[{"b":1,"b":2}]],"c":{"d":1,"d":{"e":1,"e":2}},"a":0}"#.utf8)
        let value = try parser.parseDocument()
        #expect(parser.duplicates == ["a[0][0].b", "c.d.e", "c.d", "a"])
        #expect(value["a"]?.int == 0 && value[path: "c", "d", "e"]?.int == 2)
        var list = JSONParser(#"[{},{"x":1,"x":1}]"#.utf8)
        _ = try list.parseDocument()
        #expect(list.duplicates == ["[1].x"])
    }

    @Test(
        "an object built from new keys finds each of them, whatever its size",
        arguments: [0, 1, 16, 17, 48, 49, 200]
    )
    func uniqueMembers(_ count: Int) {
        var appended = JSONObject(capacity: count)
        for number in 0..<count { appended.appendUnique("k\(number)", JSON(number)) }
        let whole = JSONObject(unique: (0..<count).map { ("k\($0)", JSON($0)) })
        #expect(appended == whole && appended.keys == whole.keys)
        for number in 0..<count { #expect(appended["k\(number)"]?.int == number && whole["k\(number)"]?.int == number) }
        #expect(appended["none"] == nil)
        let isNew = appended.insert("more", 1)
        let isOld = !appended.insert("more", 2)
        #expect(isNew && isOld && appended["more"] == 2 && appended.count == count + 1)
    }

    @Test(
        "strings are written as they were read",
        arguments: ["", "plain", "q\"b\\s", "tab\tline\n", "\u{1}\u{1f}", "é🙂\u{2028}"]
    )
    func stringRoundTrip(_ text: String) throws {
        #expect(try JSON(parsing: JSON.string(text).bytes) == .string(text))
    }

    @Test("broken strings are refused with their place")
    func brokenStrings() {
        let bad: [([UInt8], JSONError.Reason, Int)] = [
            (Array(#""abc"#.utf8), .unexpectedEnd, 4), ([0x22, 0x61, 0x0A, 0x22], .controlCharacter, 2),
            ([0x22, 0xFF, 0x22], .badUTF8, 1), ([0x22, 0x61, 0xC3, 0x22], .badUTF8, 1),
            (Array(#""a\x""#.utf8), .badEscape, 3),
        ]
        for (bytes, reason, offset) in bad {
            let error = #expect(throws: JSONError.self) { _ = try JSON(parsing: bytes) }
            #expect(error?.reason == reason && error?.offset == offset)
        }
    }
}
