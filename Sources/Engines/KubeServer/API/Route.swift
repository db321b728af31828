// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Where a path leads.
enum Route: Sendable, Equatable {
    /// A collection, an object in it, or a subresource of that object.
    struct Target: Sendable, Equatable {
        var group: String
        var version: String
        /// `nil`: no namespace in the path.
        var namespace: String?
        var plural: String
        var name: String?
        /// Empty: the object itself; may hold several components (`proxy/a/b`).
        var subresource = ""
        /// The old `/watch/` form of a path.
        var isWatch = false
    }

    case root
    case version
    /// `healthz`, `livez` or `readyz`, with the check behind it.
    case health(String, check: String?)
    case coreVersions
    case groups
    case group(String)
    case resources(group: String, version: String)
    case openAPI(String)
    case objects(Target)
    case unknown

    init(_ path: String) {
        let parts = path.split(separator: "/").map(String.init)
        guard let first = parts.first else {
            self = .root
            return
        }
        switch first {
        case "version": self = parts.count == 1 ? .version : .unknown
        case "healthz", "livez", "readyz":
            self = .health(first, check: parts.count > 1 ? parts.dropFirst().joined(separator: "/") : nil)
        case "openapi": self = .openAPI(parts.dropFirst().joined(separator: "/"))
        case "api": self = Self.core(Array(parts.dropFirst()))
        case "apis": self = Self.named(Array(parts.dropFirst()))
        default: self = .unknown
        }
    }

    private static func core(_ parts: [String]) -> Route {
        switch parts.count {
        case 0: .coreVersions
        case 1: .resources(group: "", version: parts[0])
        default: objects(group: "", version: parts[0], Array(parts.dropFirst()))
        }
    }

    private static func named(_ parts: [String]) -> Route {
        switch parts.count {
        case 0: .groups
        case 1: .group(parts[0])
        case 2: .resources(group: parts[0], version: parts[1])
        default: objects(group: parts[0], version: parts[1], Array(parts.dropFirst(2)))
        }
    }

    private static func objects(group: String, version: String, _ parts: [String]) -> Route {
        var rest = parts
        var target = Target(group: group, version: version, plural: "")
        if rest.first == "watch", rest.count > 1 {
            target.isWatch = true
            rest.removeFirst()
        }
        // `namespaces/x` is a Namespace, `namespaces/x/status` its subresource, `namespaces/x/pods` a collection in it.
        let isNamespaced =
            rest.first == "namespaces" && rest.count > 2
            && !(rest.count == 3 && ["status", "finalize"].contains(rest[2]))
        if isNamespaced {
            target.namespace = rest[1]
            rest.removeFirst(2)
        }
        target.plural = rest[0]
        if rest.count > 1 { target.name = rest[1] }
        if rest.count > 2 { target.subresource = rest[2...].joined(separator: "/") }
        return .objects(target)
    }
}
