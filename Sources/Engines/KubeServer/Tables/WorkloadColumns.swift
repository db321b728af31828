// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

struct DeploymentColumns: TableColumns {
    let columns: [TableColumn] = [
        .name, .text("Ready"), .text("Up-to-date"), .text("Available"), .age, .text("Containers", wide: true),
        .text("Images", wide: true), .text("Selector", wide: true),
    ]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        let spec = object["spec"] ?? [:]
        let status = object["status"] ?? [:]
        let (names, images) = Cell.containers(spec[path: "template", "spec"])
        let ready = "\(status["readyReplicas"]?.int ?? 0)/\(spec["replicas"]?.int ?? 0)"
        return [
            Cell.name(object), .string(ready), Cell.whole(status["updatedReplicas"]),
            Cell.whole(status["availableReplicas"]), Age.of(object, now), names, images,
            Cell.selector(spec["selector"]),
        ]
    }
}

struct ReplicaSetColumns: TableColumns {
    let columns: [TableColumn] = [
        .name, .whole("Desired"), .whole("Current"), .whole("Ready"), .age, .text("Containers", wide: true),
        .text("Images", wide: true), .text("Selector", wide: true),
    ]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        let spec = object["spec"] ?? [:]
        let status = object["status"] ?? [:]
        let (names, images) = Cell.containers(spec[path: "template", "spec"])
        return [
            Cell.name(object), Cell.whole(spec["replicas"]), Cell.whole(status["replicas"]),
            Cell.whole(status["readyReplicas"]), Age.of(object, now), names, images, Cell.selector(spec["selector"]),
        ]
    }
}

struct DaemonSetColumns: TableColumns {
    let columns: [TableColumn] = [
        .name, .whole("Desired"), .whole("Current"), .whole("Ready"), .whole("Up-to-date"), .whole("Available"),
        .text("Node Selector"), .age, .text("Containers", wide: true), .text("Images", wide: true),
        .text("Selector", wide: true),
    ]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        let spec = object["spec"] ?? [:]
        let status = object["status"] ?? [:]
        let pod = spec[path: "template", "spec"]
        let (names, images) = Cell.containers(pod)
        return [
            Cell.name(object), Cell.whole(status["desiredNumberScheduled"]),
            Cell.whole(status["currentNumberScheduled"]), Cell.whole(status["numberReady"]),
            Cell.whole(status["updatedNumberScheduled"]), Cell.whole(status["numberAvailable"]),
            Cell.labels(pod?["nodeSelector"]), Age.of(object, now), names, images, Cell.selector(spec["selector"]),
        ]
    }
}

struct StatefulSetColumns: TableColumns {
    let columns: [TableColumn] = [
        .name, .text("Ready"), .age, .text("Containers", wide: true), .text("Images", wide: true),
    ]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        let (names, images) = Cell.containers(object[path: "spec", "template", "spec"])
        let ready = object[path: "status", "readyReplicas"]?.int ?? 0
        let wanted = object[path: "spec", "replicas"]?.int ?? 0
        return [Cell.name(object), .string("\(ready)/\(wanted)"), Age.of(object, now), names, images]
    }
}

struct JobColumns: TableColumns {
    let columns: [TableColumn] = [
        .name, .text("Status"), .text("Completions"), .text("Duration"), .age, .text("Containers", wide: true),
        .text("Images", wide: true), .text("Selector", wide: true),
    ]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        let spec = object["spec"] ?? [:]
        let (names, images) = Cell.containers(spec[path: "template", "spec"])
        return [
            Cell.name(object), .string(status(object)), .string(completions(object)), .string(duration(object, now)),
            Age.of(object, now), names, images, Cell.selector(spec["selector"]),
        ]
    }

    private func status(_ object: JSON) -> String {
        func holds(_ type: String) -> Bool {
            object[path: "status", "conditions"]?.array?.contains {
                $0["type"]?.string == type && $0["status"]?.string == "True"
            } ?? false
        }
        if holds("Complete") { return "Complete" }
        if holds("Failed") { return "Failed" }
        if object[path: "metadata", "deletionTimestamp"]?.string != nil { return "Terminating" }
        if holds("Suspended") { return "Suspended" }
        if holds("FailureTarget") { return "FailureTarget" }
        if holds("SuccessCriteriaMet") { return "SuccessCriteriaMet" }
        return "Running"
    }

    private func completions(_ object: JSON) -> String {
        let succeeded = object[path: "status", "succeeded"]?.int ?? 0
        if let wanted = object[path: "spec", "completions"]?.int { return "\(succeeded)/\(wanted)" }
        let parallelism = object[path: "spec", "parallelism"]?.int ?? 0
        return parallelism > 1 ? "\(succeeded)/1 of \(parallelism)" : "\(succeeded)/1"
    }

    private func duration(_ object: JSON, _ now: Timestamp) -> String {
        func moment(_ member: String) -> Timestamp? {
            object[path: "status", member]?.string.flatMap { Timestamp($0) }
        }
        guard let start = moment("startTime") else { return "" }
        return Age.text((moment("completionTime") ?? now) - start)
    }
}

struct CronJobColumns: TableColumns {
    let columns: [TableColumn] = [
        .name, .text("Schedule"), .text("Timezone"), TableColumn(name: "Suspend", type: "boolean"), .whole("Active"),
        .text("Last Schedule"), .age, .text("Containers", wide: true), .text("Images", wide: true),
        .text("Selector", wide: true),
    ]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        let spec = object["spec"] ?? [:]
        let template = spec[path: "jobTemplate", "spec"]
        let (names, images) = Cell.containers(template?[path: "template", "spec"])
        let last = object[path: "status", "lastScheduleTime"]
        return [
            Cell.name(object), Cell.text(spec["schedule"]), Cell.text(spec["timeZone"], or: "<none>"),
            spec["suspend"]?.bool == true ? "True" : "False",
            JSON(object[path: "status", "active"]?.array?.count ?? 0),
            last == nil ? "<none>" : .string(Age.since(last, now)), Age.of(object, now), names, images,
            Cell.selector(template?["selector"]),
        ]
    }
}

struct ServiceColumns: TableColumns {
    let columns: [TableColumn] = [
        .name, .text("Type"), .text("Cluster-IP"), .text("External-IP"), .text("Port(s)"), .age,
        .text("Selector", wide: true),
    ]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        let spec = object["spec"] ?? [:]
        let address = spec["clusterIPs"]?[0]?.string ?? spec["clusterIP"]?.string ?? ""
        return [
            Cell.name(object), Cell.text(spec["type"]), .string(address.isEmpty ? "<none>" : address),
            .string(external(object)), .string(ports(spec)), Age.of(object, now), Cell.labels(spec["selector"]),
        ]
    }

    private func external(_ object: JSON) -> String {
        let spec = object["spec"] ?? [:]
        let given = (spec["externalIPs"]?.array ?? []).compactMap(\.string)
        switch spec["type"]?.string ?? "" {
        case "ExternalName": return spec["externalName"]?.string ?? ""
        case "LoadBalancer":
            let ingress = object[path: "status", "loadBalancer", "ingress"]?.array ?? []
            let all = ingress.compactMap { $0["ip"]?.string ?? $0["hostname"]?.string } + given
            return all.isEmpty ? "<pending>" : all.joined(separator: ",")
        default: return given.isEmpty ? "<none>" : given.joined(separator: ",")
        }
    }

    private func ports(_ spec: JSON) -> String {
        let ports = spec["ports"]?.array ?? []
        guard !ports.isEmpty else { return "<none>" }
        return ports.map { port in
            let node = port["nodePort"]?.int ?? 0
            let middle = node > 0 ? ":\(node)" : ""
            return "\(port["port"]?.int ?? 0)\(middle)/\(port["protocol"]?.string ?? "TCP")"
        }.joined(separator: ",")
    }
}

struct IngressColumns: TableColumns {
    let columns: [TableColumn] = [
        .name, .text("Class"), .text("Hosts"), .text("Address"), .text("Ports"), .age,
    ]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        let spec = object["spec"] ?? [:]
        let hasTLS = !(spec["tls"]?.array ?? []).isEmpty
        let ingress = object[path: "status", "loadBalancer", "ingress"]?.array ?? []
        let addresses = ingress.compactMap { $0["ip"]?.string ?? $0["hostname"]?.string }
        return [
            Cell.name(object), Cell.text(spec["ingressClassName"], or: "<none>"), .string(hosts(spec)),
            .string(addresses.joined(separator: ",")), .string(hasTLS ? "80, 443" : "80"), Age.of(object, now),
        ]
    }

    /// At most three hosts, then how many more there are.
    private func hosts(_ spec: JSON) -> String {
        let hosts = (spec["rules"]?.array ?? []).compactMap { $0["host"]?.string }.filter { !$0.isEmpty }
        guard !hosts.isEmpty else { return "*" }
        guard hosts.count > 3 else { return hosts.joined(separator: ",") }
        return "\(hosts.prefix(3).joined(separator: ",")) + \(hosts.count - 3) more..."
    }
}

struct EndpointSliceColumns: TableColumns {
    let columns: [TableColumn] = [.name, .text("AddressType"), .text("Ports"), .text("Endpoints"), .age]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        let ports = (object["ports"]?.array ?? []).map { $0["port"]?.int.map(String.init) ?? "*" }
        let addresses = (object["endpoints"]?.array ?? []).flatMap {
            ($0["addresses"]?.array ?? []).compactMap(\.string)
        }
        return [
            Cell.name(object), Cell.text(object["addressType"]), .string(short(ports)), .string(short(addresses)),
            Age.of(object, now),
        ]
    }

    private func short(_ all: [String]) -> String {
        guard !all.isEmpty else { return "<unset>" }
        guard all.count > 3 else { return all.joined(separator: ",") }
        return "\(all.prefix(3).joined(separator: ",")) + \(all.count - 3) more..."
    }
}
