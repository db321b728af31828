// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model

/// A connection to the kernel's routing interface, in the network namespace in which it was opened.
///
/// Every call is one short exchange with the kernel; none waits for anything outside of it.
final class Netlink {
    private let socket: CInt
    private var sequence: UInt32 = 0

    static let familyIPv4 = UInt8(AF_INET)
    private static let requestFlag: UInt16 = 0x1
    private static let acknowledge: UInt16 = 0x4
    private static let dump: UInt16 = 0x300
    private static let create: UInt16 = 0x400
    private static let exclusive: UInt16 = 0x200
    private static let isUp: UInt32 = 1

    private enum Kind {
        static let error: UInt16 = 2
        static let done: UInt16 = 3
        static let newLink: UInt16 = 16
        static let deleteLink: UInt16 = 17
        static let getLink: UInt16 = 18
        static let newAddress: UInt16 = 20
        static let newRoute: UInt16 = 24
        static let deleteRoute: UInt16 = 25
        static let getRoute: UInt16 = 26
    }

    private enum LinkAttribute {
        static let address: UInt16 = 1
        static let name: UInt16 = 3
        static let mtu: UInt16 = 4
        static let master: UInt16 = 10
        static let info: UInt16 = 18
        static let infoKind: UInt16 = 1
        static let infoData: UInt16 = 2
        static let vethPeer: UInt16 = 1
        static let namespace: UInt16 = 28
    }

    private enum RouteAttribute {
        static let destination: UInt16 = 1
        static let interface: UInt16 = 4
        static let gateway: UInt16 = 5
    }

    init() throws {
        let routing: CInt = 0
        socket = Glibc.socket(AF_NETLINK, CInt(SOCK_RAW.rawValue) | CInt(SOCK_CLOEXEC.rawValue), routing)
        guard socket >= 0 else { throw Failure.system("cannot reach the kernel's routing interface", errno) }
    }

    deinit { close(socket) }
}

extension Netlink {
    struct Link {
        var index: Int32
        var name: String
    }

    struct Route {
        /// `nil` for the default route.
        var destination: IPv4Subnet
        var interface: Int32
    }

    func links() throws -> [Link] {
        try request(Kind.getLink, Self.dump, .link(), "list the interfaces").map { answer in
            let name = answer.attribute(LinkAttribute.name, after: 16) ?? []
            return Link(
                index: Int32(bitPattern: answer.number(at: 4)),
                name: String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
            )
        }
    }

    func index(of name: String) throws -> Int32? { try links().first { $0.name == name }?.index }

    /// The IPv4 routes of all tables; those that lead to single addresses of this machine are among them.
    func routes() throws -> [Route] {
        let message = NetlinkMessage.route(prefixLength: 0, table: 0, scope: 0, type: 0)
        return try request(Kind.getRoute, Self.dump, message, "list the routes").compactMap { answer in
            guard answer.body.count >= 12, answer.body[0] == Self.familyIPv4 else { return nil }
            let bytes = answer.attribute(RouteAttribute.destination, after: 12) ?? [0, 0, 0, 0]
            guard bytes.count == 4, answer.body[1] <= 32 else { return nil }
            let address = IPv4Address(bytes.reduce(0) { $0 << 8 | UInt32($1) })
            let interface = answer.attribute(RouteAttribute.interface, after: 12).map {
                Int32(bitPattern: NetlinkAnswer(type: 0, body: $0).number(at: 0))
            }
            return Route(destination: IPv4Subnet(address, prefixLength: Int(answer.body[1])), interface: interface ?? 0)
        }
    }

    /// A bridge with a hardware address of its own, so that it keeps it when its first port goes.
    func addBridge(_ name: String, hardware: [UInt8], mtu: Int) throws {
        var message = NetlinkMessage.link(flags: Self.isUp, change: Self.isUp)
        message.attribute(LinkAttribute.name, name)
        message.attribute(LinkAttribute.address, hardware)
        message.attribute(LinkAttribute.mtu, UInt32(mtu))
        message.nested(LinkAttribute.info) { $0.attribute(LinkAttribute.infoKind, "bridge") }
        try add(Kind.newLink, message, "create the bridge '\(name)'")
    }

    /// A pair of interfaces: `name` as a port of the bridge, and `eth0` in another namespace.
    func addPair(_ name: String, bridge: Int32, peerNamespace: CInt, peerHardware: [UInt8], mtu: Int) throws {
        var message = NetlinkMessage.link(flags: Self.isUp, change: Self.isUp)
        message.attribute(LinkAttribute.name, name)
        message.attribute(LinkAttribute.mtu, UInt32(mtu))
        message.attribute(LinkAttribute.master, UInt32(bridge))
        message.nested(LinkAttribute.info) { info in
            info.attribute(LinkAttribute.infoKind, "veth")
            info.nested(LinkAttribute.infoData) { data in
                var peer = NetlinkMessage.link()
                peer.attribute(LinkAttribute.name, "eth0")
                peer.attribute(LinkAttribute.address, peerHardware)
                peer.attribute(LinkAttribute.mtu, UInt32(mtu))
                peer.attribute(LinkAttribute.namespace, UInt32(peerNamespace))
                data.attribute(LinkAttribute.vethPeer, peer.bytes)
            }
        }
        try add(Kind.newLink, message, "create the interface '\(name)'")
    }

    func switchOn(_ index: Int32) throws {
        try change(Kind.newLink, 0, .link(index: index, flags: Self.isUp, change: Self.isUp), "switch an interface on")
    }

    func removeLink(_ index: Int32) throws {
        try change(Kind.deleteLink, 0, .link(index: index), "remove an interface", tolerating: [ENODEV])
    }

    func addAddress(_ address: IPv4Address, prefixLength: Int, to index: Int32) throws {
        let (local, broadcast): (UInt16, UInt16) = (2, 4)
        var message = NetlinkMessage.address(index: index, prefixLength: prefixLength)
        message.attribute(1, address.bytes)
        message.attribute(local, address.bytes)
        let subnet = IPv4Subnet(address, prefixLength: prefixLength)
        message.attribute(broadcast, subnet[subnet.size - 1].bytes)
        try add(Kind.newAddress, message, "add the address \(address)", tolerating: [EEXIST])
    }

    func addDefaultRoute(via gateway: IPv4Address, interface: Int32) throws {
        let (mainTable, universe, unicast): (UInt8, UInt8, UInt8) = (254, 0, 1)
        var message = NetlinkMessage.route(prefixLength: 0, table: mainTable, scope: universe, type: unicast)
        message.attribute(RouteAttribute.gateway, gateway.bytes)
        message.attribute(RouteAttribute.interface, UInt32(interface))
        try add(Kind.newRoute, message, "add the default route", tolerating: [EEXIST])
    }

    /// Makes every address of the subnet one of this machine's own.
    func addLocalRoute(_ subnet: IPv4Subnet, loopback: Int32) throws {
        try add(Kind.newRoute, localRoute(subnet, loopback), "add the route to \(subnet)", tolerating: [EEXIST])
    }

    func removeLocalRoute(_ subnet: IPv4Subnet, loopback: Int32) throws {
        try change(
            Kind.deleteRoute,
            0,
            localRoute(subnet, loopback),
            "remove the route to \(subnet)",
            tolerating: [ESRCH]
        )
    }

    private func localRoute(_ subnet: IPv4Subnet, _ loopback: Int32) -> NetlinkMessage {
        let (localTable, host, local): (UInt8, UInt8, UInt8) = (255, 254, 2)
        var message = NetlinkMessage.route(
            prefixLength: subnet.prefixLength,
            table: localTable,
            scope: host,
            type: local
        )
        message.attribute(RouteAttribute.destination, subnet.base.bytes)
        message.attribute(RouteAttribute.interface, UInt32(loopback))
        return message
    }
}

extension Netlink {
    private func add(_ kind: UInt16, _ message: NetlinkMessage, _ what: String, tolerating: [CInt] = []) throws {
        try change(kind, Self.create | Self.exclusive, message, what, tolerating: tolerating)
    }

    private func change(
        _ kind: UInt16,
        _ flags: UInt16,
        _ message: NetlinkMessage,
        _ what: String,
        tolerating: [CInt] = []
    ) throws {
        do {
            _ = try request(kind, flags | Self.acknowledge, message, what)
        } catch let failure as Failure {
            guard let code = (failure.cause as? Errno)?.number, tolerating.contains(code) else { throw failure }
        }
    }

    private func request(_ kind: UInt16, _ flags: UInt16, _ message: NetlinkMessage, _ what: String) throws
        -> [NetlinkAnswer]
    {
        sequence += 1
        var header = NetlinkMessage()
        header.append(UInt32(16 + message.bytes.count))
        header.append(kind)
        header.append(flags | Self.requestFlag)
        header.append(sequence)
        header.append(UInt32(0))
        let bytes = header.bytes + message.bytes
        let sent = unsafe bytes.withUnsafeBytes { unsafe send(socket, $0.baseAddress, $0.count, 0) }
        guard sent == bytes.count else { throw Failure.system("cannot \(what)", errno) }
        var answers: [NetlinkAnswer] = []
        while try receive(into: &answers, what) {}
        return answers
    }

    /// Reads one datagram; `false` when the answer is complete.
    private func receive(into answers: inout [NetlinkAnswer], _ what: String) throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        let size = buffer.count
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(socket, $0.baseAddress, size, 0) }
        if count < 0, errno == EINTR { return true }
        guard count > 0 else { throw Failure.system("cannot \(what)", errno) }
        var offset = 0
        while offset + 16 <= count {
            let header = NetlinkAnswer(type: 0, body: Array(buffer[offset..<offset + 16]))
            let length = Int(header.number(at: 0))
            guard length >= 16, offset + length <= count else { break }
            let type = UInt16(truncatingIfNeeded: header.number(at: 4))
            let answer = NetlinkAnswer(type: type, body: Array(buffer[(offset + 16)..<(offset + length)]))
            offset += (length + 3) & ~3
            guard header.number(at: 8) == sequence else { continue }
            if type == Kind.done { return false }
            if type == Kind.error {
                let code = -Int32(bitPattern: answer.number(at: 0))
                guard code == 0 else { throw Failure.system("cannot \(what)", code) }
                return false
            }
            answers.append(answer)
        }
        return true
    }
}

extension Failure {
    static func system(_ message: String, _ number: CInt) -> Failure {
        Failure(.fault, message, cause: Errno(number))
    }
}
