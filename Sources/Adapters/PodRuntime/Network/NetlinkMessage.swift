// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// The bytes of one request to the kernel's routing interface (rtnetlink): a fixed header and attributes.
struct NetlinkMessage {
    private(set) var bytes: [UInt8] = []

    /// Numbers are in the machine's byte order.
    mutating func append(_ number: some FixedWidthInteger) {
        let width = number.bitWidth / 8
        for place in 0..<width {
            #if _endian(little)
                let shift = place * 8
            #else
                let shift = (width - 1 - place) * 8
            #endif
            bytes.append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    mutating func attribute(_ type: UInt16, _ value: [UInt8]) {
        append(UInt16(4 + value.count))
        append(type)
        bytes += value
        while bytes.count % 4 != 0 { bytes.append(0) }
    }

    mutating func attribute(_ type: UInt16, _ text: String) { attribute(type, Array(text.utf8) + [0]) }

    mutating func attribute(_ type: UInt16, _ number: UInt32) {
        var value = NetlinkMessage()
        value.append(number)
        attribute(type, value.bytes)
    }

    mutating func nested(_ type: UInt16, _ fill: (inout NetlinkMessage) -> Void) {
        var inner = NetlinkMessage()
        fill(&inner)
        attribute(type, inner.bytes)
    }

    /// `struct ifinfomsg`.
    static func link(index: Int32 = 0, flags: UInt32 = 0, change: UInt32 = 0) -> NetlinkMessage {
        var message = NetlinkMessage()
        message.append(UInt32(0))
        message.append(index)
        message.append(flags)
        message.append(change)
        return message
    }

    /// `struct ifaddrmsg`.
    static func address(index: Int32, prefixLength: Int) -> NetlinkMessage {
        var message = NetlinkMessage()
        message.bytes = [Netlink.familyIPv4, UInt8(prefixLength), 0, 0]
        message.append(index)
        return message
    }

    /// `struct rtmsg`.
    static func route(prefixLength: Int, table: UInt8, scope: UInt8, type: UInt8) -> NetlinkMessage {
        var message = NetlinkMessage()
        let bootProtocol: UInt8 = 3
        message.bytes = [Netlink.familyIPv4, UInt8(prefixLength), 0, 0, table, bootProtocol, scope, type]
        message.append(UInt32(0))
        return message
    }
}

/// An answer's attributes by type.
struct NetlinkAnswer {
    var type: UInt16
    /// What follows the message's header.
    var body: [UInt8]

    func number(at offset: Int) -> UInt32 {
        guard offset + 4 <= body.count else { return 0 }
        let four = body[offset..<offset + 4]
        #if _endian(little)
            return four.reversed().reduce(0) { $0 << 8 | UInt32($1) }
        #else
            return four.reduce(0) { $0 << 8 | UInt32($1) }
        #endif
    }

    private func short(at offset: Int) -> UInt16 {
        #if _endian(little)
            UInt16(body[offset]) | UInt16(body[offset + 1]) << 8
        #else
            UInt16(body[offset]) << 8 | UInt16(body[offset + 1])
        #endif
    }

    func attribute(_ type: UInt16, after header: Int) -> [UInt8]? {
        var offset = header
        while offset + 4 <= body.count {
            let length = Int(short(at: offset))
            guard length >= 4, offset + length <= body.count else { return nil }
            if short(at: offset + 2) & 0x3FFF == type { return Array(body[(offset + 4)..<(offset + length)]) }
            offset += (length + 3) & ~3
        }
        return nil
    }
}
