// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports
import TestKit
import Testing

@testable import Releases

@Suite("going back with manifests and jobs", .timeLimit(.minutes(5)))
struct ManifestRollbackTests {
    private func config(_ name: String, in cluster: FakeCluster) -> [String: String]? {
        cluster.all(.configMaps).first { $0.name == name }?["data"]?.stringMap
    }

    private func kept(_ world: World) -> [String] {
        world.cluster.all(.secrets).map(\.name).filter { $0.hasPrefix("ballast-manifests-") }
    }

    /// A first release with one manifest, and a second that changes it and adds another.
    private func released(_ source: SourceFolder, _ world: World) async throws {
        try await world.running { world in
            _ = try await world.releaser().release(try source.file(", manifests: [./k8s]"))
            try source.write("k8s/a.yaml", SourceFolder.config("rates", ["vat": "7", "new": "1"]))
            try source.write("k8s/b.yaml", SourceFolder.config("offers", ["today": "soap"]))
            world.builder.setContent("b")
            _ = try await world.releaser().release(try source.file(", manifests: [./k8s], env: { NEW: 1 }"))
        }
        #expect(config("rates", in: world.cluster) == ["vat": "7", "new": "1"])
        #expect(config("offers", in: world.cluster) != nil)
    }

    @Test func whatTheReleaseHadComesBackAndWhatCameAfterItGoes() async throws {
        let source = try SourceFolder(["k8s/a.yaml": SourceFolder.config("rates", ["vat": "19"])])
        let world = World()
        try await released(source, world)
        source.remove()
        let record = try await world.running {
            try await $0.releaser().rollback(AppName("cart"), in: nil, to: nil)
        }
        #expect(record.rollbackTo == 1 && record.changes.contains("deleted configmap shop/offers"))
        #expect(config("rates", in: world.cluster) == ["vat": "19"] && config("offers", in: world.cluster) == nil)
        #expect(world.content(of: "local") == "a")
    }

    @Test func aReleaseThatFailsPutsItsManifestsBackToo() async throws {
        let source = try SourceFolder(["k8s/a.yaml": SourceFolder.config("rates", ["vat": "19"])])
        defer { source.remove() }
        let world = World()
        world.simulator.set(.stuck(["phase": "Pending"]), for: "b")
        try await world.running { world in
            _ = try await world.releaser().release(try source.file(", manifests: [./k8s]"))
            try source.write("k8s/a.yaml", SourceFolder.config("rates", ["vat": "7"]))
            try source.write("k8s/b.yaml", SourceFolder.config("offers", ["today": "soap"]))
            world.builder.setContent("b")
            let second = try source.file(", manifests: [./k8s]")
            async let failure = world.failure(of: world.releaser(), second)
            await world.time.pass(.seconds(1)) { world.releases.last?.phase == .failed }
            #expect(await failure.hasSuffix("rolled back to release 1"))
        }
        #expect(config("rates", in: world.cluster) == ["vat": "19"] && config("offers", in: world.cluster) == nil)
    }

    @Test func manifestsThatNoRecordNamesAreForgottenAndThoseOfOthersAreNot() async throws {
        let source = try SourceFolder(["k8s/a.yaml": SourceFolder.config("rates", ["vat": "19"])])
        defer { source.remove() }
        let world = World()
        try await released(source, world)
        #expect(kept(world).count == 2)
        let first = try #require(world.releases.first)
        try await world.cluster.delete(first.reference)
        try await world.running { world in
            _ = try await world.releaser().release(try source.file(", manifests: [./k8s], env: { NEW: 2 }"))
        }
        let name = try #require(world.releases.last?.declaration["manifests"]?.string)
        #expect(kept(world) == ["\(name).0"], "the second and the third have the same")
    }

    @Test func jobsOfTheReleaseThatIsGoneBackToDoNotRunAgain() async throws {
        let world = World()
        let first = try World.file(", before: [{ name: migrate, run: [/bin/cart, up] }]")
        try await world.running { world in
            for (content, file) in [("a" as Character, first), ("b", try World.file())] {
                world.builder.setContent(content)
                async let record = world.releaser().release(file)
                while world.releases.last?.phase != .succeeded || world.releases.last?.image?.contains(content) != true
                {
                    for job in world.cluster.all(.jobs) where job.condition("Complete") == nil {
                        let done: JSON = ["conditions": [["type": "Complete", "status": "True"]], "succeeded": 1]
                        let reference = ObjectReference(.jobs, namespace: "shop", name: job.name)
                        _ = try? await world.cluster.patch(
                            reference,
                            subresource: "status",
                            .merge,
                            ["status": done],
                            options: WriteOptions()
                        )
                    }
                    await VirtualTime.breathe()
                    try Task.checkCancellation()
                }
                _ = try await record
            }
            let before = Set(world.cluster.all(.jobs).map(\.name))
            _ = try await world.releaser().rollback(AppName("cart"), in: nil, to: 1)
            #expect(Set(world.cluster.all(.jobs).map(\.name)).isSubset(of: before))
        }
        #expect(world.content(of: "local") == "a")
    }
}
