// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import NIOCore
import NIOPosix

/// Why a probe's connection failed, in the words of Go's net package, which the kubelet passes on.
struct ProbeNetworkError: Error, CustomStringConvertible {
    var description: String
}

/// A TCP connection from this machine to a pod.
struct ProbeConnection: Sendable {
    let address: String
    let port: Int

    var target: String { "\(address):\(port)" }

    /// Connects and closes at once.
    func open(timeout: Duration) async throws(ProbeNetworkError) {
        do {
            try await bootstrap(timeout).connect(to: SocketAddress(ipAddress: address, port: port)).get().close()
        } catch {
            throw explain(error)
        }
    }

    /// Connects, sends `bytes`, and feeds what comes back to `take` until it returns a value.
    ///
    /// `take` is given all bytes so far and `true` once the other side has closed. `prepare` adds what goes below, such as TLS.
    func exchange<R: Sendable>(
        _ bytes: [UInt8],
        timeout: Duration,
        clock: any Clock<Duration>,
        limit: Int = 32 * 1024,
        prepare: @escaping @Sendable (any Channel) throws -> Void = { _ in },
        take: @escaping @Sendable ([UInt8], Bool) throws -> R?
    ) async throws(ProbeNetworkError) -> R {
        do {
            return try await withThrowingTaskGroup(of: R.self) { group in
                group.addTask { try await talk(bytes, timeout, limit, prepare, take) }
                group.addTask {
                    try await clock.sleep(for: timeout)
                    throw Self.late
                }
                defer { group.cancelAll() }
                // The first task to end is the answer, and there are two.
                guard let answer = try await group.next() else { throw Self.late }
                return answer
            }
        } catch {
            throw explain(error)
        }
    }

    private static let late = ProbeNetworkError(
        description: "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
    )

    private func talk<R: Sendable>(
        _ bytes: [UInt8],
        _ timeout: Duration,
        _ limit: Int,
        _ prepare: @escaping @Sendable (any Channel) throws -> Void,
        _ take: @escaping @Sendable ([UInt8], Bool) throws -> R?
    ) async throws -> R {
        let peer = try SocketAddress(ipAddress: address, port: port)
        let channel = try await bootstrap(timeout).connect(to: peer) { channel in
            channel.eventLoop.makeCompletedFuture {
                try prepare(channel)
                return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(bytes: bytes))
            var received: [UInt8] = []
            for try await buffer in inbound {
                received.append(contentsOf: buffer.readableBytesView)
                if let answer = try take(received, false) { return answer }
                guard received.count < limit else { break }
            }
            if let answer = try take(received, true) { return answer }
            throw ProbeNetworkError(description: received.isEmpty ? "EOF" : "malformed response")
        }
    }

    private func bootstrap(_ timeout: Duration) -> ClientBootstrap {
        ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connectTimeout(TimeAmount(timeout))
    }

    private func explain(_ error: any Error) -> ProbeNetworkError {
        switch error {
        case let error as ProbeNetworkError: return error
        case let error as IOError:
            // The read of a connection that breaks has no address in its words.
            let what = error.description.contains("connect") ? "dial tcp \(target): connect" : "read tcp \(target)"
            return ProbeNetworkError(description: "\(what): \(Errno(error.errnoCode))")
        case ChannelError.connectTimeout: return ProbeNetworkError(description: "dial tcp \(target): i/o timeout")
        default: return ProbeNetworkError(description: "\(error)")
        }
    }
}
