// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Testing

@testable import ShopKit

@Suite("response parser")
struct ResponseParserTests {
    private static let answers: [(String, Int, String)] = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"),
        ("HTTP/1.1 404 \r\ncontent-length: 0\r\n\r\n", 404, ""),
        ("HTTP/1.1 200\r\nContent-Length:2\r\n\r\nok", 200, "ok"),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=1\r\n world\r\n0\r\n\r\n", 200,
            "hello world"
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n0\r\nTrailer: yes\r\n\r\n", 200,
            "0123456789"
        ),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\n!", 201, "!"),
        ("HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 200, "ok"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok", 200, "ok"),
    ]

    @Test("an answer is the same in one piece and byte by byte", arguments: answers)
    func pieces(_ text: String, _ status: Int, _ body: String) throws {
        var whole = ResponseParser()
        try whole.consume(text.utf8)
        var bytewise = ResponseParser()
        for (offset, byte) in text.utf8.enumerated() {
            #expect(bytewise.complete == nil, "complete after only \(offset) bytes")
            try bytewise.consume([byte])
        }
        let answer = try #require(whole.complete)
        #expect(bytewise.complete == answer)
        #expect(answer.status == status)
        #expect(String(decoding: answer.body, as: UTF8.self) == body)
        #expect(whole.isReusable)
    }

    @Test("an answer cut off anywhere is an error, not a shorter answer", arguments: answers)
    func cutOff(_ text: String, _ status: Int, _ body: String) throws {
        for length in 0..<text.utf8.count {
            var parser = ResponseParser()
            try parser.consume(text.utf8.prefix(length))
            #expect(throws: ResponseParser.Malformed.self, "cut at \(length)") { try parser.end() }
        }
    }

    @Test("without a length the body ends with the connection")
    func untilClose() throws {
        var parser = ResponseParser()
        try parser.consume("HTTP/1.0 200 OK\r\nServer: x\r\n\r\nsome".utf8)
        try parser.consume(" text".utf8)
        #expect(parser.complete == nil)
        try parser.end()
        #expect(parser.complete?.body == Array("some text".utf8))
        #expect(!parser.isReusable)
    }

    @Test("the answer to HEAD has no body, whatever its length says")
    func head() throws {
        var parser = ResponseParser(isHead: true)
        try parser.consume("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n".utf8)
        #expect(parser.complete?.status == 200)
    }

    @Test(
        "a connection is not used again when either side has said so, or bytes are left",
        arguments: [
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1",
        ]
    )
    func notReusable(_ text: String) throws {
        var parser = ResponseParser()
        try parser.consume(text.utf8)
        #expect(parser.complete != nil)
        #expect(!parser.isReusable)
    }

    @Test(
        "nonsense is refused",
        arguments: [
            "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 999 Odd\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        ]
    )
    func nonsense(_ text: String) {
        var parser = ResponseParser()
        #expect(throws: ResponseParser.Malformed.self) { try parser.consume(text.utf8) }
    }

    @Test("head, body and lines have limits")
    func limits() {
        var head = ResponseParser()
        #expect(throws: ResponseParser.Malformed.self) {
            try head.consume(("HTTP/1.1 200 OK\r\nX: " + String(repeating: "a", count: 70_000)).utf8)
        }
        for framing in ["Content-Length: 11\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\nB\r\n", "\r\n"] {
            var body = ResponseParser(bodyLimit: 10)
            #expect(throws: ResponseParser.Malformed.self) {
                try body.consume("HTTP/1.1 200 OK\r\n\(framing)01234567890".utf8)
            }
        }
    }
}
