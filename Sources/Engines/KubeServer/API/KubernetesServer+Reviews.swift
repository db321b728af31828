// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

extension ResourceType {
    private static func review(_ group: String, _ plural: String, _ kind: String, isNamespaced: Bool = false)
        -> ResourceType
    {
        ResourceType(group: "\(group).k8s.io", version: "v1", plural: plural, kind: kind, isNamespaced: isNamespaced)
    }

    /// Asks whether the sender may do something: `kubectl auth can-i`.
    static let selfSubjectAccessReviews = review(
        "authorization",
        "selfsubjectaccessreviews",
        "SelfSubjectAccessReview"
    )
    /// Asks what the sender may do at all: `kubectl auth can-i --list`.
    static let selfSubjectRulesReviews = review("authorization", "selfsubjectrulesreviews", "SelfSubjectRulesReview")
    /// Asks whether somebody else may.
    static let subjectAccessReviews = review("authorization", "subjectaccessreviews", "SubjectAccessReview")
    static let localSubjectAccessReviews = review(
        "authorization",
        "localsubjectaccessreviews",
        "LocalSubjectAccessReview",
        isNamespaced: true
    )
    /// Asks who the sender is: `kubectl auth whoami`.
    static let selfSubjectReviews = review("authentication", "selfsubjectreviews", "SelfSubjectReview")
    /// Asks whose a token is.
    static let tokenReviews = review("authentication", "tokenreviews", "TokenReview")

    static let reviews: [ResourceType] = [
        .selfSubjectReviews, .tokenReviews, .localSubjectAccessReviews, .selfSubjectAccessReviews,
        .selfSubjectRulesReviews, .subjectAccessReviews,
    ]

    /// What is created is answered and never stored.
    var isTransient: Bool { self == .bindings || Self.reviews.contains(self) }
}

extension KubernetesServer {
    /// Creates one of what is never stored.
    func transientResponse(_ call: Call) async throws(KubeStatus) -> APIResponse {
        guard call.type != .bindings else { return try await bindingResponse(call, nil) }
        guard call.namespace != nil || !call.type.isNamespaced else { throw .methodNotAllowed }
        let parameters = try WriteParameters(call, kind: "CreateOptions")
        let decoded = try BodyDecoder(call.resource, parameters.validation).decode(call.request)
        var object = decoded.object
        let owned = fieldManager(call.resource).update(nil, object, manager: parameters.manager)
        object.set(owned, at: ["metadata", "managedFields"])
        let answer = try review(object, call)
        return call.respond(StoredJSON.typed(answer, call.type), status: 201, warnings: decoded.warnings)
    }

    private func review(_ object: JSON, _ call: Call) throws(KubeStatus) -> JSON {
        let user = call.request.user ?? APIUser(name: "", groups: [])
        let spec = object["spec"] ?? [:]
        var metadata = object["metadata"] ?? [:]
        let status: JSON
        switch call.type {
        case .selfSubjectReviews:
            metadata["creationTimestamp"] = .string(clock.now.description)
            return ["metadata": metadata, "status": ["userInfo": user.everyone.json]]
        case .selfSubjectRulesReviews:
            return ["metadata": [:], "spec": [:], "status": try rulesStatus(spec, user)]
        case .tokenReviews: status = try tokenStatus(spec)
        default:
            if call.type == .localSubjectAccessReviews { metadata["namespace"] = call.namespace.map { .string($0) } }
            status = try accessStatus(spec, user, call)
        }
        return ["metadata": metadata, "spec": spec, "status": status]
    }

    private func tokenStatus(_ spec: JSON) throws(KubeStatus) -> JSON {
        guard let token = spec["token"]?.string, !token.isEmpty else {
            throw .badRequest("token is required for TokenReview in authentication")
        }
        do throws(TokenProblem) {
            let found = try tokens.user(of: token, audiences: spec["audiences"]?.array?.compactMap(\.string))
            return [
                "authenticated": true, "user": found.user.json,
                "audiences": .array(found.audiences.map { .string($0) }),
            ]
        } catch {
            return ["user": [:], "error": .string(error.text)]
        }
    }

    private func rulesStatus(_ spec: JSON, _ user: APIUser) throws(KubeStatus) -> JSON {
        guard let namespace = spec["namespace"]?.string, !namespace.isEmpty else {
            throw .badRequest("no namespace on request")
        }
        let grants = try access.policy().grants(to: user, in: namespace)
        let rules = grants.flatMap(\.rules)
        var status: JSONObject = [
            "resourceRules": .array(rules.filter { $0.nonResourceURLs.isEmpty }.map(\.json)),
            "nonResourceRules": .array(rules.filter { !$0.nonResourceURLs.isEmpty }.map(\.json)),
            "incomplete": false,
        ]
        let problems = grants.compactMap(\.problem)
        if !problems.isEmpty { status["evaluationError"] = .string(problems.joined(separator: ", ")) }
        return .object(status)
    }

    private func accessStatus(_ spec: JSON, _ sender: APIUser, _ call: Call) throws(KubeStatus) -> JSON {
        try checkAccessReview(spec, call)
        var user = sender
        if call.type != .selfSubjectAccessReviews {
            // Taken at its word: no group is added.
            user = APIUser(
                name: spec["user"]?.string ?? "",
                groups: spec["groups"]?.array?.compactMap(\.string) ?? [],
                uid: spec["uid"]?.string
            )
        }
        let decision = try access.policy().decide(Self.accessRequest(spec), by: user)
        var status: JSONObject = ["allowed": .bool(decision.isAllowed)]
        if !decision.reason.isEmpty { status["reason"] = .string(decision.reason) }
        if let problem = Self.selectorProblem(spec["resourceAttributes"] ?? [:]) {
            status["evaluationError"] = .string(problem)
        }
        return .object(status)
    }

    /// Roles know no selectors; one that cannot be read is pointed out.
    private static func selectorProblem(_ attributes: JSON) -> String? {
        var problems: [String] = []
        for member in ["fieldSelector", "labelSelector"] {
            guard let selector = attributes[member] else { continue }
            let known = member == "fieldSelector" ? ["In", "NotIn"] : ["In", "NotIn", "Exists", "DoesNotExist"]
            let operators = (selector["requirements"]?.array ?? []).map { $0["operator"]?.string ?? "" }
            let text = selector["rawSelector"]?.string ?? ""
            let isRead: Bool
            do {
                if member == "fieldSelector" {
                    _ = try FieldSelector(parsing: text)
                } else {
                    _ = try LabelSelectorText.parse(text)
                }
                isRead = operators.allSatisfy { known.contains($0) || $0 == "Exists" || $0 == "DoesNotExist" }
            } catch {
                isRead = false
            }
            if !isRead { problems.append("spec.resourceAttributes.\(member) ignored due to parse error") }
        }
        return problems.isEmpty ? nil : problems.joined(separator: ", ")
    }

    private static func accessRequest(_ spec: JSON) -> AccessRequest {
        if let other = spec["nonResourceAttributes"] {
            return AccessRequest(verb: other["verb"]?.string ?? "", path: other["path"]?.string ?? "")
        }
        let wanted = spec["resourceAttributes"] ?? [:]
        func text(_ member: String) -> String { wanted[member]?.string ?? "" }
        return AccessRequest(
            verb: text("verb"),
            namespace: text("namespace"),
            group: text("group"),
            resource: text("resource"),
            sub: text("subresource"),
            name: text("name")
        )
    }

    private func checkAccessReview(_ spec: JSON, _ call: Call) throws(KubeStatus) {
        var errors = FieldErrors()
        let (resource, path) = (spec["resourceAttributes"], spec["nonResourceAttributes"])
        func shown(_ path: JSON) -> JSON { ["Path": path["path"] ?? "", "Verb": path["verb"] ?? ""] }
        if resource != nil, let path {
            let words = "cannot be specified in combination with resourceAttributes"
            errors.invalid("spec.nonResourceAttributes", shown(path), words)
        }
        for member in ["fieldSelector", "labelSelector"] {
            guard let selector = resource?[member] else { continue }
            let field = "spec.resourceAttributes.\(member)"
            let isRaw = !(selector["rawSelector"]?.string ?? "").isEmpty
            let isListed = !(selector["requirements"]?.array ?? []).isEmpty
            if isRaw, isListed {
                errors.invalid(
                    "\(field).rawSelector",
                    selector["rawSelector"] ?? "",
                    "may not specified at the same time as requirements"
                )
            } else if !isRaw, !isListed {
                errors.required(
                    "\(field).requirements",
                    "when \(field) is specified, requirements or rawSelector is required"
                )
            }
        }
        if resource == nil, path == nil {
            let words = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
            errors.invalid("spec.resourceAttributes", .null, words)
        }
        if call.type != .selfSubjectAccessReviews, (spec["user"]?.string ?? "").isEmpty,
            spec["groups"]?.array?.isEmpty ?? true
        {
            errors.invalid("spec.user", "", "at least one of user or group must be specified")
        }
        if call.type == .localSubjectAccessReviews {
            let given = resource?["namespace"]?.string ?? ""
            if resource != nil, given != call.namespace {
                errors.invalid("spec.resourceAttributes.namespace", given, "must match metadata.namespace")
            }
            if let path {
                errors.invalid("spec.nonResourceAttributes", shown(path), "disallowed on this kind of request")
            }
        }
        // The real server names the group, but no kind.
        guard errors.isEmpty else { throw .invalid(errors, kind: "", group: call.type.group, name: "") }
    }
}
