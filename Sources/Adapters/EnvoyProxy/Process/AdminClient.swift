// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import NIOCore
import NIOHTTP1
import NIOPosix

/// Asks a running Envoy about itself, through its Unix socket.
struct AdminClient: Sendable {
    let socket: String
    private static let patience: TimeAmount = .seconds(5)
    private static let bodyLimit = 64 << 20

    /// Whether it has read its first configuration and serves.
    func isReady() async -> Bool { (try? await request(.GET, "/ready"))?.status == 200 }

    /// Counters and texts whose names begin with one of the prefixes.
    func statistics(_ prefixes: [String]) async throws -> [String: String] {
        let pattern = prefixes.map { $0.map { $0 == "." ? "%5C." : String($0) }.joined() }.joined(separator: "%7C")
        let answer = try await request(
            .GET,
            "/stats?filter=%5E(\(pattern))%5C.(version_text%7Cupdate_rejected%7Cupdate_failure)$"
        )
        var found: [String: String] = [:]
        for line in answer.body.split(separator: "\n") {
            guard let colon = line.firstRange(of: ": ") else { continue }
            let value = line[colon.upperBound...]
            found[String(line[..<colon.lowerBound])] = String(
                value.hasPrefix("\"") ? value.dropFirst().dropLast() : value
            )
        }
        return found
    }

    /// Lets go of the access log's file and opens it anew.
    func reopenLogs() async throws { _ = try await request(.POST, "/reopen_logs") }

    /// The whole configuration as Envoy holds it, for tests and diagnosis.
    func configuration() async throws -> JSON { try JSON(parsing: try await request(.GET, "/config_dump").body) }

    private typealias Channel = NIOAsyncChannel<HTTPClientResponsePart, HTTPPart<HTTPRequestHead, ByteBuffer>>

    private func request(_ method: HTTPMethod, _ uri: String) async throws -> (status: Int, body: String) {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(Self.patience)
            .connect(unixDomainSocketPath: socket) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(RequestParts())
                    return try Channel(wrappingChannelSynchronously: channel)
                }
            }
        let deadline = channel.channel.eventLoop.scheduleTask(in: Self.patience) { channel.channel.close(promise: nil) }
        defer { deadline.cancel() }
        return try await channel.executeThenClose { inbound, outbound in
            let headers = HTTPHeaders([("host", "envoy"), ("connection", "close"), ("content-length", "0")])
            try await outbound.write(
                .head(HTTPRequestHead(version: .http1_1, method: method, uri: uri, headers: headers))
            )
            try await outbound.write(.end(nil))
            var status = 0
            var body = ByteBuffer()
            for try await part in inbound {
                switch part {
                case .head(let head): status = Int(head.status.code)
                case .body(var more):
                    guard body.readableBytes + more.readableBytes <= Self.bodyLimit else { throw Self.broken }
                    body.writeBuffer(&more)
                case .end: return (status, String(buffer: body))
                }
            }
            throw Self.broken
        }
    }

    private static let broken = Failure(.unavailable, "envoy's admin interface broke off")
}

/// Gives the encoder its own kind of body.
private final class RequestParts: ChannelOutboundHandler {
    typealias OutboundIn = HTTPPart<HTTPRequestHead, ByteBuffer>
    typealias OutboundOut = HTTPClientRequestPart

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part: HTTPClientRequestPart =
            switch unwrapOutboundIn(data) {
            case .head(let head): .head(head)
            case .body(let body): .body(.byteBuffer(body))
            case .end(let trailers): .end(trailers)
            }
        context.write(wrapOutboundOut(part), promise: promise)
    }
}
