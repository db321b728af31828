// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CLinux
import Glibc
import Model
import Ports

/// The ports inside one pod, reached through its network namespace, so that what listens on its loopback address is met.
struct NodePorts: PodPorts {
    let node: PodNode
    let uid: String
    /// The pod's network namespace.
    let namespace: String

    /// How long the pod may take to accept a connection.
    private static let patience = Duration.seconds(10)

    func dial(_ port: Int) async throws -> any PortStream {
        let number = try await OwnThread.run { [namespace] in try Self.connect(port, in: namespace) }
        return Connection(socket: Descriptor(owning: number))
    }

    /// Runs on a thread that is given up afterwards; the socket stays in the namespace it was made in.
    private static func connect(_ port: Int, in namespace: String) throws -> Int32 {
        let file = unsafe open(namespace, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Failure(.unavailable, "the pod's network is gone", cause: Errno(errno)) }
        defer { close(file) }
        guard ballast_set_net(file) == 0 else {
            throw Failure(.fault, "the pod's network cannot be entered", cause: Errno(errno))
        }
        let timeout = Int32(patience.components.seconds * 1000)
        let first = ballast_dial_loopback(Int32(port), 0, timeout)
        if first >= 0 { return first }
        let second = ballast_dial_loopback(Int32(port), 1, timeout)
        if second >= 0 { return second }
        throw Failure(
            .unavailable,
            "failed to connect to localhost:\(port) inside the pod, "
                + "IPv4: dial tcp4 127.0.0.1:\(port): connect: \(Errno(-first)) "
                + "IPv6 dial tcp6 [::1]:\(port): connect: \(Errno(-second))"
        )
    }

    func waitUntilGone() async { await node.waitUntilGone(uid) }

    private struct Connection: PortStream {
        let socket: Descriptor
        func read() async -> [UInt8]? { await socket.read() }
        func write(_ bytes: [UInt8]) async throws { try await socket.write(bytes) }
        func finish() { shutdown(socket.number, Int32(SHUT_WR)) }
    }
}
