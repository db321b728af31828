// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc

/// Which addresses are this machine's own at the moment: those of its interfaces, and those its kernel takes as local.
///
/// An EndpointSlice can be written by anybody in the cluster; through Envoy, which runs outside of every pod, it must not lead
/// to a port of this machine that the pods' packet filter keeps from them.
struct HostAddresses {
    /// The pods' subnet, `10.1.2.0/24`; only interfaces' addresses count in it.
    let podSubnet: String?

    /// Those of the addresses that are this machine's.
    func own(among addresses: Set<String>) -> Set<String> {
        guard !addresses.isEmpty else { return [] }
        let interfaces = Self.interfaces()
        return addresses.filter { address in
            guard let number = IPv4Text.number(address) else { return false }
            return interfaces.contains(number) || (!isPods(number) && Self.isLocal(number))
        }
    }

    /// The interfaces' addresses.
    static func present() -> Set<String> {
        Set(
            interfaces().map { number in
                (0..<4).map { String(number >> (24 - 8 * UInt32($0)) & 255) }.joined(separator: ".")
            }
        )
    }

    private func isPods(_ number: UInt32) -> Bool { podSubnet.map { IPv4Text.contains($0, number) } ?? false }

    private static func interfaces() -> Set<UInt32> {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard unsafe getifaddrs(&list) == 0 else { return [] }
        defer { unsafe freeifaddrs(list) }
        var found: Set<UInt32> = []
        var item = unsafe list
        while let interface = unsafe item {
            unsafe item = interface.pointee.ifa_next
            guard let address = unsafe interface.pointee.ifa_addr, unsafe address.pointee.sa_family == AF_INET else {
                continue
            }
            unsafe address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { pointer in
                _ = unsafe found.insert(UInt32(bigEndian: pointer.pointee.sin_addr.s_addr))
            }
        }
        return found
    }

    /// Whether a socket may take the address: so it is with whole ranges that are routed to this machine, too.
    private static func isLocal(_ number: UInt32) -> Bool {
        let socket = Glibc.socket(AF_INET, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return true }
        defer { close(socket) }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = number.bigEndian
        return unsafe withUnsafePointer(to: &name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}

/// IPv4 addresses and subnets as text.
enum IPv4Text {
    /// `nil` where the text is not four decimal numbers without needless zeros.
    static func number(_ text: String) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { part in UInt8(part).flatMap { String($0) == part ? $0 : nil } }
        guard parts.count == 4, bytes.count == 4 else { return nil }
        return bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }

    static func contains(_ subnet: String, _ number: UInt32) -> Bool {
        let parts = subnet.split(separator: "/")
        guard parts.count == 2, let base = Self.number(String(parts[0])), let length = Int(parts[1]),
            (0...32).contains(length)
        else { return false }
        let mask: UInt32 = length == 0 ? 0 : ~0 << (32 - UInt32(length))
        return base & mask == number & mask
    }
}
