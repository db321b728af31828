// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Logging
import NIOCore
import NIOPosix
import Synchronization
import Telemetry

/// Takes questions by UDP and TCP on one address.
struct DNSListener: Sendable {
    let group: any EventLoopGroup
    let address: SocketAddress
    let resolver: DNSResolver
    let telemetry: Telemetry

    typealias Envelope = AddressedEnvelope<ByteBuffer>
    typealias Datagrams = NIOAsyncChannel<Envelope, Envelope>
    typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>
    typealias Connections = NIOAsyncChannel<Connection, Never>

    /// Questions that wait for an answer from outside, and open connections; what comes beyond is dropped.
    private static let waitingLimit = 512
    private static let connectionLimit = 128

    func bindDatagrams() async throws -> Datagrams {
        try await DatagramBootstrap(group: group)
            .channelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(to: address) { channel in
                channel.eventLoop.makeCompletedFuture { try Datagrams(wrappingChannelSynchronously: channel) }
            }
    }

    func bindConnections() async throws -> Connections {
        try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(to: address) { channel in
                channel.eventLoop.makeCompletedFuture { try Connection(wrappingChannelSynchronously: channel) }
            }
    }

    func serve(_ datagrams: Datagrams) async throws {
        let gate = Gate(limit: Self.waitingLimit)
        try await datagrams.executeThenClose { inbound, outbound in
            try await withThrowingDiscardingTaskGroup { group in
                for try await envelope in inbound where gate.enter() {
                    group.addTask {
                        defer { gate.leave() }
                        let bytes = Array(envelope.data.readableBytesView)
                        guard let reply = await resolver.reply(to: bytes, isStream: false) else { return }
                        // The pod may be gone by now; the next question tells.
                        try? await outbound.write(
                            Envelope(remoteAddress: envelope.remoteAddress, data: ByteBuffer(bytes: reply))
                        )
                    }
                }
            }
        }
    }

    func serve(_ connections: Connections) async throws {
        let gate = Gate(limit: Self.connectionLimit)
        try await connections.executeThenClose { inbound in
            try await withThrowingDiscardingTaskGroup { group in
                for try await connection in inbound {
                    guard gate.enter() else {
                        try? await connection.channel.close()
                        continue
                    }
                    group.addTask {
                        defer { gate.leave() }
                        await serve(connection)
                    }
                }
            }
        }
    }

    /// One client's questions, in order; an idle client is let go.
    private func serve(_ connection: Connection) async {
        let idle = connection.channel.eventLoop.scheduleTask(in: .seconds(30)) {
            connection.channel.close(promise: nil)
        }
        defer { idle.cancel() }
        try? await connection.executeThenClose { inbound, outbound in
            var frames = DNSFrames()
            for try await buffer in inbound {
                frames.append(buffer)
                while let question = frames.next() {
                    guard let reply = await resolver.reply(to: question, isStream: true) else { return }
                    try await outbound.write(DNSFrames.frame(reply))
                }
            }
        }
    }
}

/// Counts who is inside and lets no more than so many in.
final class Gate: Sendable {
    private let count: Mutex<Int>
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
        count = Mutex(0)
    }

    func enter() -> Bool {
        count.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
    }

    func leave() { count.withLock { $0 -= 1 } }
}
