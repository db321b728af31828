// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports
import TestKit
import Testing

@testable import Releases

@Suite("what a release sees of namespaces", .timeLimit(.minutes(5)))
struct NamespaceSightTests {
    /// What a real server answers whose rights end at one namespace: not even that one may be looked at.
    private static func forbids(_ words: Set<String>) -> @Sendable (Int, String) -> InterceptedCluster.Fault? {
        { _, name in words.contains(name) ? .forbidden : nil }
    }

    @Test func rightsInOneNamespaceAreEnough() async throws {
        let world = World(clusters: ["prod-a"])
        let prod = try #require(world.others["prod-a"]).cluster
        _ = try await prod.create(KubeObject(.namespaces, name: "shop"), as: .namespaces)
        let narrow = InterceptedCluster(prod, fault: Self.forbids(["get namespaces", "create namespaces"]))
        let file = try World.file(", clusters: [prod-a]")
        let directory = world.directory(nil, ["prod-a": narrow])
        let plan = try await ReleaseDryRun(home: world.cluster, clusters: directory).plan(file)
        #expect(plan.first?.lines.map(\.reference.words) == ["service shop/cart", "deployment shop/cart"])
        let record = try await world.running { world in
            try await world.releaser(reaching: ["prod-a": narrow]).release(file)
        }
        #expect(record.phase == .succeeded && world.content(of: "prod-a") == "a")
        #expect(!narrow.calls.contains("create namespaces"))
    }

    @Test func aNamespaceThatWeMayNotCreateIsSaidBeforeTestsAndBuilds() async throws {
        let world = World(clusters: ["prod-a"])
        let prod = try #require(world.others["prod-a"]).cluster
        let narrow = InterceptedCluster(prod, fault: Self.forbids(["create namespaces"]))
        let runner = ScriptedRunner()
        let releaser = world.releaser(runner, reaching: ["prod-a": narrow])
        let error = await world.failure(of: releaser, try World.file(", clusters: [prod-a]"))
        let words = "the namespace 'shop' does not exist there and we may not create it, so have it created first"
        #expect(error.contains(words), "\(error)")
        #expect(runner.commands.isEmpty && world.registries.pushes.isEmpty)
    }

    @Test func aDryRunShowsTheNamespaceAndThePullSecret() async throws {
        let world = World()
        var login = KubeObject(.secrets, namespace: ReleaseRecord.systemNamespace, name: "login")
        login["data"] = ["username": "Ym90", "password": "c2VjcmV0"]
        _ = try await world.cluster.create(login, as: .secrets)
        let file = try World.file(image: ", repository: r.internal/shop/cart, credentials: { secretRef: login }")
        let dry = ReleaseDryRun(home: world.cluster)
        let plan = try #require(try await dry.plan(file).first)
        let words = plan.lines.map { "\($0.action.rawValue) \($0.reference.words)" }
        #expect(
            words == [
                "create namespace shop", "create secret shop/ballast-pull-login.r.internal", "create service shop/cart",
                "create deployment shop/cart",
            ]
        )
        #expect(plan.lines.first?.isChecked == true)
        #expect(world.cluster.all(.namespaces).isEmpty, "nothing is created")
        _ = try await world.running { try await $0.releaser().release(file) }
        #expect(try await dry.plan(file).first?.lines.isEmpty == true)
    }
}
