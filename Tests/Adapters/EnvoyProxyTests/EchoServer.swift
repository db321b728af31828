// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Glibc

/// A TCP server with a thread for one client after the other.
final class RawServer: Sendable {
    /// What to send after the client sent these bytes; `isFirst`: nothing came before.
    typealias Conversation = @Sendable (_ bytes: [UInt8], _ isFirst: Bool) -> [UInt8]

    let port: Int
    private let socket: CInt

    init(address: String, _ conversation: @escaping Conversation) throws {
        let socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        unsafe inet_pton(AF_INET, address, &name.sin_addr)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = unsafe withUnsafeMutablePointer(to: &name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(socket, $0, size) == 0 && listen(socket, 16) == 0 && getsockname(socket, $0, &size) == 0
            }
        }
        precondition(isBound, "an address of the test's own can be bound")
        self.socket = socket
        port = Int(UInt16(bigEndian: name.sin_port))
        // Ends when the socket is shut down, in `deinit`; blocking calls have no place on the tasks' threads.
        Thread.detachNewThread { Self.serve(socket, conversation) }
    }

    deinit {
        shutdown(socket, CInt(SHUT_RDWR))
        close(socket)
    }

    private static func serve(_ socket: CInt, _ conversation: Conversation) {
        while true {
            let client = accept(socket, nil, nil)
            guard client >= 0 else { return }
            var buffer = [UInt8](repeating: 0, count: 16384)
            var isFirst = true
            while true {
                let count = unsafe read(client, &buffer, buffer.count)
                guard count > 0 else { break }
                let reply = conversation(Array(buffer[..<count]), isFirst)
                isFirst = false
                _ = unsafe write(client, reply, reply.count)
            }
            close(client)
        }
    }
}

/// Takes an upgrade and sends back whatever comes then.
final class EchoServer: Sendable {
    private let server: RawServer
    var port: Int { server.port }

    init(address: String) throws {
        server = try RawServer(address: address) { bytes, isFirst in
            let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
            return isFirst ? Array(head.utf8) : bytes
        }
    }
}

/// Answers HTTP/2 requests with 204, and nothing else: a client that speaks HTTP/1 is not understood.
final class BareHTTP2Server: Sendable {
    private let server: RawServer
    var port: Int { server.port }

    init(address: String) throws {
        let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
        server = try RawServer(address: address) { bytes, isFirst in
            var rest = bytes[...]
            var reply: [UInt8] = []
            if isFirst {
                guard bytes.starts(with: preface) else { return [] }
                rest = rest.dropFirst(preface.count)
                reply += [0, 0, 0, 4, 0, 0, 0, 0, 0]  // our settings: none
            }
            while rest.count >= 9 {
                let head = Array(rest.prefix(9))
                let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
                // A request's headers: the answer is `:status: 204`, number 9 of the static table, and the stream's end.
                if head[3] == 1 { reply += [0, 0, 1, 1, 5] + head[5...] + [0x89] }
                if head[3] == 4, head[4] & 1 == 0 { reply += [0, 0, 0, 4, 1, 0, 0, 0, 0] }
                rest = rest.dropFirst(9 + length)
            }
            return reply
        }
    }
}
