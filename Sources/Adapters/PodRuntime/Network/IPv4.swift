// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// An IPv4 address.
package struct IPv4Address: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// In host byte order: 10.0.0.1 is 0x0A000001.
    package let number: UInt32

    package init(_ number: UInt32) { self.number = number }

    /// Reads four decimal numbers without leading zeros; `nil` where the text is none.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { part -> UInt32? in
            guard part.utf8.allSatisfy({ (0x30...0x39).contains($0) }), part.count == 1 || part.first != "0" else {
                return nil
            }
            return UInt8(part).map(UInt32.init)
        }
        guard parts.count == 4, bytes.count == 4 else { return nil }
        number = bytes.reduce(0) { $0 << 8 | $1 }
    }

    /// In network order.
    package var bytes: [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) } }
    package var description: String { bytes.map(String.init).joined(separator: ".") }
    package static func < (left: IPv4Address, right: IPv4Address) -> Bool { left.number < right.number }
}

/// A range of IPv4 addresses that share their first bits.
package struct IPv4Subnet: Sendable, Hashable, CustomStringConvertible {
    package let base: IPv4Address
    package let prefixLength: Int

    /// Bits of `address` behind the prefix are cleared.
    package init(_ address: IPv4Address, prefixLength: Int) {
        precondition((0...32).contains(prefixLength), "an IPv4 prefix has 0 to 32 bits")
        self.prefixLength = prefixLength
        base = IPv4Address(address.number & Self.mask(prefixLength))
    }

    /// Reads `10.1.2.0/24`.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPv4Address(String(parts[0])), let length = Int(parts[1]),
            (0...32).contains(length)
        else { return nil }
        self.init(address, prefixLength: length)
    }

    package var size: Int { 1 << (32 - prefixLength) }
    package subscript(_ offset: Int) -> IPv4Address { IPv4Address(base.number &+ UInt32(offset)) }
    package func contains(_ address: IPv4Address) -> Bool { address.number & Self.mask(prefixLength) == base.number }
    package func overlaps(_ other: IPv4Subnet) -> Bool { contains(other.base) || other.contains(base) }
    package var description: String { "\(base)/\(prefixLength)" }

    private static func mask(_ length: Int) -> UInt32 { length == 0 ? 0 : ~UInt32(0) << UInt32(32 - length) }
}
