// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Turns Ingresses into the edge's routes.
///
/// Hosts and paths mean what the Kubernetes API says: the longest path wins, an exact one before a prefix, a wildcard
/// host stands for one label, and what nothing matches goes to a default backend.
struct EdgeCompiler {
    private struct Path: Hashable {
        var isExact: Bool
        var path: String
    }

    private struct Target {
        var cluster: String
        var path: Path
    }

    private let ports: [String: [ServiceCompiler.Port]]
    /// Targets by host; `*` for rules without one.
    private var hosts: [String: [Target]] = [:]
    private var defaultCluster: String?

    init(ports: [String: [ServiceCompiler.Port]]) { self.ports = ports }

    mutating func add(_ ingress: KubeObject, to plan: inout ProxyPlan) {
        if ingress.spec["tls"]?.array?.isEmpty == false {
            plan.warnings.append(
                ingress.warning("TLSNotServed", "the edge answers plain HTTP only; spec.tls is not served")
            )
        }
        for name in EdgeClasses.ignoredAnnotations(of: ingress) {
            plan.warnings.append(
                ingress.warning("AnnotationIgnored", "the annotation '\(name)' has no effect on this edge")
            )
        }
        if let backend = ingress.spec["defaultBackend"] {
            let cluster = cluster(backend, of: ingress, to: &plan)
            defaultCluster = defaultCluster ?? cluster
        }
        for rule in ingress.spec["rules"]?.array ?? [] {
            let host = (rule["host"]?.string ?? "").lowercased()
            guard host.isEmpty || Self.isHost(host) else {
                plan.warnings.append(ingress.warning("InvalidHost", "'\(host)' is no host name"))
                continue
            }
            for path in rule[path: "http", "paths"]?.array ?? [] {
                add(path, host: host.isEmpty ? "*" : host, of: ingress, to: &plan)
            }
        }
    }

    private mutating func add(_ json: JSON, host: String, of ingress: KubeObject, to plan: inout ProxyPlan) {
        var text = json["path"]?.string ?? "/"
        if text.isEmpty { text = "/" }
        let isExact = json["pathType"]?.string == "Exact"
        guard text.hasPrefix("/"), !text.contains("?"), !text.contains("#") else {
            plan.warnings.append(ingress.warning("InvalidPath", "the path '\(text)' cannot occur in a request"))
            return
        }
        // A prefix counts whole elements, so a slash at its end says nothing.
        while !isExact, text.count > 1, text.hasSuffix("/") { text.removeLast() }
        let path = Path(isExact: isExact, path: text)
        let cluster = cluster(json["backend"] ?? [:], of: ingress, to: &plan)
        if let older = hosts[host]?.first(where: { $0.path == path }) {
            guard older.cluster != cluster else { return }
            plan.warnings.append(
                ingress.warning("HostPathTaken", "'\(host)\(text)' belongs to an older Ingress or an earlier rule")
            )
            return
        }
        hosts[host, default: []].append(Target(cluster: cluster, path: path))
    }

    /// The cluster of a backend. One that does not exist (yet) gets a name all the same, so that its requests are answered
    /// with 503 and not by somebody else.
    private func cluster(_ backend: JSON, of ingress: KubeObject, to plan: inout ProxyPlan) -> String {
        guard let service = backend["service"], let name = service["name"]?.string else {
            plan.warnings.append(ingress.warning("UnsupportedBackend", "only Services can be backends"))
            return "\(ingress.namespace ?? "")/\(ingress.name) (unsupported)"
        }
        let key = "\(ingress.namespace ?? "")/\(name)"
        let (portName, number) = (service[path: "port", "name"]?.string, service[path: "port", "number"]?.int)
        let known = ports[key]?.first { port in portName.map { port.name == $0 } ?? (port.number == number) }
        if let known { return known.cluster }
        let wanted = portName ?? number.map(String.init) ?? ""
        let problem =
            ports[key] == nil ? "there is no Service '\(name)'" : "the Service '\(name)' has no TCP port '\(wanted)'"
        plan.warnings.append(ingress.warning("BackendNotFound", problem))
        return "\(key):\(wanted) (missing)"
    }
}

extension EdgeCompiler {
    var routes: JSON {
        let named = hosts.keys.filter { $0 != "*" }.sorted()
        var virtualHosts = named.map { virtualHost($0) }
        virtualHosts.append(virtualHost("*", named: "*"))
        return [
            "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration", "name": "edge",
            "ignore_port_in_host_matching": true, "virtual_hosts": .array(virtualHosts),
            "request_headers_to_add": [
                Self.header("x-forwarded-host", "%REQ(:authority)%"),
                Self.header("x-forwarded-for", "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"),
            ],
            "request_headers_to_remove": ["x-envoy-external-address", "x-envoy-internal"],
        ]
    }

    /// Set by us, whatever the request claims.
    private static func header(_ name: String, _ value: String) -> JSON {
        [
            "header": ["key": .string(name), "value": .string(value)], "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
        ]
    }

    private func virtualHost(_ host: String, named name: String? = nil) -> JSON {
        var routes: [JSON] = []
        if host != "*", host.hasPrefix("*.") {
            let one = Self.oneLabel(host)
            routes = sorted(hosts[host] ?? []).map { route($0, host: one) }
            // A deeper name is not this host's; it is as if there were no rule for it.
            routes += sorted(hosts["*"] ?? []).map { route($0, host: one, inverted: true) }
        } else {
            routes = sorted(hosts[host] ?? []).map { route($0) }
        }
        if let defaultCluster {
            routes.append(route(Target(cluster: defaultCluster, path: Path(isExact: false, path: "/"))))
        }
        return ["name": .string(name ?? host), "domains": [.string(host)], "routes": .array(routes)]
    }

    /// Exact paths, then the longest prefix: the first match is the one that counts.
    private func sorted(_ targets: [Target]) -> [Target] {
        targets.sorted { left, right in
            if left.path.isExact != right.path.isExact { return left.path.isExact }
            let (leftLength, rightLength) = (left.path.path.utf8.count, right.path.path.utf8.count)
            return leftLength == rightLength ? left.path.path < right.path.path : leftLength > rightLength
        }
    }

    private func route(_ target: Target, host: JSON? = nil, inverted: Bool = false) -> JSON {
        var match: JSON = [:]
        switch target.path {
        case Path(isExact: false, path: "/"): match["prefix"] = "/"
        case let path where path.isExact: match["path"] = .string(path.path)
        case let path: match["path_separated_prefix"] = .string(path.path)
        }
        if let host {
            var header: JSON = ["name": ":authority", "string_match": ["safe_regex": host]]
            if inverted { header["invert_match"] = true }
            match["headers"] = [header]
        }
        return ["match": match, "route": Self.action(target.cluster)]
    }

    private static func action(_ cluster: String) -> JSON {
        [
            "cluster": .string(cluster),
            // No limit for the whole, so that streams and upgrades last; the listener has one for silence.
            "timeout": "0s",
            "retry_policy": [
                // Only what cannot have reached the pod is sent again.
                "retry_on": "connect-failure,refused-stream,reset-before-request", "num_retries": 3,
                "retry_host_predicate": [
                    [
                        "name": "envoy.retry_host_predicates.previous_hosts",
                        "typed_config": [
                            "@type":
                                "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
                        ],
                    ]
                ],
                "host_selection_retry_max_attempts": 5,
                "retry_back_off": ["base_interval": "0.010s", "max_interval": "0.250s"],
            ],
        ]
    }

    /// A domain name, whose first label may be `*`.
    private static func isHost(_ host: String) -> Bool {
        let labels = (host.hasPrefix("*.") ? host.dropFirst(2) : host[...]).split(
            separator: ".",
            omittingEmptySubsequences: false
        )
        return labels.allSatisfy { label in
            !label.isEmpty && label.utf8.count <= 63 && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
        }
    }

    /// `*.shop.test` as a regular expression for `a.shop.test`, with or without a port.
    private static func oneLabel(_ host: String) -> JSON {
        let rest = host.dropFirst(2).map { $0.isLetter || $0.isNumber ? String($0) : "\\\($0)" }.joined()
        return ["regex": .string("(?i)[^.:]+\\.\(rest)(:[0-9]+)?")]
    }
}
