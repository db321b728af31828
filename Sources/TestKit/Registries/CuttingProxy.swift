// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Synchronization

/// A line to a server on loopback that a test cuts: it forwards bytes and closes a connection once its client has sent more
/// than it may. It ends with the value.
package final class CuttingProxy: Sendable {
    private struct State {
        /// How much each coming connection may send before it is cut; the last one holds for all after it.
        var limits: [Int?]
        var cuts = 0
    }

    package let port: Int
    private let descriptor: Int32
    private let state: Mutex<State>

    package var host: String { "127.0.0.1:\(port)" }
    package var cuts: Int { state.withLock(\.cuts) }

    /// Each connection that sends more than `cutAfter` bytes uses up one entry; `nil` is never cut.
    package init(to target: Int, cutAfter limits: [Int?]) throws {
        state = Mutex(State(limits: limits))
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.address(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = descriptor
        let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe bind(listener, pointer, length) + listen(listener, 64) + getsockname(listener, pointer, &length)
            }
        }
        guard result == 0 else { throw CocoaError(.fileNoSuchFile) }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread { [weak self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0, let self else { return }
                self.join(client, to: target)
            }
        }.start()
    }

    deinit {
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }

    private static func address(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private func join(_ client: Int32, to target: Int) {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.address(target)
        let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe connect(server, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            close(server)
            close(client)
            return
        }
        let line = JoinedSockets(client, server)
        Thread { [self] in
            var sent = 0
            Self.copy(from: client, to: server) { count in
                sent += count
                return !self.isToBeCut(after: sent)
            }
            line.end()
        }.start()
        Thread {
            Self.copy(from: server, to: client) { _ in true }
            line.end()
        }.start()
    }

    private func isToBeCut(after sent: Int) -> Bool {
        state.withLock { state in
            guard let limit = state.limits.first ?? nil, sent > limit else { return false }
            if state.limits.count > 1 { state.limits.removeFirst() }
            state.cuts += 1
            return true
        }
    }

    private static func copy(from source: Int32, to target: Int32, goesOn: (Int) -> Bool) {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe recv(source, &buffer, buffer.count, 0)
            guard count > 0, goesOn(count) else { return }
            var start = 0
            while start < count {
                let rest = Array(buffer[start..<count])
                let written = unsafe send(target, rest, rest.count, Int32(MSG_NOSIGNAL))
                guard written > 0 else { return }
                start += written
            }
        }
    }
}

/// Two sockets that end together, and are closed by the second of the two threads that use them.
private final class JoinedSockets: Sendable {
    private let sockets: [Int32]
    private let users = Mutex(2)

    init(_ sockets: Int32...) { self.sockets = sockets }

    func end() {
        for socket in sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        let isLast = users.withLock { users in
            users -= 1
            return users == 0
        }
        if isLast { for socket in sockets { close(socket) } }
    }
}
