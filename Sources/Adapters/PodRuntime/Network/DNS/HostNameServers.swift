// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import NIOCore
import NIOPosix

/// The name servers of the host's `resolv.conf`, asked one after the other.
struct HostNameServers: DNSUpstream {
    let group: any EventLoopGroup
    /// Addresses that are never asked: our own.
    let excluded: Set<String>
    var path = "/etc/resolv.conf"
    var port = 53
    var patience: Duration = .seconds(2)

    func ask(_ message: [UInt8], isStream: Bool) async -> [UInt8]? {
        for server in servers {
            guard let address = try? SocketAddress(ipAddress: server, port: port) else { continue }
            let reply = isStream ? await askByTCP(message, address) : await askByUDP(message, address)
            if let reply, fits(reply, message) { return reply }
        }
        return nil
    }

    /// At most three, as every resolver reads it. Read each time: the host's network may change.
    var servers: [String] {
        let text = String(decoding: FileText.content(path) ?? [], as: UTF8.self)
        let all = text.split(separator: "\n").compactMap { line -> String? in
            let words = line.split { $0 == " " || $0 == "\t" }
            return words.count >= 2 && words[0] == "nameserver" ? String(words[1]) : nil
        }
        return Array(all.filter { !excluded.contains($0) }.prefix(3))
    }

    private func fits(_ reply: [UInt8], _ message: [UInt8]) -> Bool {
        reply.count >= DNSQuery.headerSize && reply[0] == message[0] && reply[1] == message[1] && reply[2] & 0x80 != 0
    }

    /// A port of its own per question, so that answers are hard to forge.
    private func askByUDP(_ message: [UInt8], _ server: SocketAddress) async -> [UInt8]? {
        typealias Envelope = AddressedEnvelope<ByteBuffer>
        return await withDeadline(patience) {
            let any = server.protocol == .inet6 ? "::" : "0.0.0.0"
            let channel = try await DatagramBootstrap(group: group).bind(host: any, port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<Envelope, Envelope>(wrappingChannelSynchronously: channel)
                }
            }
            return try await channel.executeThenClose { inbound, outbound in
                try await outbound.write(Envelope(remoteAddress: server, data: ByteBuffer(bytes: message)))
                for try await envelope in inbound where envelope.remoteAddress == server {
                    let reply = Array(envelope.data.readableBytesView)
                    if fits(reply, message) { return reply }
                }
                return nil
            }
        }
    }

    private func askByTCP(_ message: [UInt8], _ server: SocketAddress) async -> [UInt8]? {
        await withDeadline(patience) {
            let channel = try await ClientBootstrap(group: group).connect(to: server) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
            return try await channel.executeThenClose { inbound, outbound in
                try await outbound.write(DNSFrames.frame(message))
                var frames = DNSFrames()
                for try await buffer in inbound {
                    frames.append(buffer)
                    if let reply = frames.next() { return reply }
                }
                return nil
            }
        }
    }

    private func withDeadline(_ limit: Duration, _ body: @escaping @Sendable () async throws -> [UInt8]?) async
        -> [UInt8]?
    {
        await withTaskGroup(of: [UInt8]?.self) { group in
            group.addTask { (try? await body()) ?? nil }
            group.addTask {
                try? await Task.sleep(for: limit)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }
}

/// Messages in a stream: each behind its length in two bytes.
struct DNSFrames {
    private var buffer = ByteBuffer()

    mutating func append(_ more: ByteBuffer) { buffer.writeImmutableBuffer(more) }

    mutating func next() -> [UInt8]? {
        guard let length = buffer.getInteger(at: buffer.readerIndex, as: UInt16.self),
            buffer.readableBytes >= 2 + Int(length)
        else { return nil }
        buffer.moveReaderIndex(forwardBy: 2)
        defer { buffer.discardReadBytes() }
        return buffer.readBytes(length: Int(length))
    }

    static func frame(_ message: [UInt8]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(UInt16(message.count))
        buffer.writeBytes(message)
        return buffer
    }
}
