// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Logging
import Model
import NIOCore
import NIOPosix
package import Ports
import Synchronization
package import Telemetry

/// The cluster's name server, on the bridge's address.
///
/// It follows Services and EndpointSlices and answers from an immutable table, swapped whole; other names are asked of
/// the host's own name servers.
package struct PodDNS: Sendable {
    private let plan: NetworkPlan
    private let api: any ClusterAPI
    private let telemetry: Telemetry

    package init(plan: NetworkPlan, api: any ClusterAPI, telemetry: Telemetry) {
        self.plan = plan
        self.api = api
        self.telemetry = telemetry
    }

    /// Serves until the surrounding task is cancelled. The bridge must be there. Throws when the port is taken.
    package func run() async throws {
        try await serve(
            host: plan.gateway.description,
            port: 53,
            HostNameServers(group: Self.group, excluded: [plan.gateway.description])
        )
    }

    private static var group: MultiThreadedEventLoopGroup { .singleton }

    func serve(
        host: String,
        port: Int,
        _ upstream: any DNSUpstream,
        onReady: @escaping @Sendable (Int) -> Void = { _ in }
    )
        async throws
    {
        let services = ObjectMirror(ListQuery(.services), of: api, trim: Self.trim)
        let slices = ObjectMirror(ListQuery(.endpointSlices), of: api, trim: Self.trim)
        let zone = SharedZone(empty())
        let resolver = DNSResolver(zone: { zone.current }, upstream: upstream)
        func listener(_ port: Int) throws -> DNSListener {
            let address = try SocketAddress(ipAddress: host, port: port)
            return DNSListener(group: Self.group, address: address, resolver: resolver, telemetry: telemetry)
        }
        let first = try listener(port)
        let datagrams = try await first.bindDatagrams()
        let bound = datagrams.channel.localAddress?.port ?? port
        let second = try listener(bound)
        let connections: DNSListener.Connections
        do {
            connections = try await second.bindConnections()
        } catch {
            // NIO ends the process where a channel is dropped that was not closed.
            try? await datagrams.executeThenClose { _, _ in }
            throw error
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await services.run() }
            group.addTask { await slices.run() }
            group.addTask { await follow(services, slices, zone) }
            group.addTask { try await first.serve(datagrams) }
            group.addTask { try await second.serve(connections) }
            onReady(bound)
            // Each part runs until it is cancelled; the first that ends ends all.
            try await group.next()
            group.cancelAll()
        }
    }

    private func empty() -> DNSZone { zone([], [], serial: 0) }

    private func zone(_ services: [KubeObject], _ slices: [KubeObject], serial: UInt32) -> DNSZone {
        DNSZone(
            services: services,
            slices: slices,
            podSubnet: plan.podSubnet,
            serviceSubnet: plan.serviceSubnet,
            serial: serial
        )
    }

    /// Makes the table anew after changes; those that come while one is made are taken together.
    private func follow(_ services: ObjectMirror, _ slices: ObjectMirror, _ shared: SharedZone) async {
        await services.waitUntilSynced()
        await slices.waitUntilSynced()
        let (wakes, wake) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        await withTaskGroup(of: Void.self) { group in
            for mirror in [services, slices] {
                group.addTask { for await _ in mirror.changes() { wake.yield() } }
            }
            wake.yield()
            var serial: UInt32 = 0
            for await _ in wakes {
                serial &+= 1
                shared.current = zone(services.objects, slices.objects, serial: serial)
            }
            group.cancelAll()
        }
    }

    /// Managed fields are large and mean nothing here.
    private static let trim: @Sendable (KubeObject) -> KubeObject = { object in
        var object = object
        object.json.set(nil, at: ["metadata", "managedFields"])
        return object
    }
}

/// The table in force.
final class SharedZone: Sendable {
    private let zone: Mutex<DNSZone>
    init(_ zone: DNSZone) { self.zone = Mutex(zone) }

    var current: DNSZone {
        get { zone.withLock { $0 } }
        set { zone.withLock { $0 = newValue } }
    }
}
