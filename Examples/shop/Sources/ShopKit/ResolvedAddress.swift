// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FlyingSocks
import Glibc

/// One IPv4 or IPv6 address with its port, as the kernel wants it.
///
/// FlyingFox's own conformance of `sockaddr_storage` asks itself for its size without end on Linux.
struct ResolvedAddress: SocketAddress {
    static let family = sa_family_t(AF_UNSPEC)

    let domain: Int32
    private let length: socklen_t
    private var storage = sockaddr_storage()

    init?(_ info: addrinfo) {
        guard let address = info.ai_addr, info.ai_family == AF_INET || info.ai_family == AF_INET6 else { return nil }
        domain = info.ai_family
        length = info.ai_addrlen
        withUnsafeMutableBytes(of: &storage) { bytes in
            bytes.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(info.ai_addrlen)))
        }
    }

    func with(port: UInt16) -> ResolvedAddress {
        var copy = self
        // The port is at the same place in both families' structures.
        withUnsafeMutableBytes(of: &copy.storage) { bytes in
            bytes.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
        }
        return copy
    }

    func withSockAddr<R, E: Error>(_ body: (UnsafePointer<sockaddr>, socklen_t) throws(E) -> R) throws(E) -> R {
        try withUnsafePointer(to: storage) { (pointer) throws(E) -> R in
            try body(UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), length)
        }
    }
}
