// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Crypto
import HTTPTypes
import HummingbirdCore
import Logging
import Model
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOWebSocket

/// Looks at the first request of a connection, decides what the connection is, and takes itself away.
///
/// NIO's own handler for upgrades loses a request that it does not upgrade; this one hands it on, so that whoever asked
/// for something that cannot be learns why.
final class FirstRequestHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        case waiting
        /// The gate is asked; what came since is kept, a request's end at most.
        case deciding([HTTPServerRequestPart])
        case over
    }

    private let outcome: EventLoopPromise<UpgradableChannel.Outcome>
    private let gate: ConnectionGate
    private let encoder: HTTPResponseEncoder
    private let decoder: ByteToMessageHandler<HTTPRequestDecoder>
    private let logger: Logger
    private var state = State.waiting

    init(
        _ outcome: EventLoopPromise<UpgradableChannel.Outcome>,
        gate: ConnectionGate,
        encoder: HTTPResponseEncoder,
        decoder: ByteToMessageHandler<HTTPRequestDecoder>,
        logger: Logger
    ) {
        self.outcome = outcome
        self.gate = gate
        self.encoder = encoder
        self.decoder = decoder
        self.logger = logger
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch state {
        case .over: context.fireChannelRead(data)
        case .deciding(let parts): state = .deciding(parts + [unwrapInboundIn(data)])
        case .waiting:
            let part = unwrapInboundIn(data)
            guard case .head(let head) = part, let handshake = Handshake(head) else {
                return serveRequests(context, [part])
            }
            state = .deciding([part])
            decide(context, head, handshake)
        }
    }

    /// A request that cannot be read is answered as on any other connection.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard case .waiting = state else { return context.fireErrorCaught(error) }
        serveRequests(context, [], error)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // Nothing was asked yet, so a server that stops owes no answer.
        if event is ChannelShouldQuiesceEvent, case .waiting = state { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        giveUp()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { giveUp() }

    private func giveUp() {
        if case .over = state { return }
        state = .over
        outcome.fail(ChannelError.eof)
    }

    private func decide(_ context: ChannelHandlerContext, _ head: HTTPRequestHead, _ handshake: Handshake) {
        let (gate, channel) = (gate, context.channel)
        context.eventLoop.makeFutureWithTask { () -> AcceptedConnection? in
            guard let request = try? HTTPRequest(head, secure: true, splitCookie: false) else { return nil }
            return await gate.accept(request, on: channel)
        }
        .assumeIsolated().whenComplete { result in
            guard case .deciding(let parts) = self.state else { return }
            // The task throws nothing.
            guard let accepted = try? result.get() else {
                return self.serveRequests(context, parts)
            }
            self.serveFrames(context, accepted, handshake)
        }
    }

    private func serveRequests(
        _ context: ChannelHandlerContext,
        _ parts: [HTTPServerRequestPart],
        _ error: (any Error)? = nil
    ) {
        state = .over
        do {
            let pipeline = context.pipeline.syncOperations
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
            try pipeline.addHandler(HTTPConnectionStateHandler(logger: logger))
            let channel = try NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>(
                wrappingChannelSynchronously: context.channel,
                configuration: .init(isOutboundHalfClosureEnabled: true)
            )
            outcome.succeed(.requests(channel))
        } catch {
            outcome.fail(error)
        }
        for part in parts { context.fireChannelRead(wrapInboundOut(part)) }
        if !parts.isEmpty { context.fireChannelReadComplete() }
        if let error { context.fireErrorCaught(error) }
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    private func serveFrames(
        _ context: ChannelHandlerContext,
        _ accepted: AcceptedConnection,
        _ handshake: Handshake
    ) {
        state = .over
        let answer = handshake.answer(accepted.subprotocol)
        context.writeAndFlush(wrapOutboundOut(.head(answer)), promise: nil)
        do {
            let pipeline = context.pipeline.syncOperations
            pipeline.removeHandler(encoder, promise: nil)
            try pipeline.addHandler(WebSocketFrameEncoder())
            let frames = WebSocketFrameDecoder(maxFrameSize: WebSocketLink.messageLimit)
            try pipeline.addHandler(ByteToMessageHandler(frames))
            try pipeline.addHandler(WebSocketProtocolErrorHandler())
            // Messages may be large, so that few wait here.
            let marks = NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark(
                lowWatermark: 1,
                highWatermark: 4
            )
            let channel = try WebSocketLink.Frames(
                wrappingChannelSynchronously: context.channel,
                configuration: .init(backPressureStrategy: marks)
            )
            outcome.succeed(.frames(channel, accepted))
            pipeline.removeHandler(context: context, promise: nil)
            // What the decoder has read beyond the request goes to that of the frames, and on only with the end of a read.
            let all = context.pipeline
            pipeline.removeHandler(decoder).whenComplete { _ in all.fireChannelReadComplete() }
        } catch {
            outcome.fail(error)
        }
    }
}

/// What a client asks for that wants a WebSocket (RFC 6455, section 4.2).
struct Handshake {
    private let key: String

    /// `nil` where the request is none.
    init?(_ head: HTTPRequestHead) {
        let headers = head.headers
        func has(_ name: String, _ word: String) -> Bool {
            headers[canonicalForm: name].contains { $0.lowercased() == word }
        }
        guard head.method == .GET, has("upgrade", "websocket"), has("connection", "upgrade"),
            headers["sec-websocket-version"] == ["13"], let key = headers.first(name: "sec-websocket-key"),
            headers["content-length"].allSatisfy({ $0 == "0" }), headers["transfer-encoding"].isEmpty
        else { return nil }
        self.key = key
    }

    /// What proves that the key was read.
    var proof: String {
        let words = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        return Base64.encode(Array(Insecure.SHA1.hash(data: Array(words.utf8))))
    }

    func answer(_ subprotocol: String?) -> HTTPResponseHead {
        var head = HTTPResponseHead(version: .http1_1, status: .switchingProtocols)
        head.headers = ["Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": proof]
        if let subprotocol { head.headers.add(name: "Sec-WebSocket-Protocol", value: subprotocol) }
        return head
    }
}
