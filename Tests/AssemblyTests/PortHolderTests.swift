// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import TestKit
import Testing

@testable import Assembly

@Suite("who holds a port")
struct PortHolderTests {
    @Test func eachOfManyIsFoundHoweverLongTheKernelsTableIs() throws {
        // A line takes 150 bytes and the kernel hands out a page at a time.
        let sockets = try (0..<100).map { _ in try LoopbackSocket.listen() }
        defer { for socket in sockets { close(socket.descriptor) } }
        for socket in sockets { #expect(PortHolder.find(port: socket.port)?.contains("\(getpid())") == true) }
    }

    @Test func aClosedPortHasNoHolder() throws {
        let socket = try LoopbackSocket.listen()
        close(socket.descriptor)
        #expect(PortHolder.find(port: socket.port) == nil)
    }
}
