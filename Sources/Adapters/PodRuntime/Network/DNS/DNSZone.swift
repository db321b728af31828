// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What the cluster's names mean, made from its Services and EndpointSlices (Kubernetes DNS specification 1.1).
struct DNSZone: Sendable {
    private struct Endpoint: Hashable {
        var host: String
        var address: IPv4Address
    }

    private var records: [DNSName: [DNSRecord]] = [:]
    /// Names that have no record but lie above some that do.
    private var inner: Set<DNSName> = []
    private let podSubnet: IPv4Subnet
    private let serviceSubnet: IPv4Subnet
    private let serial: UInt32

    init(services: [KubeObject], slices: [KubeObject], podSubnet: IPv4Subnet, serviceSubnet: IPv4Subnet, serial: UInt32)
    {
        self.podSubnet = podSubnet
        self.serviceSubnet = serviceSubnet
        self.serial = serial
        let grouped = Dictionary(grouping: slices) { slice in
            "\(slice.namespace ?? "")/\(slice.labels["kubernetes.io/service-name"] ?? "")"
        }
        add(DNSRecord(name: DNSName(["dns-version", "cluster", "local"]), data: .text("1.1.0")))
        addInner(DNSName(["svc", "cluster", "local"]))
        for service in services {
            guard let namespace = service.namespace else { continue }
            add(
                service,
                name: DNSName([service.name, namespace, "svc", "cluster", "local"]),
                grouped["\(namespace)/\(service.name)"] ?? []
            )
        }
        for key in records.keys { records[key]?.sort { $0.bytes().lexicographicallyPrecedes($1.bytes()) } }
    }

    /// `nil` where the name is not the cluster's to answer for.
    func answer(_ name: DNSName, _ type: DNSType) -> DNSAnswer? {
        guard isOurs(name) else { return nil }
        if let found = records[name] ?? podRecords(name) {
            let alias = found.filter { $0.type == .cname }
            let fitting = alias.isEmpty ? found.filter { $0.type == type || type == .any } : alias
            guard !fitting.isEmpty else { return DNSAnswer(authority: [start]) }
            return DNSAnswer(records: fitting, additional: targets(of: fitting))
        }
        if name == .cluster, type == .soa { return DNSAnswer(records: [start]) }
        if inner.contains(name) || name == .cluster { return DNSAnswer(authority: [start]) }
        return DNSAnswer(code: .noSuchName, authority: [start])
    }

    private var start: DNSRecord { DNSRecord(name: .cluster, data: .start(serial: serial)) }

    private func isOurs(_ name: DNSName) -> Bool {
        if name.labels(before: .cluster) != nil { return true }
        guard let bytes = name.labels(before: .reverse), bytes.count == 4,
            let address = IPv4Address(bytes.reversed().joined(separator: "."))
        else { return false }
        return podSubnet.contains(address) || serviceSubnet.contains(address)
    }

    /// `10-1-2-3.<namespace>.pod.cluster.local` means what it says.
    private func podRecords(_ name: DNSName) -> [DNSRecord]? {
        guard let labels = name.labels(before: .cluster), labels.count == 3, labels[2] == "pod",
            let address = IPv4Address(labels[0].split(separator: "-").joined(separator: ".")),
            podSubnet.contains(address)
        else { return nil }
        return [DNSRecord(name: name, data: .address(address))]
    }

    /// The addresses of a service record's targets, to save the next question.
    private func targets(of found: [DNSRecord]) -> [DNSRecord] {
        found.flatMap { record -> [DNSRecord] in
            guard case .service(_, let target) = record.data else { return [] }
            return (records[target] ?? []).filter { $0.type == .a }
        }
    }
}

extension DNSZone {
    private mutating func add(_ service: KubeObject, name: DNSName, _ slices: [KubeObject]) {
        if service.spec["type"]?.string == "ExternalName" {
            guard let target = service.spec["externalName"]?.string.flatMap({ DNSName($0) }) else { return }
            return add(DNSRecord(name: name, data: .alias(target)))
        }
        let address = service.spec["clusterIP"]?.string.flatMap { IPv4Address($0) }
        if let address {
            add(DNSRecord(name: name, data: .address(address)))
            addPointer(address, name)
            for port in service.spec["ports"]?.array ?? [] {
                guard let number = port["port"]?.int.flatMap(UInt16.init(exactly:)) else { continue }
                add(port, DNSRecord(name: name, data: .service(port: number, target: name)))
            }
        }
        for slice in slices { add(slice, of: name, isHeadless: address == nil) }
    }

    private mutating func add(_ slice: KubeObject, of name: DNSName, isHeadless: Bool) {
        for endpoint in slice["endpoints"]?.array ?? [] where endpoint[path: "conditions", "ready"]?.bool != false {
            for address in (endpoint["addresses"]?.array ?? []).compactMap({ $0.string.flatMap { IPv4Address($0) } }) {
                let host = endpoint["hostname"]?.string ?? address.description.replacing(".", with: "-")
                let own = DNSName([host.lowercased()] + name.labels)
                add(DNSRecord(name: own, data: .address(address)))
                addPointer(address, own)
                guard isHeadless else { continue }
                add(DNSRecord(name: name, data: .address(address)))
                for port in slice["ports"]?.array ?? [] {
                    guard let number = port["port"]?.int.flatMap(UInt16.init(exactly:)) else { continue }
                    add(port, DNSRecord(name: name, data: .service(port: number, target: own)))
                }
            }
        }
    }

    /// A named port's service record lies below the Service's name; an unnamed one has none there. Both are at the name itself.
    private mutating func add(_ port: JSON, _ record: DNSRecord) {
        add(record)
        guard let portName = port["name"]?.string, !portName.isEmpty else { return }
        let transport = (port["protocol"]?.string ?? "TCP").lowercased()
        var named = record
        named.name = DNSName(["_\(portName.lowercased())", "_\(transport)"] + record.name.labels)
        add(named)
    }

    private mutating func addPointer(_ address: IPv4Address, _ name: DNSName) {
        let labels = address.bytes.reversed().map { String($0) } + DNSName.reverse.labels
        add(DNSRecord(name: DNSName(labels), data: .pointer(name)))
    }

    private mutating func add(_ record: DNSRecord) {
        if records[record.name]?.contains(record) == true { return }
        records[record.name, default: []].append(record)
        addInner(DNSName(Array(record.name.labels.dropFirst())))
    }

    private mutating func addInner(_ name: DNSName) {
        var name = name
        while name.labels.count > 2, inner.insert(name).inserted { name.labels.removeFirst() }
    }
}
