// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Deletes what an app had in a cluster and wants no more: only what its inventory names, and never what might be dear to
/// somebody else.
struct Pruner: Sendable {
    /// On an object: it stays when the app drops it.
    static let annotation = "ballast.dev/prune"

    let cluster: any ClusterAPI
    let retry: CallRetry
    /// The identities that inventories of other apps in this cluster name.
    var ofOthers: Set<String> = []
    /// What the app has in the cluster now.
    var applied: [ObjectReference] = []

    private var livelyNamespaces: Set<String> { Set(applied.compactMap(\.namespace)) }

    /// What becomes of an object that the app wants no more.
    enum Fate: Sendable, Hashable {
        case gone
        case delete(uid: String)
        /// It stays, and the inventory forgets it.
        case release(because: String)
        /// It stays in the inventory.
        case keep(because: String)
    }

    /// What takes more with it than an app should by leaving a line out; the annotation `enabled` on the object allows it.
    private static let dear = [
        "persistentvolumeclaims": "it holds data", "persistentvolumes": "it holds data",
        "namespaces": "everything in it would go with it",
        "customresourcedefinitions.apiextensions.k8s.io": "all objects of its kind would go with it",
    ]
    private static let untouchable: Set<String> = ["default", "kube-system", "kube-public", "kube-node-lease"]

    func fate(of entry: Inventory.Entry) async throws -> Fate {
        let reference = entry.reference
        let live: KubeObject?
        do {
            live = try await retry("look at \(reference.words)") { try await cluster.find(reference) }
        } catch let failure as Failure where failure.code == .denied {
            return .keep(because: "it may not be looked at: \(failure.message)")
        }
        guard let live else { return .gone }
        if try await isApplied(live, entry) { return .gone }
        return fate(of: entry, live)
    }

    /// One object may be known under two groups, as Ingresses were.
    private func isApplied(_ live: KubeObject, _ entry: Inventory.Entry) async throws -> Bool {
        let twins = applied.filter {
            $0.type.kind == entry.type.kind && $0.name == entry.name && $0.namespace == entry.namespace
        }
        for twin in twins {
            let other = try await retry("look at \(twin.words)") { try await cluster.find(twin) }
            if other?.uid == live.uid { return true }
        }
        return false
    }

    private func fate(of entry: Inventory.Entry, _ live: KubeObject) -> Fate {
        let wish = live.annotations[Self.annotation]
        if entry.type == .namespaces {
            if Self.untouchable.contains(live.name) || live.name.hasPrefix("kube-") {
                return .release(because: "it is one of Kubernetes' own namespaces")
            }
            if livelyNamespaces.contains(live.name) { return .keep(because: "the app has objects in it") }
        }
        if wish == "disabled" { return .release(because: "its annotation \(Self.annotation) says so") }
        if ofOthers.contains(entry.identity) { return .release(because: "another app has it too") }
        if let dear = Self.dear["\(entry.type)"], wish != "enabled" {
            return .release(because: "\(dear); delete it yourself once that is no longer needed")
        }
        if let owner = ObjectOwner.stranger(of: live), owner != ObjectOwner.unknown {
            return .release(because: "it belongs to \(owner) now")
        }
        if live.isTerminating { return .keep(because: "it is being deleted") }
        return .delete(uid: live.uid)
    }

    /// Deletes an object with that uid; `false` where it is another one by now.
    func delete(_ reference: ObjectReference, uid: String) async throws -> Bool {
        try await retry("delete \(reference.words)") {
            do {
                try await cluster.delete(reference, options: DeleteOptions(propagation: .background, uid: uid))
                return true
            } catch let failure as Failure where failure.code == .notFound {
                return false
            } catch let failure as Failure where failure.code == .conflict {
                guard let live = try await cluster.find(reference), live.uid == uid else { return false }
                throw failure
            }
        }
    }
}
