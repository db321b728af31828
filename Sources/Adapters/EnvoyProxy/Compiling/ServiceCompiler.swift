// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Turns Services and their EndpointSlices into a listener per address and port, and a cluster per port.
struct ServiceCompiler {
    /// A Service's port and the cluster that stands for it.
    struct Port {
        var name: String
        var number: Int
        var cluster: String
    }

    /// By `namespace/service`, for the edge.
    private(set) var ports: [String: [Port]] = [:]
    private let slices: [String: [KubeObject]]
    private let hostServices: [String: EnvoyConfiguration.HostService]
    private let nodeAddress: String?
    /// Those of the slices' addresses that are this machine's own.
    private let ownAddresses: Set<String>

    init(slices: [KubeObject], ownAddresses: Set<String>, configuration: EnvoyConfiguration) {
        self.ownAddresses = ownAddresses
        nodeAddress = configuration.nodeAddress
        self.slices = Dictionary(grouping: slices) { slice in
            "\(slice.namespace ?? "")/\(slice.labels["kubernetes.io/service-name"] ?? "")"
        }
        self.hostServices = Dictionary(configuration.hostServices.map { ("\($0.namespace)/\($0.name)", $0) }) {
            first,
            _ in first
        }
    }

    mutating func add(_ service: KubeObject, to plan: inout ProxyPlan) {
        let key = "\(service.namespace ?? "")/\(service.name)"
        if service.spec["type"]?.string == "ExternalName" {
            // An alias could name this machine's own ports; names are for pods' DNS, not for the proxy.
            ports[key] = []
            return
        }
        plan.warnings += ServiceDemands.unmet(by: service)
        noteRefused(key, service, &plan)
        for port in service.spec["ports"]?.array ?? [] {
            guard let number = port["port"]?.int, (1...65535).contains(number) else { continue }
            let transport = port["protocol"]?.string ?? "TCP"
            guard transport == "TCP" else {
                plan.warnings.append(
                    service.warning(
                        "UnsupportedProtocol",
                        "port \(number) is \(transport); Service addresses answer TCP only"
                    )
                )
                continue
            }
            add(port, number, of: service, key, to: &plan)
        }
        if ports[key] == nil { ports[key] = [] }
    }

    private mutating func add(
        _ port: JSON,
        _ number: Int,
        of service: KubeObject,
        _ key: String,
        to plan: inout ProxyPlan
    ) {
        let name = port["name"]?.string ?? ""
        let cluster = "\(key):\(name.isEmpty ? String(number) : name)"
        let isSticky = service.spec["sessionAffinity"]?.string == "ClientIP"
        plan.clusters[cluster] =
            EnvoyCluster(
                name: cluster,
                endpoints: endpoints(key, name, &plan.inUse),
                isSticky: isSticky,
                speaksHTTP2: ["kubernetes.io/h2c", "h2c", "grpc"].contains(port["appProtocol"]?.string ?? "")
            ).json
        ports[key, default: []].append(Port(name: name, number: number, cluster: cluster))
        func listen(_ address: String, _ number: Int) {
            let listener = ServiceListener(
                name: "\(key):\(address):\(number)",
                address: address,
                port: number,
                cluster: cluster,
                isSticky: isSticky
            )
            plan.listeners[listener.name] = listener.json
        }
        for address in Self.addresses(service) { listen(address, number) }
        if let nodeAddress, let nodePort = ServiceDemands.nodePort(port, of: service) { listen(nodeAddress, nodePort) }
    }

    private static func addresses(_ service: KubeObject) -> [String] {
        let all = service.spec["clusterIPs"]?.array?.compactMap(\.string) ?? [service.spec["clusterIP"]?.string ?? ""]
        return all.filter { IPv4Text.number($0) != nil }
    }

    /// Ready endpoints; where there is none, those that still serve while they end.
    private func endpoints(
        _ key: String,
        _ portName: String,
        _ inUse: inout Set<EnvoyCluster.Endpoint>
    ) -> [EnvoyCluster.Endpoint] {
        if let host = hostServices[key] { return [EnvoyCluster.Endpoint(address: host.address, port: host.port)] }
        var ready: Set<EnvoyCluster.Endpoint> = []
        var ending: Set<EnvoyCluster.Endpoint> = []
        for slice in slices[key] ?? [] where slice["addressType"]?.string ?? "IPv4" == "IPv4" {
            let port = slice["ports"]?.array?.first { ($0["name"]?.string ?? "") == portName }
            guard let number = port?["port"]?.int, (1...65535).contains(number) else { continue }
            for endpoint in slice["endpoints"]?.array ?? [] {
                let conditions = endpoint["conditions"] ?? [:]
                let found = (endpoint["addresses"]?.array ?? []).compactMap(\.string).filter(mayBeCalled)
                    .map { EnvoyCluster.Endpoint(address: $0, port: number) }
                if conditions["ready"]?.bool != false {
                    ready.formUnion(found)
                    if conditions["terminating"]?.bool != true { inUse.formUnion(found) }
                } else if conditions["serving"]?.bool == true, conditions["terminating"]?.bool == true {
                    ending.formUnion(found)
                }
            }
        }
        return (ready.isEmpty ? ending : ready).sorted()
    }

    /// A slice can be written by anybody in the cluster. Its addresses may be anywhere, a database's outside for example, but
    /// must not lead to this machine's own ports.
    private func mayBeCalled(_ address: String) -> Bool {
        guard let number = IPv4Text.number(address), !ownAddresses.contains(address) else { return false }
        let refused = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"]
        return !refused.contains { IPv4Text.contains($0, number) }
    }

    private func noteRefused(_ key: String, _ service: KubeObject, _ plan: inout ProxyPlan) {
        guard hostServices[key] == nil else { return }
        for slice in (slices[key] ?? []).sorted(by: { $0.name < $1.name }) {
            let type = slice["addressType"]?.string ?? "IPv4"
            if type != "IPv4" {
                plan.warnings.append(
                    service.warning(
                        "EndpointRefused",
                        "EndpointSlice \(slice.name) holds addresses of type \(type); Service addresses lead to IPv4 only"
                    )
                )
                continue
            }
            let all = (slice["endpoints"]?.array ?? []).flatMap { $0["addresses"]?.array ?? [] }.compactMap(\.string)
            for address in Set(all).sorted() where !mayBeCalled(address) {
                plan.warnings.append(
                    service.warning(
                        "EndpointRefused",
                        "EndpointSlice \(slice.name) holds \(address); no request goes to this machine's own, "
                            + "loopback, link-local and multicast addresses"
                    )
                )
            }
        }
    }
}

extension KubeObject {
    func warning(_ reason: String, _ message: String) -> ProxyWarning {
        ProxyWarning(
            subject: kind == "Ingress" ? .ingress : .service,
            namespace: namespace ?? "",
            name: name,
            uid: uid,
            reason: reason,
            message: message
        )
    }
}
