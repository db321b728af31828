// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Which Ingresses are Ballast's edge's own, by their class.
package struct EdgeClasses: Sendable {
    /// What an IngressClass names as `spec.controller` to mean this edge.
    package static let controller = "ballast.dev/edge"
    /// The class that a new cluster has.
    package static let name = "ballast"
    /// The older way to name a class.
    package static let annotation = "kubernetes.io/ingress.class"

    private let names: Set<String>

    /// `classes` are all IngressClass objects.
    package init(_ classes: [KubeObject]) {
        names = Set(classes.filter { $0.spec["controller"]?.string == Self.controller }.map(\.name))
    }

    /// Whether the edge serves it: it names a class of ours, or none at all.
    package func serve(_ ingress: KubeObject) -> Bool {
        guard let name = Self.className(of: ingress) else { return true }
        return names.contains(name)
    }

    package static func className(of ingress: KubeObject) -> String? {
        if let name = ingress.spec["ingressClassName"]?.string { return name }
        guard let name = ingress.annotations[annotation], !name.isEmpty else { return nil }
        return name
    }

    /// Annotations that tell some ingress controller what to do; this edge does none of it.
    package static func ignoredAnnotations(of ingress: KubeObject) -> [String] {
        ingress.annotations.keys.filter { isForControllers($0) }.sorted()
    }

    /// The parts before the slash that ingress controllers and what works beside them are known to use.
    private static let foreignDomains: Set<String> = [
        "alb.ingress.kubernetes.io", "appgw.ingress.kubernetes.io", "cert-manager.io",
        "external-dns.alpha.kubernetes.io",
        "haproxy-ingress.github.io", "haproxy.org", "ingress.cloud.google.com", "ingress.kubernetes.io", "konghq.com",
        "networking.gke.io", "nginx.ingress.kubernetes.io", "nginx.org", "projectcontour.io",
        "route.openshift.io", "traefik.ingress.kubernetes.io",
    ]

    private static func isForControllers(_ annotation: String) -> Bool {
        guard annotation != Self.annotation, let slash = annotation.firstIndex(of: "/") else { return false }
        let domain = String(annotation[..<slash])
        if domain == "kubernetes.io" { return annotation.hasPrefix("kubernetes.io/ingress") }
        return foreignDomains.contains(domain) || domain.hasSuffix(".ingress.kubernetes.io")
            || domain.hasSuffix(".konghq.com")
    }
}
