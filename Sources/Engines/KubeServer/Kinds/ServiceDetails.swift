// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What the API demands of the finer parts of a Service's spec.
enum ServiceDetails {
    static func check(_ spec: JSON, _ type: String, _ errors: inout FieldErrors) {
        if spec["sessionAffinity"] == "ClientIP",
            let seconds = spec[path: "sessionAffinityConfig", "clientIP", "timeoutSeconds"]?.int,
            !(1...86_400).contains(seconds)
        {
            errors.invalid(
                "spec.sessionAffinityConfig.clientIP.timeoutSeconds",
                seconds,
                "must be greater than 0 and less than 86400"
            )
        }
        checkFamilies(spec, &errors)
        for (place, address) in (spec["externalIPs"]?.array ?? []).compactMap(\.string).enumerated() {
            IPAddressRules.checkOrdinary(address, "spec.externalIPs[\(place)]", &errors)
        }
        checkTraffic(spec, type, &errors)
        checkBalancer(spec, type, &errors)
        let distributions = ["PreferClose", "PreferSameZone", "PreferSameNode"]
        if let text = spec["trafficDistribution"]?.string, !distributions.contains(text) {
            errors.notSupported("spec.trafficDistribution", text, distributions)
        }
    }

    private static func checkFamilies(_ spec: JSON, _ errors: inout FieldErrors) {
        var seen: Set<String> = []
        for (place, family) in (spec["ipFamilies"]?.array ?? []).compactMap(\.string).enumerated() {
            let field = "spec.ipFamilies[\(place)]"
            if !["IPv4", "IPv6"].contains(family) { errors.notSupported(field, family, ["IPv4", "IPv6"]) }
            if !seen.insert(family).inserted { errors.duplicate(field, .string(family)) }
        }
        let policies = ["PreferDualStack", "RequireDualStack", "SingleStack"]
        if let policy = spec["ipFamilyPolicy"]?.string, !policies.contains(policy) {
            errors.notSupported("spec.ipFamilyPolicy", policy, policies)
        }
    }

    private static func checkTraffic(_ spec: JSON, _ type: String, _ errors: inout FieldErrors) {
        let isExternal =
            type == "NodePort" || type == "LoadBalancer"
            || type == "ClusterIP" && !(spec["externalIPs"]?.array ?? []).isEmpty
        if let policy = spec["externalTrafficPolicy"]?.string, !isExternal {
            errors.invalid("spec.externalTrafficPolicy", policy, "may only be set for externally-accessible services")
        }
        let port = spec["healthCheckNodePort"]?.int ?? 0
        if port != 0, type != "LoadBalancer" || spec["externalTrafficPolicy"] != "Local" {
            errors.invalid(
                "spec.healthCheckNodePort",
                port,
                "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
            )
        }
    }

    private static func checkBalancer(_ spec: JSON, _ type: String, _ errors: inout FieldErrors) {
        let only = "may only be used when `type` is 'LoadBalancer'"
        let ranges = (spec["loadBalancerSourceRanges"]?.array ?? []).compactMap(\.string)
        // The real server writes this field large here.
        let field = "spec.LoadBalancerSourceRanges"
        if type != "LoadBalancer", !ranges.isEmpty { errors.forbidden(field, only) }
        if type == "LoadBalancer" {
            for (place, range) in ranges.enumerated() where !isRange(range) {
                let words = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
                errors.invalid("\(field)[\(place)]", range, words)
            }
        }
        if type != "LoadBalancer", spec["allocateLoadBalancerNodePorts"] != nil {
            errors.forbidden("spec.allocateLoadBalancerNodePorts", only)
        }
        guard let name = spec["loadBalancerClass"]?.string else { return }
        if type != "LoadBalancer" {
            errors.forbidden("spec.loadBalancerClass", only)
        } else {
            for problem in NameRules.qualifiedNameProblems(name) {
                errors.invalid("spec.loadBalancerClass", name, problem)
            }
        }
    }

    private static func isRange(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let bits = Int(parts[1]) else { return false }
        let address = String(parts[0])
        return IPAddressRules.isFour(address) && (0...32).contains(bits)
            || IPAddressRules.isSix(address) && (0...128).contains(bits)
    }
}
