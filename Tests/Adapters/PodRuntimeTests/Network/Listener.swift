// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CLinux
import Glibc

@testable import PodRuntime

/// A TCP port that somebody listens on.
final class Listener: Sendable {
    let port: UInt16
    private let socket: CInt

    init(_ address: String, port: UInt16 = 0) throws {
        let socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var on: CInt = 1
        _ = unsafe setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<CInt>.size))
        var name = try Self.name(address, port)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        var bound = size
        let isBound = unsafe withUnsafeMutablePointer(to: &name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(socket, $0, size) == 0 && listen(socket, 16) == 0 && getsockname(socket, $0, &bound) == 0
            }
        }
        self.socket = socket
        self.port = UInt16(bigEndian: name.sin_port)
        guard isBound else { throw LayerError.system("cannot listen on \(address):\(port)") }
    }

    deinit { close(socket) }

    /// One in a pod.
    static func inside(_ pod: PodPlace) async throws -> Listener {
        try await OwnThread.run {
            try enter(pod)
            return try Listener("0.0.0.0")
        }
    }

    /// Moves the calling thread into the pod's namespace.
    static func enter(_ pod: PodPlace) throws {
        let namespace = unsafe open(pod.namespacePath, O_RDONLY | O_CLOEXEC)
        defer { close(namespace) }
        guard ballast_set_net(namespace) == 0 else { throw LayerError.system("cannot enter \(pod.namespacePath)") }
    }

    /// Whether somebody answers within some seconds; a refusal comes at once.
    static func connects(_ address: String, _ port: UInt16) -> Bool {
        let socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        defer { close(socket) }
        guard var name = try? name(address, port) else { return false }
        var limit = timeval(tv_sec: 4, tv_usec: 0)
        _ = unsafe setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        return unsafe withUnsafeMutablePointer(to: &name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    /// Sends a datagram and returns the answer that comes within a fraction of a second.
    static func ask(_ question: [UInt8], _ address: String, _ port: UInt16) -> [UInt8]? {
        let socket = Glibc.socket(AF_INET, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        defer { close(socket) }
        guard var name = try? name(address, port) else { return nil }
        var limit = timeval(tv_sec: 0, tv_usec: 200_000)
        _ = unsafe setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let isConnected = unsafe withUnsafeMutablePointer(to: &name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        var buffer = [UInt8](repeating: 0, count: 1500)
        guard isConnected, unsafe send(socket, question, question.count, 0) == question.count else { return nil }
        let count = unsafe recv(socket, &buffer, 1500, 0)
        return count > 0 ? Array(buffer[..<count]) : nil
    }

    private static func name(_ address: String, _ port: UInt16) throws -> sockaddr_in {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        guard let number = IPv4Address(address)?.number else { throw LayerError("'\(address)' is no address") }
        name.sin_addr.s_addr = number.bigEndian
        return name
    }
}
