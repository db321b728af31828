// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
package import Ports

/// What a release must be allowed to do on a cluster.
package enum ReleaseRights {
    package struct Missing: Sendable, Hashable {
        package var resource: String
        package var verbs: [String]
        /// Whether it is allowed in the context's own namespace.
        package var isHadInNamespace: Bool

        package init(resource: String, verbs: [String], isHadInNamespace: Bool) {
            self.resource = resource
            self.verbs = verbs
            self.isHadInNamespace = isHadInNamespace
        }

        /// `create, patch deployments.apps`.
        package var description: String { "\(verbs.joined(separator: ", ")) \(resource)" }
    }

    private static let writing = ["get", "list", "watch", "create", "patch", "delete"]
    private static let reading = ["get", "list", "watch"]

    private static let needs: [(type: ResourceType, subresource: String?, verbs: [String])] = [
        (.namespaces, nil, ["create"]), (.deployments, nil, writing), (.services, nil, writing),
        (.ingresses, nil, writing), (.configMaps, nil, writing), (.secrets, nil, writing), (.jobs, nil, writing),
        (.persistentVolumeClaims, nil, writing), (.replicaSets, nil, reading), (.pods, nil, reading),
        (.pods, "log", ["get"]), (.events, nil, ["list", "watch"]),
    ]

    /// What is not allowed, asked by `SelfSubjectAccessReview`; empty where everything is, `nil` where the cluster does not
    /// say.
    package static func missing(on cluster: any ClusterAPI, namespace: String) async throws -> [Missing]? {
        do {
            if try await isAllowed("*", Attributes(group: "*", resource: "*"), on: cluster) { return [] }
            return try await withThrowingTaskGroup(of: (Int, Missing?).self) { group in
                for (place, need) in needs.enumerated() {
                    group.addTask {
                        (place, try await missing(need.type, need.subresource, need.verbs, cluster, namespace))
                    }
                }
                let all = try await group.reduce(into: [Int: Missing?]()) { $0[$1.0] = $1.1 }
                return needs.indices.compactMap { all[$0] ?? nil }
            }
        } catch let failure as Failure where [403, 404].contains(failure.status?.code) {
            return nil
        }
    }

    private struct Attributes: Sendable {
        var group: String
        var resource: String
        var subresource: String?
        /// `nil`: all namespaces.
        var namespace: String?
    }

    private static func missing(
        _ type: ResourceType,
        _ subresource: String?,
        _ verbs: [String],
        _ cluster: any ClusterAPI,
        _ namespace: String
    ) async throws -> Missing? {
        var attributes = Attributes(group: type.group, resource: type.plural, subresource: subresource, namespace: nil)
        if try await isAllowed("*", attributes, on: cluster) { return nil }
        var denied: [String] = []
        for verb in verbs where try await !isAllowed(verb, attributes, on: cluster) { denied.append(verb) }
        guard !denied.isEmpty else { return nil }
        var isHad = type.isNamespaced
        attributes.namespace = namespace
        for verb in denied where isHad { isHad = try await isAllowed(verb, attributes, on: cluster) }
        let name = subresource.map { "\(type.plural)/\($0)" } ?? type.plural
        return Missing(
            resource: type.group.isEmpty ? name : "\(name).\(type.group)",
            verbs: denied,
            isHadInNamespace: isHad
        )
    }

    private static func isAllowed(
        _ verb: String,
        _ attributes: Attributes,
        on cluster: any ClusterAPI
    ) async throws -> Bool {
        var asked: JSON = [
            "verb": .string(verb), "group": .string(attributes.group), "resource": .string(attributes.resource),
        ]
        if let subresource = attributes.subresource { asked["subresource"] = .string(subresource) }
        if let namespace = attributes.namespace { asked["namespace"] = .string(namespace) }
        let review: JSON = [
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": ["resourceAttributes": asked],
        ]
        let answer = try await cluster.create(KubeObject(review), as: .selfSubjectAccessReviews)
        return answer.status["allowed"]?.bool ?? false
    }
}
