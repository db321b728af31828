// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What a Service asks for beyond its own address.
enum ServiceDemands {
    /// The port of the node that leads to a Service's port.
    static func nodePort(_ port: JSON, of service: KubeObject) -> Int? {
        guard ["NodePort", "LoadBalancer"].contains(service.spec["type"]?.string ?? ""),
            let number = port["nodePort"]?.int, (1...65535).contains(number)
        else { return nil }
        return number
    }

    /// Whether the Service wants a load balancer of us.
    static func wantsBalancer(_ service: KubeObject) -> Bool {
        service.spec["type"]?.string == "LoadBalancer" && service.spec["loadBalancerClass"]?.string == nil
    }

    /// What of it is not done, in words.
    static func unmet(by service: KubeObject) -> [ProxyWarning] {
        let spec = service.spec
        var warnings: [ProxyWarning] = []
        func warn(_ reason: String, _ message: String) { warnings.append(service.warning(reason, message)) }
        if let addresses = spec["externalIPs"]?.array, !addresses.isEmpty {
            warn("ExternalIPsNotServed", "spec.externalIPs is not served; use an Ingress or a NodePort")
        }
        if spec["externalTrafficPolicy"]?.string == "Local" {
            warn(
                "ClientAddressNotKept",
                "externalTrafficPolicy Local: traffic stays on this node, but pods see the node's address as the client's"
            )
        }
        if wantsBalancer(service), spec["loadBalancerSourceRanges"]?.array?.isEmpty == false {
            warn(
                "SourceRangesNotHonoured",
                "spec.loadBalancerSourceRanges is not enforced; the address is this machine's only"
            )
        }
        if wantsBalancer(service), let wanted = spec["loadBalancerIP"]?.string, !wanted.isEmpty,
            wanted != spec["clusterIP"]?.string
        {
            warn("LoadBalancerIPNotHonoured", "spec.loadBalancerIP \(wanted) cannot be chosen on this machine")
        }
        if spec["type"]?.string == "LoadBalancer", let name = spec["loadBalancerClass"]?.string {
            warn("LoadBalancerClassUnknown", "nothing on this machine implements the load balancer class '\(name)'")
        }
        return warnings
    }
}
