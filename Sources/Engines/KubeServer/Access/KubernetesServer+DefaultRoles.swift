// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

extension KubernetesServer {
    /// Creates the default roles and bindings that are missing, and gives back to those that are there what they lost;
    /// what somebody added stays. One with the annotation `autoupdate: "false"` is left alone.
    func settleDefaultRoles() async throws {
        try await Acting.$isAggregating.withValue(true) {
            // At once, so that all of them share few commits.
            try await withThrowingTaskGroup { group in
                for role in DefaultRoles.roles { group.addTask { try await self.settle(role) } }
                for binding in DefaultRoles.bindings { group.addTask { try await self.settle(binding) } }
                try await group.waitForAll()
            }
        }
        await aggregateRoles()
    }

    private func settle(_ role: DefaultRoles.Role) async throws {
        var object: JSON = ["metadata": Self.metadata(role.name, role.labels)]
        if let label = role.aggregates {
            object["aggregationRule"] = ["clusterRoleSelectors": [["matchLabels": .object([label: "true"])]]]
        }
        object["rules"] = .array(role.rules.map(\.json))
        try await settle(object, .clusterRoles) { stored in
            // Aggregated roles get their rules from others.
            guard role.aggregates == nil else { return nil }
            let missing = RuleCoverage(held: PolicyRule.list(stored["rules"])).missing(of: role.rules)
            guard !missing.isEmpty else { return nil }
            var changed = stored
            changed["rules"] = .array((stored["rules"]?.array ?? []) + missing.map(\.json))
            return changed
        }
    }

    private func settle(_ binding: DefaultRoles.Binding) async throws {
        let group = ResourceType.clusterRoles.group
        func subjects(_ kind: String, _ names: [String]) -> [JSON] {
            names.map { ["kind": .string(kind), "apiGroup": .string(group), "name": .string($0)] }
        }
        let wanted = subjects("Group", binding.groups) + subjects("User", binding.users)
        let role: JSON = ["apiGroup": .string(group), "kind": "ClusterRole", "name": .string(binding.role)]
        var object: JSON = ["metadata": Self.metadata(binding.role, [:])]
        if !wanted.isEmpty { object["subjects"] = .array(wanted) }
        object["roleRef"] = role
        let fresh = object
        try await settle(object, .clusterRoleBindings) { stored in
            guard stored["roleRef"] == role else {
                // What a binding refers to cannot be changed, so this one goes and comes again.
                let reference = ObjectReference(.clusterRoleBindings, name: binding.role)
                try await self.api.delete(reference, options: DeleteOptions())
                _ = try await self.api.create(KubeObject(fresh), as: .clusterRoleBindings, options: WriteOptions())
                return nil
            }
            let present = stored["subjects"]?.array ?? []
            let missing = wanted.filter { !present.contains($0) }
            guard !missing.isEmpty else { return nil }
            var changed = stored
            changed["subjects"] = .array(present + missing)
            return changed
        }
    }

    private static func metadata(_ name: String, _ labels: [String: String]) -> JSON {
        let all = DefaultRoles.metadataLabels.merging(labels) { _, own in own }
        return [
            "name": .string(name),
            "labels": .object(JSONObject(all.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })),
            "annotations": .object([DefaultRoles.autoupdate: "true"]),
        ]
    }

    private func settle(
        _ object: JSON,
        _ type: ResourceType,
        _ repair: (JSON) async throws -> JSON?
    ) async throws {
        guard let resource = catalog.resource(of: type) else { return }
        let name = object[path: "metadata", "name"]?.string ?? ""
        guard let stored = try read(resource.key(namespace: nil, name: name)) else {
            _ = try await api.create(KubeObject(object), as: type, options: WriteOptions())
            return
        }
        let present = try StoredJSON.parse(stored.value, as: nil)
        guard present[path: "metadata", "annotations"]?[DefaultRoles.autoupdate]?.string != "false" else { return }
        guard let repaired = try await repair(present) else { return }
        _ = try await api.update(KubeObject(repaired), as: type, subresource: nil, options: WriteOptions())
    }
}
