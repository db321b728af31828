// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOWebSocket

/// A listener's connections, of which the first request may turn one into a WebSocket.
struct UpgradableChannel: HTTPChannelHandler {
    let responder: Responder
    let gate: ConnectionGate

    /// What a connection turned out to be.
    enum Outcome: Sendable {
        case requests(NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>)
        case frames(WebSocketLink.Frames, AcceptedConnection)
    }

    struct Value: ServerChildChannelValue {
        let channel: any Channel
        let outcome: EventLoopFuture<Outcome>
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            let encoder = HTTPResponseEncoder()
            let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes))
            let outcome = channel.eventLoop.makePromise(of: Outcome.self)
            let first = FirstRequestHandler(outcome, gate: gate, encoder: encoder, decoder: decoder, logger: logger)
            try pipeline.addHandler(encoder)
            try pipeline.addHandler(decoder)
            try pipeline.addHandler(first)
            return Value(channel: channel, outcome: outcome.futureResult)
        }
    }

    func handle(value: Value, logger: Logger) async {
        let outcome = await withTaskCancellationHandler {
            try? await value.outcome.get()
        } onCancel: {
            value.channel.close(promise: nil)
        }
        switch outcome {
        case .requests(let channel): await handleHTTP(asyncChannel: channel, logger: logger)
        case .frames(let frames, let connection): await connection.run(frames)
        // It ended before it asked for anything.
        case nil: value.channel.close(promise: nil)
        }
    }
}
