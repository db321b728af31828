// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// `status.loadBalancer` of a Service or an Ingress: where a load balancer listens.
enum BalancerStatus {
    private static let path = ["status", "loadBalancer", "ingress"]

    /// An address of a Service's balancer is one that pods see, unless it is said to be otherwise.
    static func setModes(_ object: inout JSON) {
        guard let entries = object[path: path]?.array, !entries.isEmpty else { return }
        let settled = entries.map { entry -> JSON in
            var entry = entry
            if !(entry["ip"]?.string ?? "").isEmpty { PodDefaults.setIfAbsent(&entry, "ipMode", "VIP") }
            return entry
        }
        object.set(.array(settled), at: path)
    }

    static func check(_ object: JSON, _ errors: inout FieldErrors) {
        for (place, entry) in (object[path: path]?.array ?? []).enumerated() {
            let field = "status.loadBalancer.ingress[\(place)]"
            if let address = entry["ip"]?.string, !address.isEmpty, !IPAddressRules.isAddress(address) {
                errors.invalid("\(field).ip", address, IPAddressRules.message)
            }
            guard let host = entry["hostname"]?.string, !host.isEmpty else { continue }
            for problem in NameRules.dnsSubdomainProblems(host) { errors.invalid("\(field).hostname", host, problem) }
            if IPAddressRules.isAddress(host) {
                errors.invalid("\(field).hostname", host, "must be a DNS name, not an IP address")
            }
        }
    }
}
