// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FlyingFox
import FlyingSocks
import ShopTesting
import Testing

@testable import ShopKit

@Suite("upstream client")
struct UpstreamTests {
    @Test("host names are resolved, and what does not exist is named")
    func names() async throws {
        try await withRunning(Service.forTest("x"), []) { client async throws in
            let local = UpstreamClient(
                url: try ServiceURL("http://localhost:\(client.url.port)"),
                timeout: .seconds(20)
            )
            #expect(try await local.get("/healthz").status == 200)
        }
        let nowhere = UpstreamClient(url: try ServiceURL("http://no.such.host.invalid"), timeout: .seconds(20))
        let error = try await #require(throws: Resolver.Failure.self) { try await nowhere.get("/") }
        #expect("\(error)".hasPrefix("cannot resolve 'no.such.host.invalid': "))
    }

    @Test("a refused connection says so")
    func refused() async throws {
        let client = UpstreamClient(url: try ServiceURL("http://127.0.0.1:1"), timeout: .seconds(20))
        let error = try await #require(throws: UpstreamError.self) { try await client.get("/") }
        #expect("\(error)" == "cannot reach 127.0.0.1:1: Connection refused")
    }

    @Test("a chunked answer of a real server arrives whole")
    func chunked() async throws {
        let text = String(repeating: "0123456789", count: 5000)
        let route = Route("GET", "/big") { _ in
            HTTPResponse(statusCode: .ok, body: HTTPBodySequence(from: Pieces(bytes: Array(text.utf8))))
        }
        try await withRunning(Service.forTest("x"), [route]) { client in
            let answer = try await client.get("/big")
            #expect(answer.headers["transfer-encoding"] == "chunked")
            #expect(answer.text == text)
        }
    }

    @Test("a server that never answers is given up at the deadline")
    func deadline() async throws {
        let (gate, opener) = AsyncStream<Never>.makeStream()
        let stuck = Route("GET", "/") { _ in
            for await _ in gate {}
            return .plain("")
        }
        try await withRunning(Service.forTest("x"), [stuck]) { client in
            let hasty = UpstreamClient(url: client.url, timeout: .milliseconds(50))
            await #expect(throws: DeadlineExceeded.self) { try await hasty.get("/") }
            opener.finish()
        }
    }

    @Test("a session keeps its connection, and opens another when the server has closed it")
    func session() async throws {
        let first = try Service.forTest("x")
        let session = try await withRunning(first, []) { client in
            let session = UpstreamSession(url: client.url, timeout: .seconds(20))
            for _ in 0..<3 {
                let status = try await session.send(UpstreamRequest("GET", "/healthz")).status
                #expect(status == 200)
            }
            return session
        }
        let second = try Service.forTest("x", environment: ["PORT": "\(session.url.port)"])
        try await withRunning(second, []) { _ in
            let status = try await session.send(UpstreamRequest("GET", "/healthz")).status
            #expect(status == 200)
        }
    }

    @Test("header fields cannot be smuggled in")
    func headers() throws {
        let request = UpstreamRequest("GET", "/", headers: [("X-Request-Id", "a\r\nEvil: 1"), ("X-Fine", "b")])
        let text = String(
            decoding: request.encoded(for: try ServiceURL("http://h:81"), keepAlive: false),
            as: UTF8.self
        )
        #expect(text == "GET / HTTP/1.1\r\nHost: h:81\r\nX-Fine: b\r\nConnection: close\r\n\r\n")
    }

    @Test("many calls at once, each over its own connection, all succeed")
    func many() async throws {
        let route = Route("GET", "/n/{n}") { .plain($0.parameters["n"] ?? "") }
        try await withRunning(Service.forTest("x"), [route]) { client in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for n in 0..<300 { group.addTask { try await client.get("/n/\(n)").text == "\(n)" } }
                for try await isRight in group { #expect(isRight) }
            }
        }
    }
}

/// Bytes without a known length, which a server sends in chunks.
private struct Pieces: AsyncBufferedSequence, AsyncBufferedIteratorProtocol {
    typealias Element = UInt8
    var bytes: [UInt8]

    func makeAsyncIterator() -> Pieces { self }

    mutating func next() async throws -> UInt8? {
        try await nextBuffer(suggested: 1)?.first
    }

    mutating func nextBuffer(suggested count: Int) async throws -> [UInt8]? {
        guard !bytes.isEmpty else { return nil }
        defer { bytes = Array(bytes.dropFirst(count)) }
        return Array(bytes.prefix(count))
    }
}
