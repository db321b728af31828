// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Logging
import Model
package import Telemetry

/// A pod's place in the network.
package struct PodPlace: Sendable, Hashable {
    package var address: IPv4Address
    /// What a container's network namespace is set to.
    package var namespacePath: String
    var name: String
    var interface: String
}

/// The pods' network on this machine: a bridge, a namespace and an address per pod, Service addresses, a packet filter.
///
/// Everything it makes carries the prefix of its data folder; it neither sees nor touches what does not.
package actor PodNetwork {
    package nonisolated let plan: NetworkPlan
    private let dataFolder: String
    private let telemetry: Telemetry
    private var pool: AddressPool
    private var places: [String: PodPlace] = [:]
    private var count = 0
    private var bridge: Int32 = 0
    private let mtu = 1500

    /// `dataFolder` is absolute; the plan in it decides names and ranges, and a new one is made where there is none.
    package init(dataFolder: String, telemetry: Telemetry) throws {
        self.dataFolder = dataFolder
        self.telemetry = telemetry
        plan = try Self.plan(dataFolder: dataFolder)
        pool = AddressPool(plan.podSubnet, reserved: 2)
    }

    /// The plan alone, without touching the network: the API server needs the Services' range before there are pods.
    package static func plan(dataFolder: String) throws -> NetworkPlan {
        try NetworkPlan.load(
            dataFolder: dataFolder,
            avoiding: try Netlink().routes().map(\.destination).filter { $0.prefixLength > 0 }
        )
    }

    /// Removes what an earlier run left, then makes bridge, route and packet filter.
    package func start() async throws {
        try removeLeftovers()
        let netlink = try Netlink()
        try netlink.addBridge(plan.bridge, hardware: Self.hardware(plan.gateway), mtu: mtu)
        guard let index = try netlink.index(of: plan.bridge), let loopback = try netlink.index(of: "lo") else {
            throw Failure(.fault, "the bridge '\(plan.bridge)' went away")
        }
        bridge = index
        KernelSetting.write("1", to: "net/ipv6/conf/\(plan.bridge)/disable_ipv6")
        try netlink.addAddress(plan.gateway, prefixLength: plan.podSubnet.prefixLength, to: bridge)
        try netlink.addLocalRoute(plan.serviceSubnet, loopback: loopback)
        await openWayOut(netlink)
    }

    /// Takes everything away again; pods that are still there lose their network.
    package func stop() async {
        for uid in places.keys { removePod(uid) }
        do {
            try removeLeftovers()
            try await PacketFilter(plan: plan, guardedInterface: nil).remove()
            try closeWayOut()
        } catch {
            telemetry.log.warning("the pod network was not taken away whole", metadata: ["error": "\(error)"])
        }
    }

    /// Gives the pod a namespace with `lo`, `eth0`, an address and a default route; the same place for the same uid.
    package func addPod(_ uid: String) async throws -> PodPlace {
        if let place = places[uid] { return place }
        guard let address = pool.take() else {
            throw Failure(.unavailable, "no address is left in the pod subnet \(plan.podSubnet)")
        }
        count += 1
        let number = String(count & 0xFFFF, radix: 16)
        let place = PodPlace(
            address: address,
            namespacePath: NetworkNamespace.path("\(plan.namespacePrefix)\(number)"),
            name: "\(plan.namespacePrefix)\(number)",
            interface: "\(plan.interfacePrefix)\(number)"
        )
        places[uid] = place
        do {
            try await join(place)
            // The port of the bridge needs no address of its own either.
            KernelSetting.write("1", to: "net/ipv6/conf/\(place.interface)/disable_ipv6")
            try await waitUntilForwarding(place)
            return place
        } catch {
            removePod(uid)
            throw error
        }
    }

    /// Takes the pod's namespace away; its address is not handed out again soon. Idempotent.
    package func removePod(_ uid: String) {
        guard let place = places.removeValue(forKey: uid) else { return }
        NetworkNamespace.remove(place.name)
        pool.giveBack(place.address)
    }

    /// The kernel opens a bridge's port a moment after its interface is on; what a pod sends before is lost, and it
    /// would try again only after a second.
    private func waitUntilForwarding(_ place: PodPlace) async throws {
        let forwarding = UInt8(ascii: "3")
        for _ in 0..<1000 {
            if FileText.content("/sys/class/net/\(place.interface)/brport/state")?.first == forwarding { return }
            try await ContinuousClock().sleep(for: .milliseconds(1))
        }
        telemetry.log.warning("a pod's network is slow to open", metadata: ["interface": "\(place.interface)"])
    }

    private func join(_ place: PodPlace) async throws {
        let (bridge, mtu, gateway, length) = (bridge, mtu, plan.gateway, plan.podSubnet.prefixLength)
        let outside = try Netlink.Shared()
        try await NetworkNamespace.create(place.name) { descriptor, inside in
            // Before the interface comes: pods speak IPv4 alone, may ping, and may serve low ports, as under containerd.
            KernelSetting.write("1", to: "net/ipv6/conf/default/disable_ipv6")
            KernelSetting.write("0 2147483647", to: "net/ipv4/ping_group_range")
            KernelSetting.write("0", to: "net/ipv4/ip_unprivileged_port_start")
            try outside.netlink.addPair(
                place.interface,
                bridge: bridge,
                peerNamespace: descriptor,
                peerHardware: Self.hardware(place.address),
                mtu: mtu
            )
            guard let loopback = try inside.index(of: "lo"), let interface = try inside.index(of: "eth0") else {
                throw Failure(.fault, "the pod's interface went away")
            }
            try inside.switchOn(loopback)
            try inside.addAddress(place.address, prefixLength: length, to: interface)
            try inside.switchOn(interface)
            try inside.addDefaultRoute(via: gateway, interface: interface)
        }
    }

    /// A hardware address made from the IPv4 address, so that an address handed out again needs no new look-up.
    private static func hardware(_ address: IPv4Address) -> [UInt8] { [0x02, 0x42] + address.bytes }
}

extension PodNetwork {
    /// Removes every namespace, interface and route with this data folder's names. Idempotent.
    private func removeLeftovers() throws {
        for name in Folder.names(in: NetworkNamespace.folder) where name.hasPrefix(plan.namespacePrefix) {
            NetworkNamespace.remove(name)
        }
        let netlink = try Netlink()
        for link in try netlink.links() where link.name == plan.bridge || link.name.hasPrefix(plan.interfacePrefix) {
            try netlink.removeLink(link.index)
        }
        if let loopback = try netlink.index(of: "lo") {
            try netlink.removeLocalRoute(plan.serviceSubnet, loopback: loopback)
        }
    }

    /// Lets pods reach the world through this machine's default route, and nothing of this machine but what is meant.
    private func openWayOut(_ netlink: Netlink) async {
        do {
            let exit = try defaultInterface(netlink)
            if let exit {
                KernelSetting.write("1", to: "net/ipv4/conf/\(plan.bridge)/forwarding")
                try ForwardingSwitch(interface: exit).switchOn()
            }
            let guarded = exit.flatMap { ForwardingSwitch(interface: $0).isOurs ? $0 : nil }
            try await PacketFilter(plan: plan, guardedInterface: guarded).install()
        } catch {
            telemetry.log.warning(
                "pods are not kept from the host's own ports and may not reach the world outside",
                metadata: ["error": "\(error)"]
            )
        }
    }

    /// Switches forwarding off where a Ballast switched it on and no other one's bridge needs it.
    private func closeWayOut() throws {
        let others = try Netlink().links().filter {
            $0.name.hasPrefix("bl") && $0.name.utf8.count == plan.bridge.utf8.count
        }
        if others.isEmpty { ForwardingSwitch.switchAllOff() }
    }

    private func defaultInterface(_ netlink: Netlink) throws -> String? {
        guard let route = try netlink.routes().first(where: { $0.destination.prefixLength == 0 && $0.interface > 0 })
        else {
            return nil
        }
        return try netlink.links().first { $0.index == route.interface }?.name
    }
}

extension Netlink {
    /// A connection that one other thread uses while its maker waits.
    ///
    /// `@unchecked`: `PodNetwork.join` hands it to the one thread it then waits for, and does not touch it itself.
    struct Shared: @unchecked Sendable {
        let netlink: Netlink
        init() throws { netlink = try Netlink() }
    }
}
