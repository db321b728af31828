// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports
import TestKit
import Testing

@testable import Releases

@Suite("what an app has in a cluster", .timeLimit(.minutes(5)))
struct InventoryTests {
    private let home = FakeCluster()

    private func stage(_ api: any ClusterAPI) -> PodsStage {
        .alone(api, name: ClusterName("prod-a"), home: home)
    }

    private static func world() async throws -> any ClusterAPI {
        let api = try await EmbeddedCluster().api
        _ = try await api.create(KubeObject(.namespaces, name: "shop"), as: .namespaces)
        return api
    }

    private static func app(_ yaml: String, name: String = "cart") throws -> App {
        let text = """
            apiVersion: ballast.dev/v1alpha1
            kind: App
            metadata: { name: \(name), namespace: shop }
            spec: { image: { use: "registry.internal/cart:1" }, deploy: { manifests: [k8s] } }
            """
        var app = try AppFile.read(text, path: "/f", shownAs: "f").app
        app.manifestFiles = ["k8s": try ManifestReader.parse(yaml, file: "k8s/a.yaml")]
        return app
    }

    private static func config(_ name: String, _ annotations: String = "") -> String {
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: \(name), annotations: {\(annotations)} }\ndata: { a: b }\n"
    }

    private static func reference(_ name: String) -> ObjectReference {
        ObjectReference(.configMaps, namespace: "shop", name: name)
    }

    private var identities: [String] {
        home.all(.inventories).compactMap { Inventory($0) }.flatMap { $0.entries.map(\.identity) }.sorted()
    }

    @Test func whatTheAppDropsIsDeletedAfterThePodsAndNothingElse() async throws {
        let api = try await Self.world()
        let claim = """
            ---
            apiVersion: v1
            kind: PersistentVolumeClaim
            metadata: { name: data }
            spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }
            ---
            apiVersion: v1
            kind: Namespace
            metadata: { name: extra }
            """
        let much = Self.config("a") + Self.config("b") + Self.config("kept", "ballast.dev/prune: disabled") + claim
        let (first, second) = (try Self.app(much), try Self.app(Self.config("a")))
        _ = try await api.create(KubeObject(.configMaps, namespace: "shop", name: "theirs"), as: .configMaps)
        _ = try await stage(api).apply(first, image: "i", pullSecret: nil)
        _ = try await stage(api).removeWhatIsNoLongerWanted(first)
        #expect(home.all(.inventories).map(\.name) == ["cart.prod-a"])
        #expect(identities.count == 6)
        let plan = try await stage(api).plan(second, image: "i", pullSecret: nil)
        #expect(
            Set(plan.lines.map { "\($0.action.rawValue) \($0.reference.words)" }) == [
                "keep persistentvolumeclaim shop/data", "delete configmap shop/b", "keep configmap shop/kept",
                "keep namespace extra",
            ]
        )
        _ = try await stage(api).apply(second, image: "i", pullSecret: nil)
        #expect(try await api.find(Self.reference("b")) != nil, "not before the pods serve")
        #expect(identities.count == 6, "the inventory names what was, and what is to come")
        let changes = try await stage(api).removeWhatIsNoLongerWanted(second)
        #expect(changes == ["deleted configmap shop/b"])
        #expect(try await api.find(Self.reference("b")) == nil)
        for name in ["a", "kept", "theirs"] { #expect(try await api.find(Self.reference(name)) != nil, "\(name)") }
        #expect(try await api.find(ObjectReference(.namespaces, name: "extra")) != nil)
        #expect(identities == ["configmaps./shop/a", "deployments.apps/shop/cart"])
    }

    @Test func anObjectOfTwoAppsGoesWithTheLast() async throws {
        let api = try await Self.world()
        let shared = Self.config("shared")
        let (cart, web) = (try Self.app(shared), try Self.app(shared, name: "web"))
        for app in [cart, web] {
            _ = try await stage(api).apply(app, image: "i", pullSecret: nil)
            _ = try await stage(api).removeWhatIsNoLongerWanted(app)
        }
        #expect(try await stage(api).removeWhatIsNoLongerWanted(Self.app(Self.config("x"))) == [])
        #expect(try await api.find(Self.reference("shared")) != nil)
        let changes = try await stage(api).removeWhatIsNoLongerWanted(Self.app(Self.config("y"), name: "web"))
        #expect(changes == ["deleted configmap shop/shared"])
    }

    @Test func anObjectThatWasMadeAnewIsNotMeant() async throws {
        let api = try await Self.world()
        let app = try Self.app(Self.config("a") + Self.config("b"))
        _ = try await stage(api).apply(app, image: "i", pullSecret: nil)
        try await api.delete(Self.reference("b"))
        var other = KubeObject(.configMaps, namespace: "shop", name: "b", labels: ["app.kubernetes.io/managed-by": "x"])
        other["data"] = ["theirs": "1"]
        _ = try await api.create(other, as: .configMaps)
        #expect(try await stage(api).removeWhatIsNoLongerWanted(Self.app(Self.config("a"))) == [])
        #expect(try await api.find(Self.reference("b")) != nil)
    }

    @Test func whatIsMadeAnewBetweenTheLookAndTheDeletionStays() async throws {
        let api = try await Self.world()
        _ = try await stage(api).apply(try Self.app(Self.config("b")), image: "i", pullSecret: nil)
        let pruner = Pruner(
            cluster: api,
            retry: CallRetry(clock: ContinuousClock(), progress: RecordedProgress())
        )
        let entry = Inventory.Entry(Self.reference("b"))
        guard case .delete(let uid) = try await pruner.fate(of: entry) else {
            Issue.record("it is to be deleted")
            return
        }
        try await api.delete(Self.reference("b"))
        _ = try await stage(api).apply(try Self.app(Self.config("b")), image: "i", pullSecret: nil)
        #expect(try await pruner.delete(entry.reference, uid: uid) == false)
        let anew = try #require(try await api.find(Self.reference("b")))
        #expect(anew.uid != uid)
        #expect(try await pruner.delete(entry.reference, uid: anew.uid))
        #expect(try await api.find(Self.reference("b")) == nil)
    }

    @Test func manifestsOfAReleaseAreKeptAndReadBack() async throws {
        let retry = CallRetry(clock: ContinuousClock(), progress: RecordedProgress())
        let book = ManifestBook(home: home, retry: retry)
        let many = (0..<2000).map { Self.config("c-\($0)", "text: \(String(repeating: "x", count: 600))") }.joined()
        let app = try Self.app(many)
        let name = try #require(try await book.keep(app, in: "shop"))
        #expect(try await book.keep(app, in: "shop") == name)
        #expect(home.all(.secrets).count == 2, "more than one Secret holds")
        var bare = app
        bare.manifestFiles = [:]
        #expect(try await book.restore(bare, name, from: "shop").manifests == app.manifests)
        let next = try #require(try await book.keep(Self.app(Self.config("other")), in: "shop"))
        try await book.forget(app.name, in: "shop") { [next] }
        #expect(home.all(.secrets).count == 1)
        await #expect(throws: Failure.self) { try await book.restore(bare, name, from: "shop") }
    }
}
