// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Testing

@testable import Assembly

@Suite("who holds a port")
struct PortHolderTests {
    /// A listening socket and its port.
    private func listen() throws -> (descriptor: Int32, port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                unsafe bind(descriptor, raw, size) + Glibc.listen(descriptor, 1) + getsockname(descriptor, raw, &size)
            }
        }
        try #require(code == 0)
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    @Test func eachOfManyIsFoundHoweverLongTheKernelsTableIs() throws {
        // A line takes 150 bytes and the kernel hands out a page at a time.
        let sockets = try (0..<100).map { _ in try listen() }
        defer { for socket in sockets { close(socket.descriptor) } }
        for socket in sockets { #expect(PortHolder.find(port: socket.port)?.contains("\(getpid())") == true) }
    }

    @Test func aClosedPortHasNoHolder() throws {
        let socket = try listen()
        close(socket.descriptor)
        #expect(PortHolder.find(port: socket.port) == nil)
    }
}
