// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Lists behind each service the pods it selects; and makes the `kubernetes` service.
struct EndpointSliceController: Reconciler {
    let context: ControllerContext
    let name = "endpoint-slice-controller"

    private var mirrors: ClusterMirrors { context.mirrors }
    private static let apiService = ObjectName(namespace: "default", name: "kubernetes")

    var initialNames: [ObjectName] { context.configuration.endpoint == nil ? [] : [Self.apiService] }

    var triggers: [Trigger] {
        [
            .each(mirrors.services),
            Trigger(mirrors.pods) { [mirrors] change in
                guard Self.mattersToServices(change) else { return [] }
                let services = mirrors.services.objects(in: change.object.namespace ?? "")
                return services.filter { service in change.versions.contains { service.selects($0) } }.map {
                    ObjectName($0)
                }
            },
            Trigger(mirrors.endpointSlices) { change in
                guard let service = change.object.labels[EndpointPlan.serviceLabel] else { return [] }
                return [ObjectName(namespace: change.object.namespace, name: service)]
            },
            Trigger(mirrors.namespaces) { $0.object.name == "default" ? [Self.apiService] : [] },
        ]
    }

    private static func mattersToServices(_ change: ObjectChange) -> Bool {
        guard case .updated(let pod, let before) = change else { return true }
        return pod.labels != before.labels || pod.status["podIP"] != before.status["podIP"]
            || pod.isReadyPod != before.isReadyPod || pod.isTerminating != before.isTerminating
            || pod.isFinishedPod != before.isFinishedPod || pod.nodeName != before.nodeName
    }

    func reconcile(_ name: ObjectName) async throws -> Duration? {
        if name == Self.apiService, let endpoint = context.configuration.endpoint {
            try await APIService(endpoint: endpoint).ensure(context)
            return nil
        }
        // The slices of a service that is gone go with it, by their owner reference.
        guard let service = mirrors.services[name], !service.isTerminating, service.hasSelector else { return nil }
        let pods = mirrors.pods.objects(in: name.namespace).filter { service.selects($0) }
        let present = mirrors.endpointSlices.objects(in: name.namespace).filter { slice in
            slice.labels[EndpointPlan.serviceLabel] == name.name
                && slice.labels[EndpointPlan.managerLabel] == EndpointPlan.manager
        }
        let changes = EndpointPlan(service, pods: pods).changes(from: present)
        do {
            for slice in changes.create { try await context.writer.create(slice, as: .endpointSlices) }
        } catch let failure as Failure where failure.status?.isNamespaceTerminating == true { return nil }
        for slice in changes.update { try await context.writer.update(slice, as: .endpointSlices) }
        for slice in changes.delete { try await context.writer.delete(slice, as: .endpointSlices) }
        return nil
    }
}

extension KubeObject {
    /// Whether the cluster keeps this service's endpoints.
    fileprivate var hasSelector: Bool {
        spec["type"]?.string != "ExternalName" && spec["selector"]?.object?.isEmpty == false
    }

    fileprivate func selects(_ pod: KubeObject) -> Bool {
        hasSelector && (spec["selector"]?.stringMap ?? [:]).allSatisfy { pod.labels[$0.key] == $0.value }
    }
}

/// The service `kubernetes` in `default`, by which pods reach the API.
struct APIService: Sendable {
    let endpoint: ControllerConfiguration.Endpoint

    private var service: KubeObject {
        var service = KubeObject(
            .services,
            namespace: "default",
            name: "kubernetes",
            labels: ["component": "apiserver", "provider": "kubernetes"]
        )
        service["spec"] = [
            "type": "ClusterIP", "clusterIP": .string(endpoint.serviceAddress),
            "clusterIPs": [.string(endpoint.serviceAddress)], "sessionAffinity": "None",
            "ports": [["name": "https", "protocol": "TCP", "port": 443, "targetPort": JSON(endpoint.port)]],
        ]
        return service
    }

    private var slice: KubeObject {
        var slice = KubeObject(
            .endpointSlices,
            namespace: "default",
            name: "kubernetes",
            labels: [EndpointPlan.serviceLabel: "kubernetes"]
        )
        slice["addressType"] = "IPv4"
        slice["endpoints"] = [["addresses": [.string(endpoint.address)], "conditions": ["ready": true]]]
        slice["ports"] = [["name": "https", "port": JSON(endpoint.port), "protocol": "TCP"]]
        return slice
    }

    func ensure(_ context: ControllerContext) async throws {
        let name = ObjectName(namespace: "default", name: "kubernetes")
        guard context.mirrors.namespaces[ObjectName(name: "default")] != nil else { return }
        if let present = context.mirrors.services[name] {
            if present.spec["ports"]?[0]?["targetPort"]?.int != endpoint.port {
                try await context.writer.merge(
                    ["spec": ["ports": service.spec["ports"] ?? []]],
                    into: present,
                    as: .services
                )
            }
        } else {
            try await context.writer.create(service, as: .services)
        }
        guard let present = context.mirrors.endpointSlices[name] else {
            try await context.writer.create(slice, as: .endpointSlices)
            return
        }
        var wanted = present
        for field in ["endpoints", "ports"] { wanted[field] = slice[field] }
        guard wanted != present else { return }
        try await context.writer.update(wanted, as: .endpointSlices)
    }
}
