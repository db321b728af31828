// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

extension ResourceType {
    private static func rbac(_ plural: String, _ kind: String, isNamespaced: Bool) -> ResourceType {
        ResourceType(
            group: "rbac.authorization.k8s.io",
            version: "v1",
            plural: plural,
            kind: kind,
            isNamespaced: isNamespaced
        )
    }

    static let roles = rbac("roles", "Role", isNamespaced: true)
    static let clusterRoles = rbac("clusterroles", "ClusterRole", isNamespaced: false)
    static let roleBindings = rbac("rolebindings", "RoleBinding", isNamespaced: true)
    static let clusterRoleBindings = rbac("clusterrolebindings", "ClusterRoleBinding", isNamespaced: false)

    /// What decides who may do what.
    static let accessTypes: [ResourceType] = [.roles, .clusterRoles, .roleBindings, .clusterRoleBindings]
}

/// What a request wants to do, as roles see it.
struct AccessRequest: Sendable, Equatable {
    /// Lower case, such as `list`.
    var verb: String
    /// Empty: the whole cluster.
    var namespace = ""
    var group = ""
    var resource = ""
    var subresource = ""
    var name = ""
    /// Set for what is no resource, such as `/version`.
    var path: String?

    /// `pods/log`.
    var fullResource: String { subresource.isEmpty ? resource : "\(resource)/\(subresource)" }

    init(verb: String, path: String) {
        self.verb = verb
        self.path = path
    }

    init(
        verb: String,
        namespace: String = "",
        group: String = "",
        resource: String,
        sub: String = "",
        name: String = ""
    ) {
        self.verb = verb
        self.namespace = namespace
        self.group = group
        self.resource = resource
        subresource = sub
        self.name = name
    }

    /// Why `user` is refused, in the real server's words; `reason` is what the authorizer adds.
    func refusal(of user: APIUser, reason: String = "") -> KubeStatus {
        let tail = reason.isEmpty ? "" : ": \(reason)"
        let who = "User \(FieldErrors.quoted(user.name)) cannot \(verb)"
        if let path {
            return KubeStatus(
                code: 403,
                reason: "Forbidden",
                message: "forbidden: " + Self.escaped("\(who) path \(FieldErrors.quoted(path))\(tail)"),
                details: [:]
            )
        }
        let place = namespace.isEmpty ? "at the cluster scope" : "in the namespace \(FieldErrors.quoted(namespace))"
        let body =
            "\(who) resource \(FieldErrors.quoted(fullResource)) in API group \(FieldErrors.quoted(group)) \(place)"
        let qualified = group.isEmpty ? resource : "\(resource).\(group)"
        var details: JSONObject = [:]
        if !name.isEmpty { details["name"] = .string(name) }
        if !group.isEmpty { details["group"] = .string(group) }
        details["kind"] = .string(resource)
        let subject = name.isEmpty ? qualified : "\(qualified) \(FieldErrors.quoted(name))"
        return KubeStatus(
            code: 403,
            reason: "Forbidden",
            message: "\(subject) is forbidden: " + Self.escaped(body + tail),
            details: .object(details)
        )
    }

    private static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 0x26 || $0 == 0x3C || $0 == 0x3E }) else { return text }
        return text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
