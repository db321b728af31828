// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Hummingbird
import HummingbirdCore
import KubeServer
import Model
import NIOCore
import NIOHTTP1
import NIOPosix
import Ports
import Synchronization
import Testing

@testable import HTTPSurface

@Suite("the first request of a connection")
struct FirstRequestTests {
    /// The example of RFC 6455.
    @Test func theProofIsTheOneOfTheStandard() throws {
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/")
        head.headers = [
            "Connection": "keep-alive, Upgrade", "Upgrade": "WebSocket", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        ]
        #expect(try #require(Handshake(head)).proof == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        for (name, value) in [
            ("Connection", "close"), ("Upgrade", "SPDY/3.1"), ("Sec-WebSocket-Version", "8"), ("Content-Length", "3"),
        ] {
            var other = head
            other.headers.replaceOrAdd(name: name, value: value)
            #expect(Handshake(other) == nil, "\(name): \(value)")
        }
    }

    private struct Echo: ContainerSession {
        func run(_ peer: any SessionPeer) async -> SessionEnd {
            while let bytes = await peer.input() { try? await peer.send(bytes, to: .output) }
            return .exited(code: 7)
        }
    }

    /// Serves a cluster that has one pod, `echo`, while `work` runs.
    private func serving(_ work: @escaping @Sendable (_ port: Int) async throws -> Void) async throws {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let responder = KubernetesResponder(hosts: HostGuard(names: [])) { request in
            APIResponse(status: 418, body: .bytes(Array("\(request.method) \(request.upgrade)".utf8)))
        } connect: { request in
            var options = SessionOptions(container: "c", command: ["cat"])
            (options.hasInput, options.hasOutput) = (true, true)
            guard request.path.hasSuffix("/echo/exec") else {
                return .refused(APIResponse(status: 404, body: .bytes([])))
            }
            return .open(.session(Echo(), options))
        }
        let application = Application(
            responder: responder,
            server: HTTPServerBuilder { UpgradableChannel(responder: $0, gate: responder.gate) },
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in port.yield(channel.localAddress?.port ?? 0) }
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.run() }
            for await port in ports {
                try await work(port)
                break
            }
            group.cancelAll()
        }
    }

    /// Sends bytes and returns all that comes until the server closes or `enough` has come.
    private static func talk(_ port: Int, _ bytes: [UInt8], until enough: String) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(bytes: bytes))
            var text = ""
            for try await buffer in inbound {
                text += String(decoding: buffer.readableBytesView, as: UTF8.self)
                if text.contains(enough) { break }
            }
            return text
        }
    }

    private static func request(_ method: String, _ pod: String, _ headers: String...) -> [UInt8] {
        let lines = ["\(method) /api/v1/namespaces/n/pods/\(pod)/exec HTTP/1.1", "Host: localhost"] + headers
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    private static let handshake = [
        "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: v5.channel.k8s.io",
    ]

    private static func upgrade(_ pod: String) -> [UInt8] {
        request("GET", pod, handshake[0], handshake[1], handshake[2], handshake[3], handshake[4])
    }

    /// A client's message, masked with zeros.
    private static func frame(_ bytes: [UInt8]) -> [UInt8] {
        [0x82, 0x80 | UInt8(bytes.count), 0, 0, 0, 0] + bytes
    }

    @Test func aRequestThatIsNotUpgradedIsAnsweredLikeAnyOther() async throws {
        try await serving { port in
            for (bytes, answer) in [
                (Self.request("GET", "echo"), "GET "), (Self.upgrade("ghost"), "GET websocket"),
                (Self.request("POST", "echo", "Connection: Upgrade", "Upgrade: SPDY/3.1"), "POST SPDY/3.1"),
                (
                    Self.request("POST", "echo", "Connection: Upgrade", "Upgrade: h2c", "Content-Length: 3")
                        + Array("abc".utf8), "POST h2c"
                ),
            ] {
                let text = try await Self.talk(port, bytes, until: answer)
                #expect(text.hasPrefix("HTTP/1.1 418 "), "\(text)")
                #expect(text.contains("Connection: close") == (answer != "GET "), "\(text)")
            }
            let garbage = try await Self.talk(port, Array("what?\r\n\r\n".utf8), until: "\r\n\r\n")
            #expect(garbage.hasPrefix("HTTP/1.1 400 "), "\(garbage)")
            // Two requests in one piece.
            let twice = Self.request("GET", "echo") + Self.request("DELETE", "echo")
            #expect(try await Self.talk(port, twice, until: "DELETE ").contains("GET "))
        }
    }

    @Test func framesThatFollowAtOnceAreNotLost() async throws {
        try await serving { port in
            let words = Self.frame([0] + Array("hello".utf8)) + Self.frame([255, 0])
            let text = try await Self.talk(port, Self.upgrade("echo") + words, until: "\"message\":\"7\"")
            #expect(text.hasPrefix("HTTP/1.1 101 ") && text.contains("Sec-WebSocket-Protocol: v5.channel.k8s.io"))
            #expect(text.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") && text.contains("hello"))
        }
    }
}
