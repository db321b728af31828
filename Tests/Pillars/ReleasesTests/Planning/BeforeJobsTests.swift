// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports
import TestKit
import Testing

@testable import Releases

@Suite("jobs before the pods", .timeLimit(.minutes(5)))
struct BeforeJobsTests {
    /// A job controller in a few lines: each job ends as told; returns what deployments there were at that time.
    private static func end(_ cluster: FakeCluster, _ condition: String) async throws -> [String] {
        let mirror = ObjectMirror(ListQuery(.jobs), of: cluster)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await mirror.run() }
            defer { group.cancelAll() }
            for await change in mirror.changes() {
                let job = change.object
                let deployments = cluster.all(.deployments).map(\.name)
                let status: JSON = [
                    "status": [
                        "conditions": [["type": .string(condition), "status": "True", "message": "it ended"]],
                        "succeeded": condition == "Complete" ? 1 : 0,
                    ]
                ]
                let reference = ObjectReference(.jobs, namespace: job.namespace, name: job.name)
                _ = try await cluster.patch(reference, subresource: "status", .merge, status, options: WriteOptions())
                return deployments
            }
            return []
        }
    }

    private static let before = ", before: [{ name: migrate, run: [/bin/cart, migrate] }], env: { A: b }"

    @Test func theyRunFromTheNewImageAndArePodsOfNoService() async throws {
        let world = World()
        let file = try World.file(Self.before)
        async let seen = Self.end(world.cluster, "Complete")
        let record = try await world.running { try await $0.releaser().release(file) }
        #expect(record.phase == .succeeded)
        #expect(try await seen.isEmpty, "no deployment before the job has succeeded")
        let job = try #require(world.cluster.all(.jobs).first)
        #expect(job.name == "cart-migrate-1-aaaaa")
        let pod = job.spec["template"]
        #expect(pod?[path: "spec", "containers"]?[0]?["image"]?.string == record.image)
        #expect(pod?[path: "spec", "containers"]?[0]?["command"] == ["/bin/cart", "migrate"])
        #expect(pod?[path: "metadata", "labels"]?[AppObjects.selectorLabel] == nil)
    }

    @Test func oneThatFailsEndsTheReleaseBeforeAnyPodChanges() async throws {
        let world = World()
        let file = try World.file(Self.before)
        async let seen = Self.end(world.cluster, "Failed")
        let error = try await world.running { await $0.failure(of: $0.releaser(), file) }
        #expect(error.contains("release cart-1 failed: B209"), "\(error)")
        #expect(try await seen.isEmpty && world.cluster.all(.deployments).isEmpty)
    }
}
