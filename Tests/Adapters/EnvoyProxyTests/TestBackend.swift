// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

@testable import EnvoyProxy

/// A pod's stand-in: answers every request with its name and what it was asked, and upgrades with an echo.
final class TestBackend: Sendable {
    let name: String
    let port: Int
    private let channel: any Channel
    private let clients: Clients

    /// `delay`: how long each answer takes.
    init(_ name: String, address: String, delay: TimeAmount = .zero) async throws {
        self.name = name
        let clients = Clients()
        self.clients = clients
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: 512)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Answer(name, delay))
                    clients.list.withLock { $0.append(channel) }
                }
            }
            .bind(host: address, port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    func close() async { try? await channel.close() }

    /// Ends as a process does that is told to end and obeys at once: whatever is under way breaks off.
    func die() async {
        await close()
        for client in clients.list.withLock({ $0 }) { try? await client.close() }
    }

    private final class Clients: Sendable {
        let list = Mutex<[any Channel]>([])
    }

    private final class Answer: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        private let name: String
        private let delay: TimeAmount
        private var head: HTTPRequestHead?
        private var received = 0

        init(_ name: String, _ delay: TimeAmount) {
            self.name = name
            self.delay = delay
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                received = 0
            case .body(let more): received += more.readableBytes
            case .end:
                guard let head else { return }
                guard delay > .zero else { return answer(context, head) }
                let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
                context.eventLoop.scheduleTask(in: delay) { bound.value.0.answer(bound.value.1, head) }
            }
        }

        /// What it was asked; or as many bytes as the path `/bytes/N` asks for.
        private func answer(_ context: ChannelHandlerContext, _ head: HTTPRequestHead) {
            let seen = head.headers.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
            var body = ByteBuffer(string: "\(name)\n\(head.method) \(head.uri)\n\(seen)\nreceived \(received)\n")
            if head.uri.hasPrefix("/bytes/"), let count = Int(head.uri.dropFirst(7)) {
                body = ByteBuffer(repeating: UInt8(ascii: "x"), count: count)
            }
            let headers = HTTPHeaders([("content-length", "\(body.readableBytes)")])
            context.write(
                wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .ok, headers: headers))),
                promise: nil
            )
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}

/// A connection on which bytes go out and come back.
struct TestConnection {
    private typealias Bytes = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    struct Reply: Sendable {
        var status: Int
        var body: String
    }

    /// One request on a connection of its own.
    static func get(_ url: String, at address: String, _ port: Int, headers: String = "") async throws -> Reply {
        try await get([url], at: address, port, headers: headers)[0]
    }

    /// Requests one after the other on one connection; `next` gives each until it gives none.
    static func get(_ urls: [String], at address: String, _ port: Int, headers: String = "") async throws -> [Reply] {
        var left = urls.makeIterator()
        var replies: [Reply] = []
        try await keepAsking(at: address, port, headers: headers, next: { left.next() }, take: { replies.append($0) })
        return replies
    }

    static func keepAsking(
        at address: String,
        _ port: Int,
        headers: String = "",
        next: () async -> String?,
        take: (Reply) async -> Void
    ) async throws {
        let channel = try await connect(address, port)
        try await channel.executeThenClose { inbound, outbound in
            var buffer = ByteBuffer()
            var chunks = inbound.makeAsyncIterator()
            while let url = await next() {
                let (host, path) = split(url)
                try await outbound.write(ByteBuffer(string: "GET \(path) HTTP/1.1\r\nHost: \(host)\r\n\(headers)\r\n"))
                var reply = parse(&buffer)
                while reply == nil {
                    guard let chunk = try await chunks.next() else { throw ChannelError.eof }
                    buffer.writeImmutableBuffer(chunk)
                    reply = parse(&buffer)
                }
                if let reply { await take(reply) }
            }
        }
    }

    /// Sends the pieces, each after as many bytes as asked for have come, and returns all that came.
    static func exchange(_ pieces: [(send: String, until: String)], at address: String, _ port: Int) async throws
        -> String
    {
        let channel = try await connect(address, port)
        return try await channel.executeThenClose { inbound, outbound in
            var all = ""
            var chunks = inbound.makeAsyncIterator()
            for piece in pieces {
                try await outbound.write(ByteBuffer(string: piece.send))
                while !all.hasSuffix(piece.until) {
                    guard let chunk = try await chunks.next() else { return all }
                    all += String(buffer: chunk)
                }
            }
            return all
        }
    }

    private static func connect(_ address: String, _ port: Int) async throws -> Bytes {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connectTimeout(.seconds(5))
            .connect(host: address, port: port) { channel in
                channel.eventLoop.makeCompletedFuture { try Bytes(wrappingChannelSynchronously: channel) }
            }
    }

    /// `host/path`.
    private static func split(_ url: String) -> (host: String, path: String) {
        guard let slash = url.firstIndex(of: "/") else { return (url, "/") }
        return (String(url[..<slash]), String(url[slash...]))
    }

    private static func parse(_ buffer: inout ByteBuffer) -> Reply? {
        let text = String(buffer: buffer)
        guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
        let lines = text[..<end.lowerBound].split(separator: "\r\n")
        let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        let length =
            lines.first { $0.lowercased().hasPrefix("content-length:") }?.split(separator: " ").last.flatMap { Int($0) }
            ?? 0
        let headSize = text[..<end.upperBound].utf8.count
        guard buffer.readableBytes >= headSize + length else { return nil }
        buffer.moveReaderIndex(forwardBy: headSize)
        return Reply(status: status, body: buffer.readString(length: length) ?? "")
    }
}
