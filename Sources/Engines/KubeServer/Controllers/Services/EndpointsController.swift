// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Shows what a Service's EndpointSlices list in the older form too, for clients that know no slices.
struct EndpointsController: Reconciler {
    let context: ControllerContext
    let name = "endpoint-controller"

    private static let managerLabel = "endpoints.kubernetes.io/managed-by"
    private var mirrors: ClusterMirrors { context.mirrors }

    var triggers: [Trigger] {
        [
            .each(mirrors.services), .each(mirrors.endpoints),
            Trigger(mirrors.endpointSlices) { change in
                guard let service = change.object.labels[EndpointPlan.serviceLabel] else { return [] }
                return [ObjectName(namespace: change.object.namespace, name: service)]
            },
        ]
    }

    func reconcile(_ name: ObjectName) async throws -> Duration? {
        let present = mirrors.endpoints[name]
        guard let service = mirrors.services[name], !service.isTerminating else {
            // What somebody made by hand is theirs.
            if let present, present.labels[Self.managerLabel] != nil {
                try await context.writer.delete(present, as: .endpoints)
            }
            return nil
        }
        let isAPI = name.namespace == "default" && name.name == "kubernetes"
        guard isAPI || (service.spec["selector"]?.object?.isEmpty == false && service.spec["type"] != "ExternalName")
        else { return nil }
        let slices = mirrors.endpointSlices.objects(in: name.namespace).filter {
            $0.labels[EndpointPlan.serviceLabel] == name.name
        }
        var wanted = present ?? KubeObject(.endpoints, namespace: name.namespace, name: name.name)
        var labels = service.labels
        labels[Self.managerLabel] = self.name
        if service.spec["clusterIP"] == "None" { labels[EndpointPlan.headlessLabel] = "" }
        let sorted = labels.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) }
        wanted.json.set(.object(JSONObject(sorted)), at: ["metadata", "labels"])
        let subsets = Self.subsets(slices)
        wanted["subsets"] = subsets.isEmpty ? JSON?.none : .array(subsets)
        guard wanted != present else { return nil }
        do {
            if present == nil {
                try await context.writer.create(wanted, as: .endpoints)
            } else {
                try await context.writer.update(wanted, as: .endpoints)
            }
        } catch let failure as Failure where failure.status?.isNamespaceTerminating == true {}
        return nil
    }

    /// The slices' addresses, those on the same ports together.
    static func subsets(_ slices: [KubeObject]) -> [JSON] {
        var byPorts: [String: (ports: [JSON], ready: [JSON], others: [JSON])] = [:]
        for slice in slices {
            let ports = (slice["ports"]?.array ?? []).map(port).sorted { $0.text < $1.text }
            let key = JSON.array(ports).text
            for endpoint in slice["endpoints"]?.array ?? [] {
                let isReady = endpoint[path: "conditions", "ready"]?.bool ?? true
                guard isReady || endpoint[path: "conditions", "terminating"]?.bool != true else { continue }
                let addresses = addresses(endpoint)
                if isReady {
                    byPorts[key, default: (ports, [], [])].ready += addresses
                } else {
                    byPorts[key, default: (ports, [], [])].others += addresses
                }
            }
        }
        return byPorts.sorted { $0.key < $1.key }.map { _, group in
            var subset = JSONObject()
            for (member, list) in [("addresses", group.ready), ("notReadyAddresses", group.others)] where !list.isEmpty
            {
                subset[member] = .array(list.sorted { $0.text < $1.text })
            }
            if !group.ports.isEmpty { subset["ports"] = .array(group.ports) }
            return .object(subset)
        }
    }

    private static func port(_ port: JSON) -> JSON {
        var result = JSONObject()
        if let name = port["name"]?.string, !name.isEmpty { result["name"] = .string(name) }
        result["port"] = port["port"]
        result["protocol"] = port["protocol"] ?? "TCP"
        result["appProtocol"] = port["appProtocol"]
        return .object(result)
    }

    private static func addresses(_ endpoint: JSON) -> [JSON] {
        (endpoint["addresses"]?.array ?? []).map { address in
            var result: JSONObject = ["ip": address]
            for member in ["hostname", "nodeName", "targetRef"] { result[member] = endpoint[member] }
            return .object(result)
        }
    }
}
