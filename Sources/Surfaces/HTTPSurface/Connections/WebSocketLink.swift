// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import NIOCore
import NIOWebSocket

/// One WebSocket as whole messages: puts fragments together, answers pings and farewells.
final class WebSocketLink: Sendable {
    typealias Frames = NIOAsyncChannel<WebSocketFrame, WebSocketFrame>
    typealias Inbound = NIOAsyncChannelInboundStream<WebSocketFrame>

    /// In bytes; what the real server accepts of one message.
    static let messageLimit = 32 << 20

    private let channel: any Channel
    private let outbound: NIOAsyncChannelOutboundWriter<WebSocketFrame>

    init(_ channel: any Channel, _ outbound: NIOAsyncChannelOutboundWriter<WebSocketFrame>) {
        self.channel = channel
        self.outbound = outbound
    }

    /// Returns when there is room for more; throws when the client has gone.
    func send(_ message: [UInt8], isText: Bool = false) async throws {
        let frame = WebSocketFrame(fin: true, opcode: isText ? .text : .binary, data: ByteBuffer(bytes: message))
        try await outbound.write(frame)
    }

    /// A pong that nobody asked for: clients that hear one know that the connection lives.
    func sendSignOfLife() async throws {
        try await outbound.write(WebSocketFrame(fin: true, opcode: .pong, data: ByteBuffer()))
    }

    /// Says farewell; all that was sent has reached the kernel when this returns.
    func close(_ code: WebSocketErrorCode) async {
        var data = ByteBuffer()
        data.write(webSocketErrorCode: code)
        let frame = WebSocketFrame(fin: true, opcode: .connectionClose, data: data)
        try? await channel.writeAndFlush(frame)
    }

    /// Hands each message to `take`, until the client says farewell or leaves without one.
    func read(
        _ inbound: Inbound,
        _ take: ([UInt8]) async throws -> Void
    ) async throws {
        var message: [UInt8] = []
        for try await frame in inbound {
            let data = frame.unmaskedData
            switch frame.opcode {
            case .ping: try await outbound.write(WebSocketFrame(fin: true, opcode: .pong, data: data))
            case .connectionClose: return await answer(data)
            case .text, .binary, .continuation:
                guard message.count + data.readableBytes <= Self.messageLimit else {
                    return await close(.messageTooLarge)
                }
                message.append(contentsOf: data.readableBytesView)
                guard frame.fin else { continue }
                let whole = message
                message = []
                try await take(whole)
            default: continue
            }
        }
    }

    private func answer(_ farewell: ByteBuffer) async {
        var farewell = farewell
        await close(farewell.readWebSocketErrorCode() ?? .normalClosure)
    }
}
