// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

extension ResourceType {
    /// Asks whether the sender may do something: `kubectl auth can-i`.
    static let selfSubjectAccessReviews = ResourceType(
        group: "authorization.k8s.io",
        version: "v1",
        plural: "selfsubjectaccessreviews",
        kind: "SelfSubjectAccessReview",
        isNamespaced: false
    )
    /// Asks who the sender is: `kubectl auth whoami`.
    static let selfSubjectReviews = ResourceType(
        group: "authentication.k8s.io",
        version: "v1",
        plural: "selfsubjectreviews",
        kind: "SelfSubjectReview",
        isNamespaced: false
    )

    /// What is created is answered and never stored.
    var isTransient: Bool { [.bindings, .selfSubjectAccessReviews, .selfSubjectReviews].contains(self) }
}

extension KubernetesServer {
    /// Creates one of what is never stored.
    func transientResponse(_ call: Call) async throws(KubeStatus) -> APIResponse {
        guard call.type != .bindings else { return try await bindingResponse(call, nil) }
        let parameters = try WriteParameters(call.query, kind: "CreateOptions")
        let decoded = try BodyDecoder(call.resource, parameters.validation).decode(call.request)
        var review: JSON = ["kind": .string(call.type.kind), "apiVersion": .string(call.type.apiVersion)]
        review["metadata"] = decoded.object["metadata"] ?? [:]
        if call.type == .selfSubjectReviews {
            review.set(.string(clock.now.description), at: ["metadata", "creationTimestamp"])
            review["status"] = ["userInfo": Self.userInfo(call.request.user)]
        } else {
            let spec = decoded.object["spec"] ?? [:]
            try checkAccessReview(spec)
            review["spec"] = spec
            // Whoever has come this far may do everything: there are no roles yet.
            review["status"] = ["allowed": true]
        }
        return call.respond(review, status: 201, warnings: decoded.warnings)
    }

    private static func userInfo(_ user: APIUser?) -> JSON {
        let all = "system:authenticated"
        let groups = (user?.groups ?? []).filter { $0 != all } + [all]
        return ["username": .string(user?.name ?? ""), "groups": .array(groups.map { .string($0) })]
    }

    private func checkAccessReview(_ spec: JSON) throws(KubeStatus) {
        var errors = FieldErrors()
        let (resource, path) = (spec["resourceAttributes"], spec["nonResourceAttributes"])
        if resource != nil, let path {
            let words = "cannot be specified in combination with resourceAttributes"
            errors.invalid("spec.nonResourceAttributes", path, words)
        }
        if resource == nil, path == nil {
            let words = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
            errors.invalid("spec.resourceAttributes", .null, words)
        }
        guard errors.isEmpty else {
            throw .invalid(errors, kind: "SelfSubjectAccessReview", group: "authorization.k8s.io", name: "")
        }
    }
}
