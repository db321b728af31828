// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What Envoy shall do, in its own terms: the resources by name.
struct ProxyPlan: Sendable, Equatable {
    var clusters: [String: JSON] = [:]
    var listeners: [String: JSON] = [:]
    /// The edge's routes.
    var routes: JSON = [:]
    /// Where requests are led by choice: without those endpoints that only stand in while they end.
    var inUse: Set<EnvoyCluster.Endpoint> = []
    /// What was asked for and is not done, and why.
    var warnings: [ProxyWarning] = []
}

/// Something about an object that the proxy cannot honour.
struct ProxyWarning: Sendable, Hashable {
    enum Subject: Sendable, Hashable { case service, ingress }

    var subject: Subject
    var namespace: String
    var name: String
    var uid: String
    /// An event's reason, such as `UnsupportedProtocol`.
    var reason: String
    var message: String
}

/// The objects a plan is made from.
struct ProxyInput: Sendable {
    var services: [KubeObject] = []
    var slices: [KubeObject] = []
    var ingresses: [KubeObject] = []
    var ingressClasses: [KubeObject] = []
    /// Those of the slices' addresses that are this machine's own, as of now.
    var ownAddresses: Set<String> = []
}

extension ProxyInput {
    /// All addresses that slices name.
    var addresses: Set<String> {
        var found: Set<String> = []
        for slice in slices {
            for endpoint in slice["endpoints"]?.array ?? [] {
                for address in endpoint["addresses"]?.array ?? [] {
                    if let text = address.string { found.insert(text) }
                }
            }
        }
        return found
    }

    /// The plan for these objects; nothing else decides it, not even their order.
    func plan(_ configuration: EnvoyConfiguration) -> ProxyPlan {
        var plan = ProxyPlan()
        var services = ServiceCompiler(slices: slices, ownAddresses: ownAddresses, configuration: configuration)
        for service in self.services.sorted(by: Self.isBefore) { services.add(service, to: &plan) }
        var edge = EdgeCompiler(ports: services.ports)
        let classes = EdgeClasses(ingressClasses)
        for ingress in ingresses.sorted(by: Self.isBefore) where classes.serve(ingress) { edge.add(ingress, to: &plan) }
        plan.routes = edge.routes
        plan.listeners["edge"] = EdgeListener(configuration).json
        return plan
    }

    /// Older objects first: where two contradict each other, the older one wins.
    private static func isBefore(_ left: KubeObject, _ right: KubeObject) -> Bool {
        let (leftAge, rightAge) = (left.creationTimestamp?.nanoseconds ?? 0, right.creationTimestamp?.nanoseconds ?? 0)
        return (leftAge, left.namespace ?? "", left.name) < (rightAge, right.namespace ?? "", right.name)
    }
}
