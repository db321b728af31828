// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Services and Ingresses: whether they have the addresses at which they are to be reached.
enum NetworkHealth {
    static func service(_ service: KubeObject) -> Health {
        guard service.spec["type"]?.string == "LoadBalancer" else { return .current() }
        guard service.spec["clusterIP"]?.string?.isEmpty == false else {
            return .inProgress("NoIPAssigned", "it has no cluster address yet")
        }
        // Without that member nobody reports on balancers at all.
        guard let balancer = service.status["loadBalancer"] else { return .current() }
        return assigned(balancer["ingress"], "no load balancer has given it an address yet")
    }

    static func ingress(_ ingress: KubeObject) -> Health {
        assigned(ingress.status[path: "loadBalancer", "ingress"], "no controller has given it an address yet")
    }

    /// Optional, because on many clusters nobody writes addresses back, and what is served there is served all the same.
    private static func assigned(_ addresses: JSON?, _ lack: String) -> Health {
        guard let first = addresses?.array?.first else {
            return Health(.inProgress, "AddressNotAssigned", lack, isOptional: true)
        }
        let address = first["ip"]?.string ?? first["hostname"]?.string
        return .current(address.map { "at \($0)" } ?? "it has an address")
    }
}
