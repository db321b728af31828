// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Synchronization

/// On whose behalf a request runs, for the checks deep inside a write; `nil`: the server's own doing, or somebody who may
/// do everything.
enum Acting {
    @TaskLocal static var user: APIUser?
    /// Set while aggregated roles are put together, which writes roles in turn.
    @TaskLocal static var isAggregating = false
    /// What there is to say about the request's body, whatever becomes of the request.
    @TaskLocal static var remarks: Remarks?
}

/// Texts for `Warning` headers, gathered on the way; a text is said once.
final class Remarks: Sendable {
    private let noted = Mutex<[String]>([])

    var all: [String] { noted.withLock { $0 } }

    func note(_ texts: [String]) {
        noted.withLock { noted in
            for text in texts where !noted.contains(text) { noted.append(text) }
        }
    }
}

extension KubernetesServer {
    /// The request with the user it is to run as, once that user may do what is asked.
    func admitted(_ request: APIRequest, _ route: Route) throws(KubeStatus) -> APIRequest {
        var request = request
        var user = try authenticated(request)
        request.bearer = nil
        if let wanted = request.impersonation {
            let asked = Self.accessRequest(request, route)
            try checkImpersonation(of: wanted, by: user, for: asked)
            user = wanted.user
        }
        request.user = user
        guard !user.isMaster else { return request }
        let asked = Self.accessRequest(request, route)
        let decision = try access.policy().decide(asked, by: user)
        guard decision.isAllowed else { throw asked.refusal(of: user, reason: decision.reason) }
        return request
    }

    /// What the request wants, told from method, path and query alone.
    static func accessRequest(_ request: APIRequest, _ route: Route) -> AccessRequest {
        guard case .objects(let target) = route else {
            return AccessRequest(verb: request.method.lowercased(), path: request.path)
        }
        var asked = AccessRequest(
            verb: "",
            namespace: target.namespace ?? "",
            group: target.group,
            resource: target.plural,
            sub: String(target.subresource.prefix { $0 != "/" }),
            name: target.name ?? ""
        )
        // A Namespace lies in itself.
        if target.plural == "namespaces", target.namespace == nil, target.group.isEmpty, let name = target.name {
            asked.namespace = name
        }
        let isCollection = target.name == nil
        switch request.method {
        case "POST": asked.verb = "create"
        case "PUT": asked.verb = "update"
        case "PATCH": asked.verb = "patch"
        case "DELETE": asked.verb = isCollection ? "deletecollection" : "delete"
        case "GET", "HEAD": read(&asked, request, isCollection: isCollection)
        default: break
        }
        // Only reading is a watch; anything else on such a path is what its method says.
        if target.isWatch, request.method == "GET" || request.method == "HEAD" { asked.verb = "watch" }
        return asked
    }

    private static func read(_ asked: inout AccessRequest, _ request: APIRequest, isCollection: Bool) {
        guard isCollection else {
            asked.verb = "get"
            return
        }
        let query = Query(request.query)
        asked.verb = query.flag("watch") ? "watch" : "list"
        guard let text = query["fieldSelector"], let selector = try? FieldSelector(parsing: text) else { return }
        let name = selector.terms.first { $0.field == "metadata.name" && $0.isEqual }
        if let name, NameRules.pathSegmentProblems(name.value).isEmpty { asked.name = name.value }
    }
}

// MARK: - Handing out rights

extension KubernetesServer {
    /// Whoever makes an object by changing one that is not there must be allowed to create, too.
    func checkCreation(_ resource: Resource, _ namespace: String?, _ name: String) throws(KubeStatus) {
        guard let user = Acting.user, !user.isMaster else { return }
        let asked = AccessRequest(
            verb: "create",
            namespace: namespace ?? "",
            group: resource.type.group,
            resource: resource.type.plural,
            name: name
        )
        let decision = try access.policy().decide(asked, by: user)
        guard decision.isAllowed else { throw asked.refusal(of: user, reason: decision.reason) }
    }

    /// Nobody gives away by a role or a binding what they do not hold, unless they may `escalate` or `bind`.
    func checkGrant(_ object: JSON, from old: JSON?, _ resource: Resource) throws(KubeStatus) {
        guard resource.type.group == "rbac.authorization.k8s.io", let user = Acting.user, !user.isMaster else { return }
        if let old, Self.isBookkeeping(object, old) { return }
        let policy = try access.policy()
        let name = object[path: "metadata", "name"]?.string ?? ""
        let namespace = object[path: "metadata", "namespace"]?.string ?? ""
        let grant = Grant(user: user, policy: policy, resource: resource.type, name: name, namespace: namespace)
        switch resource.type {
        case .roles, .clusterRoles: try grant.checkRole(object, from: old)
        case .roleBindings, .clusterRoleBindings: try grant.checkBinding(object)
        default: return
        }
    }

    /// Whether nothing changed but what garbage collection looks at.
    private static func isBookkeeping(_ object: JSON, _ old: JSON) -> Bool {
        func rest(_ json: JSON) -> JSON {
            var json = json
            for member in ["ownerReferences", "finalizers", "managedFields", "resourceVersion"] {
                json.set(nil, at: ["metadata", member])
            }
            return json
        }
        return rest(object) == rest(old)
    }
}

/// One attempt to hand out rights.
private struct Grant {
    let user: APIUser
    let policy: AccessPolicy
    let resource: ResourceType
    let name: String
    let namespace: String

    func checkRole(_ role: JSON, from old: JSON?) throws(KubeStatus) {
        if try holds(verb: "escalate", resource.plural, name) { return }
        try check(PolicyRule.list(role["rules"]))
        guard [role, old].contains(where: { $0?["aggregationRule"]?.object != nil }) else { return }
        let everything = [
            PolicyRule(verbs: ["*"], apiGroups: ["*"], resources: ["*"]),
            PolicyRule(verbs: ["*"], nonResourceURLs: ["*"]),
        ]
        guard RuleCoverage(held: held).missing(of: everything).isEmpty else {
            throw .forbidden(resource, name, "must have cluster-admin privileges to use the aggregationRule")
        }
    }

    func checkBinding(_ binding: JSON) throws(KubeStatus) {
        let kind = binding[path: "roleRef", "kind"]?.string ?? ""
        let role = binding[path: "roleRef", "name"]?.string ?? ""
        if try holds(verb: "bind", kind == "Role" ? "roles" : "clusterroles", role) { return }
        guard let entry = policy.role(kind, namespace, role) else {
            throw KubeStatus(
                code: 404,
                reason: "NotFound",
                message: "\(kind.lowercased()).\(resource.group) \(FieldErrors.quoted(role)) not found",
                details: [
                    "name": .string(role), "group": .string(resource.group), "kind": .string(kind.lowercased()),
                ]
            )
        }
        try check(entry.rules)
    }

    private var held: [PolicyRule] { policy.grants(to: user, in: namespace).flatMap(\.rules) }

    private func holds(verb: String, _ plural: String, _ name: String) throws(KubeStatus) -> Bool {
        let asked = AccessRequest(
            verb: verb,
            namespace: namespace,
            group: resource.group,
            resource: plural,
            name: name
        )
        return policy.decide(asked, by: user).isAllowed
    }

    private func check(_ wanted: [PolicyRule]) throws(KubeStatus) {
        let missing = RuleCoverage(held: held).missing(of: wanted)
        guard !missing.isEmpty else { return }
        let groups = user.groups.map { FieldErrors.quoted($0) }.joined(separator: " ")
        let problems = policy.grants(to: user, in: namespace).compactMap(\.problem)
        let tail = problems.isEmpty ? "" : "; resolution errors: [\(problems.joined(separator: ", "))]"
        throw .forbidden(
            resource,
            name,
            "user \(FieldErrors.quoted(user.name)) (groups=[\(groups)]) is attempting to grant RBAC permissions not "
                + "currently held:\n\(RuleCoverage.text(missing))\(tail)"
        )
    }
}

// MARK: - Aggregated roles

extension KubernetesServer {
    /// Gives ClusterRoles that aggregate others the rules of those, until nothing changes any more.
    func aggregateRoles() async {
        guard !Acting.isAggregating else { return }
        await Acting.$isAggregating.withValue(true) {
            await Acting.$user.withValue(nil) {
                for _ in 0..<10 {
                    guard await self.aggregateOnce() else { return }
                }
            }
        }
    }

    private func aggregateOnce() async -> Bool {
        guard let policy = try? access.policy(), let resource = catalog.resource(of: .clusterRoles) else {
            return false
        }
        let all = policy.clusterRoles
        var isChanged = false
        for role in all {
            guard let selectors = role.aggregation?["clusterRoleSelectors"]?.array else { continue }
            let rules = Self.aggregated(role, selectors, all)
            guard rules != role.rules else { continue }
            var parameters = WriteParameters()
            parameters.fieldManager = "clusterrole-aggregation-controller"
            let change = Change(
                resource: resource,
                namespace: nil,
                name: role.name,
                parameters: parameters,
                isPatch: true
            )
            let written = try? await apply(change) { (old) throws(KubeStatus) in
                var object = old
                object.set(nil, at: ["metadata", "resourceVersion"])
                object["rules"] = .array(rules.map(\.json))
                return (object, [])
            }
            isChanged = isChanged || written != nil
        }
        return isChanged
    }

    private static func aggregated(
        _ role: AccessPolicy.RoleEntry,
        _ selectors: [JSON],
        _ all: [AccessPolicy.RoleEntry]
    ) -> [PolicyRule] {
        var seen: Set<PolicyRule> = []
        var rules: [PolicyRule] = []
        for json in selectors {
            guard let selector = LabelSelector(json: json) else { continue }
            for other in all where other.name != role.name && selector.matches(other.labels) {
                rules += other.rules.filter { seen.insert($0).inserted }
            }
        }
        return rules
    }
}
