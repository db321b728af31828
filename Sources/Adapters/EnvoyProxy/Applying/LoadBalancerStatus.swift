// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Logging
import Model
import Ports
import Telemetry

/// Tells each Service of type LoadBalancer where it answers.
///
/// One machine has no load balancer before it. What clients on this machine and pods can reach at exactly the Service's
/// ports is its cluster address, which Envoy answers; so that is the address reported. From other machines a Service is
/// reached through the edge.
struct LoadBalancerStatus {
    private let api: any ClusterAPI
    private let telemetry: Telemetry
    /// Whether something could not be written and is to be tried again.
    private(set) var isWaiting = false

    init(api: any ClusterAPI, telemetry: Telemetry) {
        self.api = api
        self.telemetry = telemetry
    }

    /// Brings the status of those Services up to date that need it; call it when their listeners are in force.
    mutating func observe(_ services: [KubeObject]) async {
        isWaiting = false
        for service in services where service.status[path: "loadBalancer", "ingress"] != Self.ingress(service) {
            await write(Self.ingress(service), of: service)
        }
    }

    /// `nil` where there is nothing to report; one of another implementation is left alone.
    static func ingress(_ service: KubeObject) -> JSON? {
        guard service.spec["type"]?.string == "LoadBalancer" else { return nil }
        let present = service.status[path: "loadBalancer", "ingress"]
        guard ServiceDemands.wantsBalancer(service) else { return present }
        guard let address = service.spec["clusterIP"]?.string, IPv4Text.number(address) != nil else { return present }
        return [["ip": .string(address), "ipMode": "VIP"]]
    }

    private mutating func write(_ ingress: JSON?, of service: KubeObject) async {
        let reference = ObjectReference(.services, namespace: service.namespace, name: service.name)
        let balancer: JSON = ["ingress": ingress ?? .null]
        let body: JSON = ["metadata": ["uid": .string(service.uid)], "status": ["loadBalancer": balancer]]
        do {
            _ = try await api.patch(reference, subresource: "status", .merge, body, options: WriteOptions())
        } catch let failure as Failure where failure.code == .notFound || failure.code == .conflict {
            return  // Another one by now, of which we hear next.
        } catch {
            isWaiting = true
            telemetry.log.warning("a Service's address was not reported", metadata: ["error": "\(error)"])
            return
        }
        guard let address = ingress?[0]?["ip"]?.string else { return }
        let event = ProxyEvent(
            subject: .service,
            namespace: service.namespace ?? "",
            name: service.name,
            uid: service.uid,
            isWarning: false,
            reason: "EnsuredLoadBalancer",
            message: "Ensured load balancer: \(address), reached from this machine and its pods"
        )
        // The event is for people; the cluster may be too busy for it.
        _ = try? await api.create(event.object, as: .events)
    }
}
