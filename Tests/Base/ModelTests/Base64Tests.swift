// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Model
import Testing

@Suite("base64")
struct Base64Tests {
    @Test(
        arguments: [
            ("", []), ("QQ==", [0x41]), ("QUI=", [0x41, 0x42]), ("QUJD", [0x41, 0x42, 0x43]),
            ("+/+/", [251, 255, 191]),
            ("Q\r\nQ=\n=", [0x41]), ("QR==", [0x41]),
        ] as [(String, [UInt8])]
    )
    func whatGoTakesIsTaken(_ text: String, _ bytes: [UInt8]) { #expect(Base64.decode(text) == bytes) }

    @Test(arguments: ["QQ", "QQ=", "Q===", "=", "QQ==QQ==", "QUJD=", "Q Q=", "-_-_", "QQ==\t", "Q\u{e4}=="])
    func anythingElseIsNot(_ text: String) { #expect(Base64.decode(text) == nil) }

    @Test func everyLengthComesBack() {
        for length in 0..<300 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 89) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
    }
}

@Suite("errors of other libraries")
struct ErrorWordsTests {
    private struct Strange: Error, CustomStringConvertible {
        let description: String
    }

    @Test func theSystemsWordsAreShownAndNothingElse() {
        let missing = #expect(throws: (any Error).self) { try Data(contentsOf: URL(filePath: "/no/such/file")) }
        #expect(missing.map { ErrorWords.text(of: $0) } == "no such file or directory")
        let below = #expect(throws: (any Error).self) { try Data().write(to: URL(filePath: "/dev/null/x")) }
        #expect(below.map { ErrorWords.text(of: $0) } == "not a directory")
        let refused = Strange(description: "connection reset (error set): Connection refused) (errno: 111)")
        #expect(ErrorWords.text(of: refused) == "connection refused")
        #expect(ErrorWords.text(of: Strange(description: "one\ntwo")) == "one")
        #expect("\(Failure(.fault, "'x' cannot be read", cause: refused))" == "'x' cannot be read: connection refused")
    }
}
