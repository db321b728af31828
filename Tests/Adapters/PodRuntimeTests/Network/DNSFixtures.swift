// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

@testable import PodRuntime

/// Services and EndpointSlices for name server tests.
enum DNSFixtures {
    static func service(_ name: String, _ namespace: String = "shop", spec: JSON) -> KubeObject {
        var service = KubeObject(.services, namespace: namespace, name: name)
        service["spec"] = spec
        return service
    }

    static func slice(_ service: String, _ namespace: String = "shop", endpoints: JSON, ports: JSON = []) -> KubeObject
    {
        var slice = KubeObject(
            .endpointSlices,
            namespace: namespace,
            name: "\(service)-x",
            labels: ["kubernetes.io/service-name": service]
        )
        slice["addressType"] = "IPv4"
        slice["endpoints"] = endpoints
        slice["ports"] = ports
        return slice
    }

    static let services = [
        service(
            "web",
            spec: [
                "clusterIP": "10.200.0.7", "ports": [["name": "http", "port": 80, "protocol": "TCP"], ["port": 81]],
            ]
        ),
        service("db", spec: ["clusterIP": "None", "ports": [["name": "sql", "port": 5432]]]),
        service("bare", spec: ["clusterIP": "None"]),
        service("far", spec: ["type": "ExternalName", "externalName": "Outside.Example.com"]),
        service("near", spec: ["type": "ExternalName", "externalName": "web.shop.svc.cluster.local"]),
    ]

    static let slices = [
        slice(
            "web",
            endpoints: [["addresses": ["10.200.16.9"], "conditions": ["ready": true]]],
            ports: [["name": "http", "port": 8080]]
        ),
        slice(
            "db",
            endpoints: [
                ["addresses": ["10.200.16.2"], "hostname": "db-0", "conditions": ["ready": true]],
                ["addresses": ["10.200.16.3"]],
                ["addresses": ["10.200.16.4"], "conditions": ["ready": false]],
            ],
            ports: [["name": "sql", "port": 5432, "protocol": "TCP"]]
        ),
    ]

    static let zone = DNSZone(
        services: services,
        slices: slices,
        podSubnet: pods,
        serviceSubnet: all,
        serial: 9
    )

    static let pods = IPv4Subnet(IPv4Address(0x0AC8_1000), prefixLength: 24)
    static let all = IPv4Subnet(IPv4Address(0x0AC8_0000), prefixLength: 20)

    /// A question as a client sends it.
    static func question(_ name: String, _ type: DNSType, payload: UInt16? = nil, id: UInt16 = 77) -> [UInt8] {
        var option: [UInt8] = []
        if let payload { option = [0, 0, 41] + DNSRecord.big(payload) + [0, 0, 0, 0, 0, 0] }
        var message = DNSRecord.big(id)
        message += [1, 0]
        message += [0, 1, 0, 0, 0, 0, 0, payload == nil ? 0 : 1]
        for label in name.split(separator: ".") {
            message.append(UInt8(label.utf8.count))
            message += Array(label.utf8)
        }
        message.append(0)
        message += DNSRecord.big(type.number)
        message += [0, 1]
        return message + option
    }
}
