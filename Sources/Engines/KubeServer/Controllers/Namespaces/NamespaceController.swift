// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Sees that the cluster's own namespaces exist, fills new ones, and empties those that are being removed.
struct NamespaceController: Reconciler {
    let context: ControllerContext
    let types: ServedTypes
    let name = "namespace-controller"

    static let own = ["default", "kube-system", "kube-public", "kube-node-lease", "ballast-system"]

    private var mirrors: ClusterMirrors { context.mirrors }

    var initialNames: [ObjectName] { Self.own.map { ObjectName(name: $0) } }
    var triggers: [Trigger] {
        let inside = [mirrors.serviceAccounts, mirrors.rootCertificates].map { mirror in
            Trigger(mirror) { [ObjectName(name: $0.object.namespace ?? "")] }
        }
        return [.each(mirrors.namespaces)] + inside
    }

    func reconcile(_ name: ObjectName) async throws -> Duration? {
        guard let namespace = mirrors.namespaces[name] else {
            guard Self.own.contains(name.name) else { return nil }
            try await ignoringExisting {
                try await context.writer.create(KubeObject(.namespaces, name: name.name), as: .namespaces)
            }
            return nil
        }
        guard !namespace.isTerminating else { return try await empty(namespace) }
        try await fill(name.name)
        return nil
    }

    // MARK: Filling

    private func fill(_ namespace: String) async throws {
        let account = ObjectName(namespace: namespace, name: "default")
        if mirrors.serviceAccounts[account] == nil {
            let wanted = KubeObject(.serviceAccounts, namespace: namespace, name: account.name)
            try await ignoringExisting { try await context.writer.create(wanted, as: .serviceAccounts) }
        }
        guard let certificate = context.configuration.rootCertificate else { return }
        let name = ObjectName(namespace: namespace, name: "kube-root-ca.crt")
        var wanted = KubeObject(.configMaps, namespace: namespace, name: name.name)
        wanted["data"] = ["ca.crt": .string(certificate)]
        guard let present = mirrors.rootCertificates[name] else {
            try await ignoringExisting { try await context.writer.create(wanted, as: .configMaps) }
            return
        }
        guard present["data"] != wanted["data"] else { return }
        try await context.writer.merge(["data": wanted["data"] ?? [:]], into: present, as: .configMaps)
    }

    private func ignoringExisting(_ body: () async throws -> KubeObject) async throws {
        do {
            _ = try await body()
        } catch let failure as Failure where failure.status?.reason == "AlreadyExists" {
        } catch let failure as Failure where failure.status?.isNamespaceTerminating == true {
        }
    }

    // MARK: Emptying

    /// Removes all that is in the namespace; when nothing is left, lets the namespace itself go.
    private func empty(_ namespace: KubeObject) async throws -> Duration? {
        let finalizers = namespace.spec["finalizers"]?.array ?? []
        guard finalizers.contains("kubernetes") else { return nil }
        var remains = NamespaceRemains()
        for type in types.namespaced { remains.add(try await empty(namespace.name, of: type), of: type) }
        try await context.writer.setStatus(
            remains.status(of: namespace, at: context.clock.now),
            of: namespace,
            as: .namespaces
        )
        // Pods take their grace period, finalizers their controllers' time; nobody tells us of other types' objects.
        guard remains.isEmpty else { return .milliseconds(remains.onlyPods ? 250 : 500) }
        try await finalize(namespace, finalizers.filter { $0 != "kubernetes" })
        return nil
    }

    /// Asks for the removal of every object of a type; returns those that are still there.
    private func empty(_ namespace: String, of type: ResourceType) async throws -> [KubeObject] {
        var query = ListQuery(type, namespace: namespace, limit: 500)
        var remaining: [KubeObject] = []
        repeat {
            let page: ObjectList
            do {
                page = try await context.writer.api.list(query)
            } catch let failure as Failure where failure.code == .notFound {
                return remaining  // the type is served no more
            }
            for object in page.items {
                if !object.isTerminating { try await remove(object, of: type) }
                let reference = ObjectReference(type, namespace: namespace, name: object.name)
                if let left = try await context.writer.api.find(reference) { remaining.append(left) }
            }
            query.continuation = page.continuation
        } while query.continuation != nil
        return remaining
    }

    private func remove(_ object: KubeObject, of type: ResourceType) async throws {
        let reference = ObjectReference(type, namespace: object.namespace, name: object.name)
        do {
            try await context.writer.api.delete(
                reference,
                options: DeleteOptions(propagation: .background, uid: object.uid)
            )
        } catch let failure as Failure where failure.code == .notFound || failure.code == .conflict {}
    }

    private func finalize(_ namespace: KubeObject, _ finalizers: [JSON]) async throws {
        var current = mirrors.namespaces[ObjectName(namespace)] ?? namespace
        current.json.set(.array(finalizers), at: ["spec", "finalizers"])
        do {
            _ = try await context.writer.api.update(
                current,
                as: .namespaces,
                subresource: "finalize",
                options: .init()
            )
        } catch let failure as Failure where failure.code == .notFound {}
    }
}

/// What is still in a namespace that is being removed, and how its status says so.
struct NamespaceRemains: Sendable {
    private var counts: [(type: ResourceType, count: Int)] = []
    private var finalizers: [String: Int] = [:]

    var isEmpty: Bool { counts.isEmpty }
    var onlyPods: Bool { counts.allSatisfy { $0.type == .pods } && finalizers.isEmpty }

    mutating func add(_ objects: [KubeObject], of type: ResourceType) {
        guard !objects.isEmpty else { return }
        counts.append((type, objects.count))
        for finalizer in objects.flatMap(\.finalizers) { finalizers[finalizer, default: 0] += 1 }
    }

    func status(of namespace: KubeObject, at now: Timestamp) -> JSON {
        var conditions = ConditionList(namespace.status)
        let good = [
            Condition(
                "NamespaceDeletionDiscoveryFailure",
                "False",
                "ResourcesDiscovered",
                "All resources successfully discovered"
            ),
            Condition(
                "NamespaceDeletionGroupVersionParsingFailure",
                "False",
                "ParsedGroupVersions",
                "All legacy kube types successfully parsed"
            ),
            Condition(
                "NamespaceDeletionContentFailure",
                "False",
                "ContentDeleted",
                "All content successfully deleted, may be waiting on finalization"
            ),
        ]
        for condition in good + [content, held] { conditions.set(condition, at: now, hasUpdateTime: false) }
        var status = namespace.status
        status["phase"] = "Terminating"
        status["conditions"] = conditions.json
        return status
    }

    private var content: Condition {
        let type = "NamespaceContentRemaining"
        guard !isEmpty else { return Condition(type, "False", "ContentRemoved", "All content successfully removed") }
        let list = counts.map { "\($0.type.plural).\($0.type.group) has \($0.count) resource instances" }.sorted()
        return Condition(
            type,
            "True",
            "SomeResourcesRemain",
            "Some resources are remaining: \(list.joined(separator: ", "))"
        )
    }

    private var held: Condition {
        let type = "NamespaceFinalizersRemaining"
        guard !finalizers.isEmpty else {
            return Condition(type, "False", "ContentHasNoFinalizers", "All content-preserving finalizers finished")
        }
        let list = finalizers.map { "\($0.key) in \($0.value) resource instances" }.sorted()
        return Condition(
            type,
            "True",
            "SomeFinalizersRemain",
            "Some content in the namespace has finalizers remaining: \(list.joined(separator: ", "))"
        )
    }
}
