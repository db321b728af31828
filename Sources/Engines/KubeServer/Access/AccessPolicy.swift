// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// All roles and bindings at one moment, arranged by whom they concern. Reading it takes no lock.
final class AccessPolicy: Sendable {
    /// What one binding gives to one subject.
    struct Grant: Sendable {
        /// In the order of visits: bindings of the cluster by name, then those of a namespace.
        var order: Int
        /// `ClusterRoleBinding "x" of ClusterRole "y" to User "z"`.
        var text: String
        var rules: [PolicyRule]
        /// Why there are none.
        var problem: String?
    }

    struct Decision: Sendable {
        var isAllowed: Bool
        var reason = ""
    }

    /// Grants by subject: `u:` and a user's name, `g:` and a group's.
    private let cluster: [String: [Grant]]
    private let namespaced: [String: [String: [Grant]]]
    private let roles: [String: RoleEntry]

    /// A stored role, and what of it matters here.
    struct RoleEntry: Sendable {
        var name: String
        var labels: [String: String]
        var rules: [PolicyRule]
        var aggregation: JSON?
    }

    /// A stored binding, and what of it matters here.
    struct BindingEntry: Sendable {
        var name: String
        /// Empty: of the whole cluster.
        var namespace: String
        var roleKind: String
        var roleName: String
        var subjects: [JSON]
    }

    static let empty = AccessPolicy(roles: [:], bindings: [])

    /// `roles` by kind, namespace and name (see ``roleKey(_:_:_:)``); `bindings` in key order.
    init(roles: [String: RoleEntry], bindings: [BindingEntry]) {
        self.roles = roles
        var cluster: [String: [Grant]] = [:]
        var namespaced: [String: [String: [Grant]]] = [:]
        for (order, binding) in bindings.enumerated() {
            let entry = roles[Self.roleKey(binding.roleKind, binding.namespace, binding.roleName)]
            for subject in binding.subjects {
                guard let (key, shown) = Self.subject(subject, of: binding) else { continue }
                let grant = Grant(
                    order: order,
                    text: Self.text(binding, shown),
                    rules: entry?.rules ?? [],
                    problem: entry == nil ? Self.missing(binding) : nil
                )
                if binding.namespace.isEmpty {
                    cluster[key, default: []].append(grant)
                } else {
                    namespaced[binding.namespace, default: [:]][key, default: []].append(grant)
                }
            }
        }
        self.cluster = cluster
        self.namespaced = namespaced
    }

    static func roleKey(_ kind: String, _ namespace: String, _ name: String) -> String {
        kind == "Role" ? "Role/\(namespace)/\(name)" : "ClusterRole/\(name)"
    }

    private static func missing(_ binding: BindingEntry) -> String {
        "\(binding.roleKind.lowercased()).rbac.authorization.k8s.io \(FieldErrors.quoted(binding.roleName)) not found"
    }

    private static func text(_ binding: BindingEntry, _ subject: String) -> String {
        let title =
            binding.namespace.isEmpty
            ? "ClusterRoleBinding \"\(binding.name)\"" : "RoleBinding \"\(binding.name)/\(binding.namespace)\""
        return "\(title) of \(binding.roleKind) \"\(binding.roleName)\" to \(subject)"
    }

    private static func subject(_ subject: JSON, of binding: BindingEntry) -> (key: String, shown: String)? {
        let name = subject["name"]?.string ?? ""
        switch subject["kind"]?.string {
        case "User": return ("u:\(name)", "User \"\(name)\"")
        case "Group": return ("g:\(name)", "Group \"\(name)\"")
        case "ServiceAccount":
            let given = subject["namespace"]?.string ?? ""
            let namespace = given.isEmpty ? binding.namespace : given
            guard !namespace.isEmpty else { return nil }
            return ("u:system:serviceaccount:\(namespace):\(name)", "ServiceAccount \"\(name)/\(namespace)\"")
        default: return nil
        }
    }

    func role(_ kind: String, _ namespace: String, _ name: String) -> RoleEntry? {
        roles[Self.roleKey(kind, namespace, name)]
    }

    /// Every role of the cluster, by name.
    var clusterRoles: [RoleEntry] {
        roles.filter { $0.key.hasPrefix("ClusterRole/") }.map(\.value).sorted { $0.name < $1.name }
    }

    /// What concerns the user, in the order of visits; one binding may name the user more than once.
    func grants(to user: APIUser, in namespace: String) -> [Grant] {
        let keys = ["u:\(user.name)"] + user.groups.map { "g:\($0)" }
        var seen: Set<Int> = []
        var found: [Grant] = []
        let local = namespace.isEmpty ? nil : namespaced[namespace]
        for source in [cluster, local ?? [:]] {
            var grants: [Grant] = []
            for key in keys { grants += source[key] ?? [] }
            if grants.count > 1 { grants.sort { $0.order < $1.order } }
            found += grants.filter { seen.insert($0.order).inserted }
        }
        return found
    }

    /// Whether the user may do it. Members of `system:masters` may do everything, whatever the roles say.
    func decide(_ request: AccessRequest, by user: APIUser) -> Decision {
        if user.isMaster { return Decision(isAllowed: true) }
        var problems: [String] = []
        for grant in grants(to: user, in: request.namespace) {
            if grant.rules.contains(where: { $0.allows(request) }) {
                return Decision(isAllowed: true, reason: "RBAC: allowed by \(grant.text)")
            }
            if let problem = grant.problem, !problems.contains(problem) { problems.append(problem) }
        }
        return Decision(isAllowed: false, reason: Self.reason(problems))
    }

    private static func reason(_ problems: [String]) -> String {
        switch problems.count {
        case 0: ""
        case 1: "RBAC: \(problems[0])"
        default: "RBAC: [\(problems.joined(separator: ", "))]"
        }
    }
}

extension APIUser {
    var isMaster: Bool { groups.contains("system:masters") }
}
