// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

@Suite("field sets")
struct FieldSetTests {
    private func set(_ text: String) throws -> FieldSet { try FieldSet(fieldsV1: try JSON(parsing: text)) }

    @Test func theGoldenTextReadsAndWritesUnchanged() throws {
        let text =
            #"{"f:aaa":{},"k:{\"name\":\"first\"}":{},"k:{\"port\":443,\"protocol\":\"tcp\"}":{},"v:1":{},"v:2":{},"#
            + #""v:\"aa\"":{},"v:true":{},"i:1":{}}"#
        #expect(try set(text).fieldsV1.text == text)
    }

    @Test func anySpellingIsBroughtIntoForm() throws {
        let shuffled =
            #"{"v: 3":{},"k:{ \"protocol\":\"udp\",\"port\":443.0}":{},"f:b":{"f:c":{},".":{}},"f:a":{"q:x":{}}}"#
        let expected = #"{"f:a":{},"f:b":{".":{},"f:c":{}},"k:{\"port\":443,\"protocol\":\"udp\"}":{},"v:3":{}}"#
        #expect(try set(shuffled).fieldsV1.text == expected)
    }

    @Test(arguments: ["{\"f\":{}}", "{\"fa\":{}}", "{\"k:{\":{}}", "{\"i:x\":{}}", "{\"f:a\":3}"])
    func brokenSetsAreRefused(_ text: String) {
        #expect(throws: FieldSetError.self) { try set(text) }
    }

    @Test func owningAPathSaysNothingOfWhatIsBelow() throws {
        let both = try set(#"{"f:a":{".":{},"f:b":{}}}"#)
        let a = try set(#"{"f:a":{}}"#)
        let deep = try set(#"{"f:a":{"f:b":{"f:c":{}}}}"#)
        let below = try set(#"{"f:a":{"f:b":{}}}"#)
        #expect(both.subtracting(a) == below)
        #expect(both.subtractingTrees(a).isEmpty)
        #expect(deep.subtractingTrees(below).isEmpty)
        #expect(both.leaves == below)
        #expect(a.subtracting(below) == a)
        #expect(a.union(below) == both)
        #expect(both.intersection(below) == below)
    }
}
