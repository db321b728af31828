// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// One rule of a role: these verbs on these resources, or on these paths.
struct PolicyRule: Sendable, Hashable {
    var verbs: [String] = []
    var apiGroups: [String] = []
    var resources: [String] = []
    var resourceNames: [String] = []
    var nonResourceURLs: [String] = []

    init(
        verbs: [String],
        apiGroups: [String] = [],
        resources: [String] = [],
        resourceNames: [String] = [],
        nonResourceURLs: [String] = []
    ) {
        self.verbs = verbs
        self.apiGroups = apiGroups
        self.resources = resources
        self.resourceNames = resourceNames
        self.nonResourceURLs = nonResourceURLs
    }

    init(_ json: JSON) {
        func texts(_ member: String) -> [String] { json[member]?.array?.compactMap(\.string) ?? [] }
        verbs = texts("verbs")
        apiGroups = texts("apiGroups")
        resources = texts("resources")
        resourceNames = texts("resourceNames")
        nonResourceURLs = texts("nonResourceURLs")
    }

    static func list(_ json: JSON?) -> [PolicyRule] { json?.array?.map { PolicyRule($0) } ?? [] }

    /// In the order in which the API prints it.
    var json: JSON {
        func texts(_ list: [String]) -> JSON { .array(list.map { .string($0) }) }
        var object: JSONObject = ["verbs": texts(verbs)]
        if !apiGroups.isEmpty { object["apiGroups"] = texts(apiGroups) }
        if !resources.isEmpty { object["resources"] = texts(resources) }
        if !resourceNames.isEmpty { object["resourceNames"] = texts(resourceNames) }
        if !nonResourceURLs.isEmpty { object["nonResourceURLs"] = texts(nonResourceURLs) }
        return .object(object)
    }

    func allows(_ request: AccessRequest) -> Bool {
        guard Self.has(verbs, request.verb) else { return false }
        if let path = request.path { return nonResourceURLs.contains { Self.covers($0, path) } }
        return Self.has(apiGroups, request.group) && coversResource(request.resource, request.subresource)
            && (resourceNames.isEmpty || resourceNames.contains(request.name))
    }

    static func has(_ list: [String], _ wanted: String) -> Bool { list.contains { $0 == "*" || $0 == wanted } }

    /// `*` is everything with its subresources, `*/scale` that subresource of everything; `pods/*` is no pattern.
    func coversResource(_ resource: String, _ subresource: String) -> Bool {
        let full = subresource.isEmpty ? resource : "\(resource)/\(subresource)"
        return resources.contains { rule in
            rule == "*" || rule == full
                || !subresource.isEmpty && rule.hasPrefix("*/") && rule.dropFirst(2) == subresource
        }
    }

    /// Whether a rule's path is that path, or a beginning of it that ends in a star.
    static func covers(_ rule: String, _ path: String) -> Bool {
        if rule == "*" || rule == path { return true }
        guard rule.hasSuffix("*") else { return false }
        var prefix = Substring(rule)
        while prefix.last == "*" { prefix.removeLast() }
        return path.hasPrefix(prefix)
    }
}
