// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Who owns whom in the cluster, by uid, and what that means for one object. It knows no cluster.
struct OwnerGraph: Sendable {
    static let foreground = "foregroundDeletion"
    static let orphan = "orphan"

    /// An owner as a dependent names it.
    struct Owner: Sendable, Hashable {
        var apiVersion: String
        var kind: String
        var name: String
        var uid: String
        /// The owner's foreground removal waits for this dependent.
        var isBlocked: Bool
    }

    struct Node: Sendable {
        var reference: ObjectReference
        var uid: String
        var owners: [Owner]
        var isTerminating: Bool
        var finalizers: [String]
        var version: ResourceVersion

        var waitsForDependents: Bool { isTerminating && finalizers.contains(OwnerGraph.foreground) }
        var orphansDependents: Bool { isTerminating && finalizers.contains(OwnerGraph.orphan) }
    }

    /// What is to be done about one object.
    enum Action: Sendable, Equatable {
        case nothing
        /// Look at these too.
        case look(at: [String])
        /// The graph does not know these owners: ask the cluster, then decide again.
        case verify([Owner])
        case dropOwners([String])
        case delete(DeleteOptions.Propagation)
        /// Take this object out of the dependents' owners, then the finalizer off it.
        case orphan([String])
        case removeFinalizer(String)
        /// The object and what it waits for wait for each other: take the mark off its owners that makes them wait for it.
        case unblockOwners
    }

    private(set) var nodes: [String: Node] = [:]
    private var dependents: [String: Set<String>] = [:]

    // MARK: Keeping up

    /// Takes a change in; returns the uids to look at.
    mutating func apply(_ change: ObjectChange, of type: ResourceType) -> [String] {
        switch change {
        case .deleted(let object): return remove(object.uid)
        case .added(let object), .updated(let object, _):
            let node = Node(object, type)
            for owner in nodes[node.uid]?.owners ?? [] { dependents[owner.uid]?.remove(node.uid) }
            for owner in node.owners { dependents[owner.uid, default: []].insert(node.uid) }
            nodes[node.uid] = node
            // A dependent that stopped blocking may be what a waiting owner waited for.
            let waiting = node.owners.map(\.uid).filter { nodes[$0]?.waitsForDependents == true }
            return node.owners.isEmpty && !node.isTerminating ? waiting : [node.uid] + waiting
        }
    }

    /// An object is gone: its dependents and whoever waited for it are to be looked at.
    mutating func remove(_ uid: String) -> [String] {
        let node = nodes.removeValue(forKey: uid)
        for owner in node?.owners ?? [] {
            dependents[owner.uid]?.remove(uid)
            if dependents[owner.uid]?.isEmpty == true { dependents[owner.uid] = nil }
        }
        return Array(dependents[uid] ?? []) + (node?.owners ?? []).map(\.uid)
    }

    /// Forgets all objects of a type that is served no more.
    mutating func forget(_ type: ResourceType) -> [String] {
        nodes.values.filter { $0.reference.type == type }.map(\.uid).flatMap { remove($0) }
    }

    // MARK: Deciding

    /// `absent` are owners that are known not to exist, `present` those that the cluster has though the graph does not.
    func action(for uid: String, absent: Set<String> = [], present: Set<String> = []) -> Action {
        guard let node = nodes[uid] else { return .nothing }
        if node.orphansDependents { return .orphan(dependents(of: uid)) }
        if node.waitsForDependents { return foregroundAction(node) }
        guard !node.isTerminating, !node.owners.isEmpty else { return .nothing }
        let unknown = node.owners.filter {
            nodes[$0.uid] == nil && !absent.contains($0.uid) && !present.contains($0.uid)
        }
        guard unknown.isEmpty else { return .verify(unknown) }

        let dangling = node.owners.filter { nodes[$0.uid] == nil && absent.contains($0.uid) }
        let waiting = node.owners.filter { nodes[$0.uid]?.waitsForDependents == true && $0.isBlocked }
        let useless = Set((dangling + waiting).map(\.uid))
        guard node.owners.allSatisfy({ useless.contains($0.uid) }) else {
            let gone = node.owners.map(\.uid).filter(useless.contains)
            return gone.isEmpty ? .nothing : .dropOwners(gone)
        }
        if !waiting.isEmpty, !dependents(of: uid).isEmpty { return .delete(.foreground) }
        return .delete(.background)
    }

    private func foregroundAction(_ node: Node) -> Action {
        let all = dependents(of: node.uid)
        let blocking = all.filter { dependent in
            nodes[dependent]?.owners.contains { $0.uid == node.uid && $0.isBlocked } == true
        }
        guard !blocking.isEmpty else { return .removeFinalizer(Self.foreground) }
        if waitsForItself(node.uid) { return .unblockOwners }
        return .look(at: all.filter { nodes[$0]?.isTerminating == false })
    }

    /// Whether the objects that the removal waits for, and those that they wait for, lead back to it.
    private func waitsForItself(_ uid: String) -> Bool {
        var seen: Set<String> = []
        var open = [uid]
        while let current = open.popLast() {
            for dependent in dependents(of: current) {
                guard let node = nodes[dependent], node.waitsForDependents,
                    node.owners.contains(where: { $0.uid == current && $0.isBlocked })
                else { continue }
                if dependent == uid { return true }
                if seen.insert(dependent).inserted { open.append(dependent) }
            }
        }
        return false
    }

    func dependents(of uid: String) -> [String] { (dependents[uid] ?? []).filter { nodes[$0] != nil }.sorted() }
}

extension OwnerGraph.Node {
    fileprivate init(_ object: KubeObject, _ type: ResourceType) {
        reference = ObjectReference(type, namespace: object.namespace, name: object.name)
        uid = object.uid
        owners = object.ownerReferences.map { owner in
            OwnerGraph.Owner(
                apiVersion: owner["apiVersion"]?.string ?? "",
                kind: owner["kind"]?.string ?? "",
                name: owner["name"]?.string ?? "",
                uid: owner["uid"]?.string ?? "",
                isBlocked: owner["blockOwnerDeletion"]?.bool ?? false
            )
        }
        isTerminating = object.isTerminating
        finalizers = object.finalizers
        version = object.resourceVersion
    }
}
