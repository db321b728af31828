// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Decides which endpoint slices a service should have, from its pods.
struct EndpointPlan: Sendable {
    static let serviceLabel = "kubernetes.io/service-name"
    static let managerLabel = "endpointslice.kubernetes.io/managed-by"
    static let manager = "endpointslice-controller.k8s.io"
    static let headlessLabel = "service.kubernetes.io/headless"
    private static let sliceLimit = 100

    let service: KubeObject
    /// Endpoints that listen on the same ports, at most 100 together; a service without pods gets one empty group.
    let groups: [(ports: [JSON], endpoints: [JSON])]

    init(_ service: KubeObject, pods: [KubeObject]) {
        self.service = service
        var byPorts: [String: (ports: [JSON], endpoints: [JSON])] = [:]
        for pod in pods.sorted(by: { $0.name < $1.name }) {
            guard let endpoint = Self.endpoint(of: pod, for: service) else { continue }
            let ports = Self.ports(of: service, on: pod)
            let key = JSON.array(ports).text
            byPorts[key, default: (ports, [])].endpoints.append(endpoint)
        }
        var groups: [(ports: [JSON], endpoints: [JSON])] = []
        for (_, group) in byPorts.sorted(by: { $0.key < $1.key }) {
            for start in stride(from: 0, to: group.endpoints.count, by: Self.sliceLimit) {
                let end = min(start + Self.sliceLimit, group.endpoints.count)
                groups.append((group.ports, Array(group.endpoints[start..<end])))
            }
        }
        self.groups = groups.isEmpty ? [([], [])] : groups
    }

    // MARK: Endpoints

    /// `nil` for a pod that cannot be reached: without an address, or finished.
    static func endpoint(of pod: KubeObject, for service: KubeObject) -> JSON? {
        guard let address = pod.status["podIP"]?.string, !address.isEmpty, !pod.isFinishedPod else { return nil }
        let serving = pod.isReadyPod
        let isForced = service.spec["publishNotReadyAddresses"]?.bool == true
        var endpoint: JSON = [
            "addresses": [.string(address)],
            "conditions": [
                "ready": .bool(isForced || (serving && !pod.isTerminating)), "serving": .bool(serving),
                "terminating": .bool(pod.isTerminating),
            ],
        ]
        if let host = pod.spec["hostname"]?.string, !host.isEmpty, pod.spec["subdomain"]?.string == service.name {
            endpoint["hostname"] = .string(host)
        }
        endpoint["nodeName"] = pod.nodeName.isEmpty ? JSON?.none : .string(pod.nodeName)
        endpoint["targetRef"] = [
            "kind": "Pod", "namespace": .string(pod.namespace ?? ""), "name": .string(pod.name),
            "uid": .string(pod.uid),
        ]
        return endpoint
    }

    // MARK: Ports

    /// The service's ports as the pod listens on them; a named port the pod does not have is left out.
    static func ports(of service: KubeObject, on pod: KubeObject) -> [JSON] {
        (service.spec["ports"]?.array ?? []).compactMap { port in
            guard let number = target(of: port, on: pod) else { return nil }
            var entry: JSON = [
                "name": port["name"] ?? "", "port": JSON(number), "protocol": port["protocol"] ?? "TCP",
            ]
            entry["appProtocol"] = port["appProtocol"]
            return entry
        }
    }

    private static func target(of port: JSON, on pod: KubeObject) -> Int? {
        guard let target = port["targetPort"], !target.isNull else { return port["port"]?.int }
        guard let name = target.string else { return target.int == 0 ? port["port"]?.int : target.int }
        let sidecars = (pod.spec["initContainers"]?.array ?? []).filter { $0["restartPolicy"]?.string == "Always" }
        let ports = ((pod.spec["containers"]?.array ?? []) + sidecars).flatMap { $0["ports"]?.array ?? [] }
        let wanted = port["protocol"]?.string ?? "TCP"
        return ports.first { $0["name"]?.string == name && $0["protocol"]?.string ?? "TCP" == wanted }?[
            "containerPort"
        ]?.int
    }

    // MARK: Slices

    private var labels: [String: String] {
        var labels = service.labels.filter { $0.key != Self.headlessLabel && $0.key != Self.serviceLabel }
        labels[Self.serviceLabel] = service.name
        labels[Self.managerLabel] = Self.manager
        if service.spec["clusterIP"]?.string == "None" { labels[Self.headlessLabel] = "" }
        return labels
    }

    private func slice(_ group: (ports: [JSON], endpoints: [JSON])) -> KubeObject {
        var metadata: JSON = ["generateName": .string("\(service.name)-"), "labels": JSON(labels)]
        metadata["namespace"] = service.metadata["namespace"]
        metadata["ownerReferences"] = [service.controllerReference(as: .services)]
        return KubeObject([
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata, "addressType": "IPv4",
            "endpoints": .array(group.endpoints), "ports": .array(group.ports),
        ])
    }

    /// What turns the slices there are into those there should be. A slice keeps its place as long as its ports do.
    func changes(from present: [KubeObject]) -> (create: [KubeObject], update: [KubeObject], delete: [KubeObject]) {
        var unused = present.filter { !$0.isTerminating }.sorted { $0.name < $1.name }
        var (create, update): ([KubeObject], [KubeObject]) = ([], [])
        for group in groups {
            let wanted = slice(group)
            let index = unused.firstIndex { $0["ports"]?.array ?? [] == group.ports } ?? unused.indices.first
            guard let index else {
                create.append(wanted)
                continue
            }
            let current = unused.remove(at: index)
            var next = current
            for field in ["endpoints", "ports"] { next[field] = wanted[field] }
            next.json.set(JSON(labels), at: ["metadata", "labels"])
            if !Self.isSame(next, current) { update.append(next) }
        }
        return (create, update, unused)
    }

    private static func isSame(_ left: KubeObject, _ right: KubeObject) -> Bool {
        left.labels == right.labels && left["endpoints"]?.array ?? [] == right["endpoints"]?.array ?? []
            && left["ports"]?.array ?? [] == right["ports"]?.array ?? []
    }
}
