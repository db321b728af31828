// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Synchronization

/// Keeps the ``AccessPolicy`` that belongs to what the log holds: it is made anew on the first request after a role or a
/// binding changed, and only what changed is read again.
final class AccessIndex: Sendable {
    private enum Entry: Sendable {
        case role(String, AccessPolicy.RoleEntry)
        case binding(AccessPolicy.BindingEntry)
    }

    private struct State {
        var policy = AccessPolicy.empty
        /// Counts changes; `known` is the count that `policy` has seen.
        var changes = 1
        var known = 0
        var entries: [String: (revision: Revision, entry: Entry)] = [:]
    }

    private let state = Mutex(State())
    private let log: ObjectLog

    init(_ log: ObjectLog) { self.log = log }

    /// A role or a binding was written or removed.
    func noteChange() { state.withLock { $0.changes += 1 } }

    func policy() throws(KubeStatus) -> AccessPolicy {
        let result = state.withLock { state -> Result<AccessPolicy, KubeStatus> in
            guard state.known != state.changes else { return .success(state.policy) }
            do throws(KubeStatus) {
                try Self.rebuild(&state, log)
                return .success(state.policy)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private static func rebuild(_ state: inout State, _ log: ObjectLog) throws(KubeStatus) {
        var entries: [String: (revision: Revision, entry: Entry)] = [:]
        var roles: [String: AccessPolicy.RoleEntry] = [:]
        var bindings: [AccessPolicy.BindingEntry] = []
        let kinds: [ResourceType] = [.roles, .clusterRoles, .clusterRoleBindings, .roleBindings]
        for type in kinds {
            let stored: [StoredObject]
            do {
                stored = try log.list(prefix: "/registry/\(type.group)/\(type.plural)/").items
            } catch {
                throw .fault("the roles cannot be read: \(error)")
            }
            for object in stored {
                var entry = state.entries[object.key]
                if entry?.revision != object.revision {
                    entry = (object.revision, read(try StoredJSON.parse(object.value, as: nil), type))
                }
                guard let entry else { continue }
                entries[object.key] = entry
                switch entry.entry {
                case .role(let key, let role): roles[key] = role
                case .binding(let binding): bindings.append(binding)
                }
            }
        }
        state.entries = entries
        state.policy = AccessPolicy(roles: roles, bindings: bindings)
        state.known = state.changes
    }

    private static func read(_ object: JSON, _ type: ResourceType) -> Entry {
        let name = object[path: "metadata", "name"]?.string ?? ""
        let namespace = object[path: "metadata", "namespace"]?.string ?? ""
        guard type == .roles || type == .clusterRoles else {
            return .binding(
                AccessPolicy.BindingEntry(
                    name: name,
                    namespace: namespace,
                    roleKind: object[path: "roleRef", "kind"]?.string ?? "",
                    roleName: object[path: "roleRef", "name"]?.string ?? "",
                    subjects: object["subjects"]?.array ?? []
                )
            )
        }
        let role = AccessPolicy.RoleEntry(
            name: name,
            labels: object[path: "metadata", "labels"]?.stringMap ?? [:],
            rules: PolicyRule.list(object["rules"]),
            aggregation: object["aggregationRule"]
        )
        return .role(AccessPolicy.roleKey(type.kind, namespace, name), role)
    }
}
