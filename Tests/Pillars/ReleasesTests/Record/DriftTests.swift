// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports
import TestKit
import Testing

@testable import Releases

@Suite("drift from the last release", .timeLimit(.minutes(5)))
struct DriftTests {
    private func released() async throws -> World {
        let world = World(clusters: ["prod-a"])
        let file = try World.file(", clusters: [local, prod-a], overrides: { prod-a: { replicas: 3 } }")
        try await world.running { _ = try await $0.releaser().release(file) }
        return world
    }

    private func drift(_ world: World, reaching: [String: any ClusterAPI] = [:]) async throws -> [Drift] {
        let directory = world.directory(nil, reaching)
        let all = try await AppStatus.read(
            from: world.cluster,
            clusters: directory,
            namespace: nil,
            sleeper: world.time
        )
        return try #require(all.first).drift
    }

    @Test func whatWasReleasedAndLeftAloneHasNone() async throws {
        let world = try await released()
        #expect(try await drift(world).map(\.cluster.text) == ["local", "prod-a"])
        #expect(try await drift(world).allSatisfy { $0.lines.isEmpty && $0.trouble == nil })
    }

    @Test func aFieldChangedByHandIsNamedWithBothValues() async throws {
        let world = try await released()
        let prod = try #require(world.others["prod-a"]).cluster
        let reference = ObjectReference(.deployments, namespace: "shop", name: "cart")
        _ = try await prod.patch(reference, .merge, ["spec": ["replicas": 1]])
        try await world.cluster.delete(ObjectReference(.services, namespace: "shop", name: "cart"))
        let found = try await drift(world)
        #expect(found.first?.lines == ["service shop/cart is gone"])
        #expect(found.last?.lines == ["deployment shop/cart spec.replicas: 1 -> 3"], "as that cluster got it")
    }

    @Test func anotherImageIsDriftAlsoWhereTheNoteOfTheLastReleaseIsGone() async throws {
        let world = try await released()
        let reference = ObjectReference(.deployments, namespace: "shop", name: "cart")
        var live = try await world.cluster.get(reference)
        live.json.set([:], at: ["metadata", "annotations"])
        live.json.set([["name": "cart", "image": "other:1"]], at: ["spec", "template", "spec", "containers"])
        _ = try await world.cluster.update(live, as: .deployments)
        let lines = try await drift(world).first?.lines ?? []
        #expect(
            lines.contains {
                $0.hasPrefix("deployment shop/cart spec.template.spec.containers[cart].image: \"other:1\" ->")
            },
            "\(lines)"
        )
    }

    @Test func whoScaledByHandIsNamed() async throws {
        let world = try await released()
        let reference = ObjectReference(.deployments, namespace: "shop", name: "cart")
        _ = try await world.cluster.patch(
            reference,
            subresource: nil,
            .merge,
            ["spec": ["replicas": 7]],
            options: WriteOptions(fieldManager: "kubectl")
        )
        #expect(try await drift(world).first?.lines == ["deployment shop/cart spec.replicas: 7 -> 2 (by kubectl)"])
        #expect(try await world.cluster.get(reference).spec["replicas"] == 7, "looking changes nothing")
    }

    @Test func manifestsAreComparedAsEachClusterGotThem() async throws {
        let source = try SourceFolder(["k8s/a.yaml": SourceFolder.config("rates", ["vat": "19"])])
        defer { source.remove() }
        let world = World(clusters: ["prod-a"])
        let file = try source.file(
            ", clusters: [local, prod-a], manifests: [./k8s], overrides: { prod-a: { env: { A: b } } }"
        )
        try await world.running { _ = try await $0.releaser().release(file) }
        source.remove()
        #expect(try await drift(world).allSatisfy { $0.lines.isEmpty && $0.trouble == nil })
        let prod = try #require(world.others["prod-a"]).cluster
        let rates = ObjectReference(.configMaps, namespace: "shop", name: "rates")
        _ = try await prod.patch(rates, .merge, ["data": ["vat": "7"]])
        try await world.cluster.delete(rates)
        let found = try await drift(world)
        #expect(found.first?.lines == ["configmap shop/rates is gone"])
        #expect(found.last?.lines == ["configmap shop/rates data.vat: \"7\" -> \"19\""])
    }

    @Test func aClusterThatDoesNotAnswerIsAQuestionMark() async throws {
        let world = try await released()
        let gone = InterceptedCluster(world.cluster) { _, _ in .refused(.unavailable) }
        let found = try await drift(world, reaching: ["prod-a": gone])
        #expect(found.last?.trouble?.hasSuffix(": made to fail") == true && found.last?.lines == [])
        let all = try await AppStatus.read(
            from: world.cluster,
            clusters: world.directory(nil, ["prod-a": gone]),
            namespace: nil,
            sleeper: world.time
        )
        #expect(all.first?.cells(isWide: false)[5] == "? in prod-a")
    }

    @Test func aClusterThatWasRemovedIsNoQuestionAnyMore() async throws {
        let world = try await released()
        let all = try await AppStatus.read(
            from: world.cluster,
            clusters: world.directory(nil, [:], ["local"]),
            namespace: nil,
            sleeper: world.time
        )
        #expect(all.first?.drift.map(\.cluster) == [.local] && all.first?.cells(isWide: false)[5] == "none")
    }

    @Test func eachClusterIsComparedWithTheNewestGoodReleaseItGot() async throws {
        let world = try await released()
        world.builder.setContent("b")
        let file = try World.file(", clusters: [local, prod-a], env: { NEW: 1 }")
        try await world.running { _ = try await $0.releaser().release(file, to: [.local]) }
        #expect(try await drift(world).allSatisfy { $0.lines.isEmpty }, "prod-a runs the older one, and should")
    }

    @Test func podsOfEveryClusterCount() async throws {
        let world = try await released()
        let all = try await AppStatus.read(
            from: world.cluster,
            clusters: world.directory(),
            namespace: nil,
            sleeper: world.time
        )
        let cart = try #require(all.first)
        #expect(cart.cells(isWide: false)[4] == "5/5", "2 here and 3 in prod-a")
        #expect(Set(cart.pods.map(\.cluster.text)) == ["local", "prod-a"] && cart.pods.count == 5, "\(cart.pods)")
    }

    @Test func anAppThatIsOnlyElsewhereIsShownWithWhatRunsThere() async throws {
        let world = World(clusters: ["prod-a"])
        try await world.running { _ = try await $0.releaser().release(try World.file(", clusters: [prod-a]")) }
        let all = try await AppStatus.read(
            from: world.cluster,
            clusters: world.directory(),
            namespace: nil,
            sleeper: world.time
        )
        #expect(all.map { $0.cells(isWide: false)[4] } == ["2/2"])
        #expect(all.first?.image.isEmpty == false)
    }
}
