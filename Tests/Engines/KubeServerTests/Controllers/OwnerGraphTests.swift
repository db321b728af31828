// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import TestKit
import Testing

@testable import KubeServer

@Suite("owner graph")
struct OwnerGraphTests {
    func object(
        _ uid: String,
        owners: [(String, Bool)] = [],
        terminating: Bool = false,
        finalizers: [String] = []
    ) -> KubeObject {
        var object = KubeObject(.configMaps, namespace: "shop", name: uid)
        object.json.set(.string(uid), at: ["metadata", "uid"])
        let references = owners.map { owner, blocks -> JSON in
            [
                "apiVersion": "v1", "kind": "ConfigMap", "name": .string(owner), "uid": .string(owner),
                "blockOwnerDeletion": .bool(blocks),
            ]
        }
        object.json.set(.array(references), at: ["metadata", "ownerReferences"])
        object.json.set(.array(finalizers.map { .string($0) }), at: ["metadata", "finalizers"])
        if terminating { object.json.set("2026-01-01T00:00:00Z", at: ["metadata", "deletionTimestamp"]) }
        return object
    }

    func graph(_ objects: KubeObject...) -> OwnerGraph {
        var graph = OwnerGraph()
        for object in objects { _ = graph.apply(.added(object), of: .configMaps) }
        return graph
    }

    @Test("an object without owners, or with one that is there, is left alone")
    func solid() {
        let graph = graph(object("a"), object("b", owners: [("a", false)]))
        #expect(graph.action(for: "a") == .nothing)
        #expect(graph.action(for: "b") == .nothing)
        #expect(graph.action(for: "unknown") == .nothing)
    }

    @Test("an owner the graph does not know is asked for before anything is removed")
    func verifies() {
        let graph = graph(object("b", owners: [("a", false)]))
        guard case .verify(let owners) = graph.action(for: "b") else {
            Issue.record("expected to verify")
            return
        }
        #expect(owners.map(\.uid) == ["a"])
        #expect(graph.action(for: "b", present: ["a"]) == .nothing)
        #expect(graph.action(for: "b", absent: ["a"]) == .delete(.background))
    }

    @Test("an object keeps living while one owner does; only the references to gone owners go")
    func mixedOwners() {
        let graph = graph(object("a"), object("c", owners: [("a", false), ("b", false)]))
        #expect(graph.action(for: "c", absent: ["b"]) == .dropOwners(["b"]))
    }

    @Test("when an owner goes, its dependents are looked at")
    func cascade() {
        var graph = graph(object("a"), object("b", owners: [("a", false)]), object("c", owners: [("a", true)]))
        #expect(Set(graph.apply(.deleted(object("a")), of: .configMaps)) == ["b", "c"])
    }

    @Test("objects whose foreground removals wait for each other let go of each other")
    func circle() {
        let waiting = [OwnerGraph.foreground]
        var graph = graph(
            object("a", owners: [("c", true)], terminating: true, finalizers: waiting),
            object("b", owners: [("a", true)], terminating: true, finalizers: waiting),
            object("c", owners: [("b", true)])
        )
        #expect(graph.action(for: "a") == .look(at: []))
        #expect(graph.action(for: "c") == .delete(.foreground))
        _ = graph.apply(
            .added(object("c", owners: [("b", true)], terminating: true, finalizers: waiting)),
            of: .configMaps
        )
        #expect(graph.action(for: "a") == .unblockOwners)
        _ = graph.apply(
            .added(object("a", owners: [("c", false)], terminating: true, finalizers: waiting)),
            of: .configMaps
        )
        #expect(graph.action(for: "c") == .removeFinalizer(OwnerGraph.foreground))
        #expect(graph.action(for: "a") == .look(at: []))
    }

    @Test("a foreground removal waits for blocking dependents only, and looks at all of them")
    func foreground() {
        var graph = graph(
            object("a", terminating: true, finalizers: [OwnerGraph.foreground]),
            object("b", owners: [("a", true)]),
            object("c", owners: [("a", false)])
        )
        #expect(graph.action(for: "a") == .look(at: ["b", "c"]))
        #expect(graph.action(for: "b") == .delete(.background))
        #expect(graph.apply(.deleted(object("b", owners: [("a", true)])), of: .configMaps) == ["a"])
        #expect(graph.action(for: "a") == .removeFinalizer(OwnerGraph.foreground))
    }

    @Test("a dependent with dependents of its own goes in the foreground too")
    func foregroundChain() {
        let graph = graph(
            object("a", terminating: true, finalizers: [OwnerGraph.foreground]),
            object("b", owners: [("a", true)]),
            object("c", owners: [("b", true)])
        )
        #expect(graph.action(for: "b") == .delete(.foreground))
        #expect(graph.action(for: "c") == .nothing)
    }

    @Test("an orphaning removal lets go of the dependents first")
    func orphans() {
        let graph = graph(
            object("a", terminating: true, finalizers: [OwnerGraph.orphan]),
            object("b", owners: [("a", true)])
        )
        #expect(graph.action(for: "a") == .orphan(["b"]))
    }

    @Test("a type that is served no more takes its objects out of the graph")
    func forgets() {
        var graph = graph(object("a"), object("b", owners: [("a", false)]))
        _ = graph.forget(.configMaps)
        #expect(graph.nodes.isEmpty)
        #expect(graph.dependents(of: "a").isEmpty)
    }
}

@Suite("garbage collection", .timeLimit(.minutes(5)))
struct GarbageCollectionTests {
    let cluster = ControlledCluster()

    @Sendable func configMap(_ name: String, owner: KubeObject? = nil, kind: String = "ConfigMap") -> KubeObject {
        var object = KubeObject(.configMaps, namespace: "shop", name: name)
        guard let owner else { return object }
        let reference: JSON = [
            "apiVersion": "v1", "kind": .string(kind), "name": .string(owner.name), "uid": .string(owner.uid),
            "blockOwnerDeletion": true,
        ]
        object.json.set([reference], at: ["metadata", "ownerReferences"])
        return object
    }

    @Test(
        "removing a deployment removes its replica sets and pods, in background and in foreground",
        arguments: [
            DeleteOptions.Propagation.background, .foreground,
        ]
    )
    func cascades(_ propagation: DeleteOptions.Propagation) async throws {
        try await cluster.run { cluster in
            _ = try await cluster.api.create(Sample.deployment("web", replicas: 2), as: .deployments)
            _ = try await cluster.wait(.deployments, "web") { $0.statusCount("availableReplicas") == 2 }
            try await cluster.api.delete(
                ObjectReference(.deployments, namespace: "shop", name: "web"),
                options: DeleteOptions(propagation: propagation)
            )
            _ = try await cluster.wait(.pods) { $0.isEmpty }
            _ = try await cluster.wait(.replicaSets) { $0.isEmpty }
            _ = try await cluster.wait(.deployments) { $0.isEmpty }
        }
    }

    @Test("orphaned dependents stay and lose the reference")
    func orphans() async throws {
        try await cluster.run { [self] cluster in
            let owner = try await cluster.api.create(configMap("owner"), as: .configMaps)
            _ = try await cluster.api.create(configMap("child", owner: owner), as: .configMaps)
            try await cluster.api.delete(
                ObjectReference(.configMaps, namespace: "shop", name: "owner"),
                options: DeleteOptions(propagation: .orphan)
            )
            _ = try await cluster.wait(.configMaps) { all in !all.contains { $0.name == "owner" } }
            let child = try await cluster.wait(.configMaps, "child") { $0.ownerReferences.isEmpty }
            #expect(!child.isTerminating)
        }
    }

    @Test("an object whose owner never was goes; one whose owner's type nobody serves stays")
    func virtualOwners() async throws {
        try await cluster.run { [self] cluster in
            var ghost = configMap("ghost")
            ghost.json.set("no-such-uid", at: ["metadata", "uid"])
            _ = try await cluster.api.create(configMap("lost", owner: ghost), as: .configMaps)
            _ = try await cluster.api.create(configMap("strange", owner: ghost, kind: "Gadget"), as: .configMaps)
            let left = try await cluster.wait(.configMaps) { all in !all.contains { $0.name == "lost" } }
            #expect(left.contains { $0.name == "strange" })
        }
    }

    @Test("two config maps that own each other go when one is removed in the foreground")
    func circleOnACluster() async throws {
        try await cluster.run { [self] cluster in
            let first = try await cluster.api.create(configMap("first"), as: .configMaps)
            let second = try await cluster.api.create(configMap("second", owner: first), as: .configMaps)
            let owners = configMap("x", owner: second).metadata["ownerReferences"] ?? .null
            let reference = ObjectReference(.configMaps, namespace: "shop", name: "first")
            _ = try await cluster.api.patch(reference, .merge, ["metadata": ["ownerReferences": owners]])
            try await cluster.api.delete(reference, options: DeleteOptions(propagation: .foreground))
            _ = try await cluster.wait(.configMaps) { all in
                !all.contains { $0.name == "first" || $0.name == "second" }
            }
        }
    }

    @Test("custom resources are collected once their definition is established")
    func customResources() async throws {
        let gadgets = ResourceType(group: "x.dev", version: "v1", plural: "gadgets", kind: "Gadget", isNamespaced: true)
        try await cluster.run { [self] cluster in
            let owner = try await cluster.api.create(configMap("owner"), as: .configMaps)
            var gadget = KubeObject(gadgets, namespace: "shop", name: "one")
            gadget.json.set(
                configMap("x", owner: owner).metadata["ownerReferences"],
                at: ["metadata", "ownerReferences"]
            )
            _ = try await cluster.api.create(gadget, as: gadgets)
            var definition = KubeObject(.customResourceDefinitions, name: "gadgets.x.dev")
            definition["spec"] = [
                "group": "x.dev", "scope": "Namespaced", "names": ["plural": "gadgets", "kind": "Gadget"],
                "versions": [["name": "v1", "served": true, "storage": true]],
            ]
            definition["status"] = ["conditions": [["type": "Established", "status": "True"]]]
            _ = try await cluster.api.create(definition, as: .customResourceDefinitions)
            try await cluster.api.delete(ObjectReference(.configMaps, namespace: "shop", name: "owner"))
            _ = try await cluster.wait(gadgets) { $0.isEmpty }
        }
    }
}
