// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import NIOCore
import Ports

/// Port forwarding as kubectl does it: SPDY/3.1, carried by the messages of a WebSocket.
struct PortForwardTunnel {
    static let name = "SPDY/3.1+portforward.k8s.io"

    let ports: any PodPorts

    func run(_ frames: WebSocketLink.Frames) async {
        let (pairs, feed) = AsyncStream.makeStream(of: ForwardStreams.Pair.self)
        let streams = TunnelStreams(feed)
        await UpgradedConnection(frames: frames).run { link, inbound in
            defer { feed.finish() }
            try await link.read(inbound) { try await streams.receive($0, on: link) }
        } work: { link in
            await work(pairs, streams, link)
        }
    }

    /// Goes on until the pod has gone, the client has broken the protocol, or the task is cancelled.
    private func work(
        _ pairs: AsyncStream<ForwardStreams.Pair>,
        _ streams: TunnelStreams,
        _ link: WebSocketLink
    ) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await ports.waitUntilGone() }
            group.addTask {
                await withDiscardingTaskGroup { connections in
                    for await pair in pairs {
                        connections.addTask { await serve(pair, streams, link) }
                    }
                }
            }
            await group.next()
            group.cancelAll()
        }
        try? await link.send(await streams.goAway)
    }

    /// One connection, from its opening to the end of both its streams. What is not sent has nobody left to read it.
    private func serve(_ pair: ForwardStreams.Pair, _ streams: TunnelStreams, _ link: WebSocketLink) async {
        let input = await streams.input(of: pair.data)
        do {
            let stream = try await ports.dial(pair.port)
            await Self.carry(stream, input, pair, link)
            try? await link.send(SpdyBytes.data(pair.data, [], isLast: true))
            try? await link.send(SpdyBytes.data(pair.errors, [], isLast: true))
        } catch {
            let words = Array("error forwarding port \(pair.port): \(error)".utf8)
            try? await link.send(SpdyBytes.data(pair.errors, words, isLast: true))
            try? await link.send(SpdyBytes.reset(pair.data, SpdyStatus.cancelled))
        }
        await streams.forget(pair)
    }

    /// In bytes; as clients send.
    private static let pieceSize = 32 * 1024

    /// Both directions, until the pod's side has ended or the client gives up.
    private static func carry(
        _ stream: any PortStream,
        _ input: TunnelInput,
        _ pair: ForwardStreams.Pair,
        _ link: WebSocketLink
    ) async {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                while let bytes = await stream.read() {
                    for start in stride(from: 0, to: bytes.count, by: pieceSize) {
                        let piece = bytes[start..<min(start + pieceSize, bytes.count)]
                        guard (try? await link.send(SpdyBytes.data(pair.data, piece))) != nil else { return true }
                    }
                }
                return true
            }
            group.addTask { await input.pour(into: stream) }
            for await isOver in group where isOver { break }
            group.cancelAll()
        }
    }
}

/// What a client sends into one connection.
final class TunnelInput: Sendable {
    private let pipe = BytePipe(limit: 1 << 20)

    func write(_ bytes: [UInt8]) async { await pipe.write(bytes) }
    /// The client has said all; the pod may still answer.
    func finish() { pipe.finish() }
    /// Nobody wants the rest.
    func abort() { pipe.abandon() }

    /// Returns whether the connection is over with it.
    func pour(into stream: any PortStream) async -> Bool {
        while let bytes = await pipe.next() {
            do {
                try await stream.write(bytes)
            } catch {
                // The pod reads no more, but may still have something to say.
                pipe.abandon()
                return false
            }
        }
        guard !pipe.isAbandoned else { return true }
        stream.finish()
        return false
    }
}

/// The streams of one tunnel; it reads frames in their order, which the history of their headers demands.
private actor TunnelStreams {
    private var reader = SpdyReader()
    private var writer = SpdyDeflater()
    private var streams = ForwardStreams()
    private var inputs: [UInt32: TunnelInput] = [:]
    private let pairs: AsyncStream<ForwardStreams.Pair>.Continuation

    init(_ pairs: AsyncStream<ForwardStreams.Pair>.Continuation) { self.pairs = pairs }

    func receive(_ bytes: [UInt8], on link: WebSocketLink) async throws {
        reader.feed(bytes)
        while let frame = try reader.next() {
            for action in try streams.handle(frame) { try await perform(action, link) }
        }
    }

    private func perform(_ action: ForwardStreams.Action, _ link: WebSocketLink) async throws {
        switch action {
        case .reply(let stream): try await link.send(writer.reply(stream))
        case .reset(let stream, let status): try await link.send(SpdyBytes.reset(stream, status))
        case .pong(let id): try await link.send(SpdyBytes.ping(id))
        case .connect(let pair):
            inputs[pair.data] = TunnelInput()
            pairs.yield(pair)
        case .send(let bytes, let stream): await inputs[stream]?.write(bytes)
        case .finish(let stream): inputs[stream]?.finish()
        case .abort(let stream): inputs[stream]?.abort()
        }
    }

    func input(of stream: UInt32) -> TunnelInput { inputs[stream] ?? TunnelInput() }

    func forget(_ pair: ForwardStreams.Pair) {
        inputs.removeValue(forKey: pair.data)?.abort()
        streams.forget(pair)
    }

    var goAway: [UInt8] { SpdyBytes.goAway(lastStream: streams.lastAccepted) }
}
