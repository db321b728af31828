// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc

/// Takes an upgrade and sends back whatever comes then.
final class EchoServer: Sendable {
    let port: Int
    private let socket: CInt

    init(address: String) throws {
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
        var thread = pthread_t()
        // The thread ends when the socket is shut down, in `deinit`.
        _ = unsafe pthread_create(
            &thread,
            nil,
            { argument in
                EchoServer.serve(CInt(Int(bitPattern: argument)))
                return nil
            },
            UnsafeMutableRawPointer(bitPattern: Int(socket))
        )
        pthread_detach(thread)
    }

    deinit {
        shutdown(socket, CInt(SHUT_RDWR))
        close(socket)
    }

    private static func serve(_ socket: CInt) {
        while true {
            let client = accept(socket, nil, nil)
            guard client >= 0 else { return }
            var buffer = [UInt8](repeating: 0, count: 4096)
            var isUpgraded = false
            while true {
                let count = unsafe read(client, &buffer, 4096)
                guard count > 0 else { break }
                let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
                let reply = isUpgraded ? Array(buffer[..<count]) : Array(head.utf8)
                isUpgraded = true
                _ = unsafe write(client, reply, reply.count)
            }
            close(client)
        }
    }
}
