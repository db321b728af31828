// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports
import TestKit

@testable import Releases

/// A cluster in memory with everything a release needs around it.
final class World: Sendable {
    let cluster = FakeCluster()
    let simulator: RolloutSimulator
    let time: VirtualTime
    let progress = RecordedProgress()
    let records = MemoryRecords()
    let builder: ScriptedBuilder
    let registries: MemoryRegistries

    static let holder = ReleaseHolder(host: "desk", scope: "boot", process: 42, started: "7")

    init(
        time: VirtualTime = VirtualTime(),
        builder: ScriptedBuilder = ScriptedBuilder(),
        registries: MemoryRegistries = MemoryRegistries()
    ) {
        self.time = time
        self.builder = builder
        self.registries = registries
        simulator = RolloutSimulator(cluster)
    }

    static func file(_ deploy: String = "", spec: String = "", image: String = "", test: String = "unit-tests") throws
        -> AppFile
    {
        let text = """
            apiVersion: ballast.dev/v1alpha1
            kind: App
            metadata: { name: cart, namespace: shop }
            spec:
              test: [{ name: unit, run: \(test) }]
              image: { build: { run: make, files: [{ from: bin/cart, to: /bin/cart }] } \(image) }
              deploy: { replicas: 2, ports: [{ name: http, port: 8080 }], deadline: 60s \(deploy) }
              \(spec)
            """
        return try AppFile.read(text, path: "/src/cart/ballast.yaml", shownAs: "ballast.yaml")
    }

    func releaser(
        _ runner: ScriptedRunner = ScriptedRunner(),
        on api: (any ClusterAPI)? = nil,
        holder: ReleaseHolder = World.holder,
        hasEnded: @escaping @Sendable (ReleaseHolder) -> Bool? = { _ in nil }
    ) -> Releaser {
        Releaser(
            home: api ?? InterceptedCluster(cluster),
            registries: registries,
            builder: builder,
            runner: runner,
            records: records,
            progress: progress,
            architecture: "amd64",
            clock: time.wall,
            sleeper: time,
            holder: holder,
            hasEnded: hasEnded
        )
    }

    /// Does the work while the cluster's controllers run.
    func running<Value: Sendable>(_ work: (World) async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.simulator.run() }
            defer { group.cancelAll() }
            return try await work(self)
        }
    }

    /// Releases and returns the error's text, "" where it succeeds.
    func failure(of releaser: Releaser, _ file: AppFile) async -> String {
        do {
            _ = try await releaser.release(file)
            return ""
        } catch {
            return "\(error)"
        }
    }

    /// Everything but Ballast's own records, as "Kind namespace/name".
    var objects: [String] {
        let types: [ResourceType] = [
            .namespaces, .secrets, .persistentVolumeClaims, .deployments, .services, .ingresses, .apps,
        ]
        return types.flatMap { type in cluster.all(type).map { "\(type.kind) \(ObjectName($0))" } }
    }

    var releases: [ReleaseRecord] {
        cluster.all(.releases).compactMap { ReleaseRecord($0) }.sorted { $0.number < $1.number }
    }

    var image: String? {
        cluster.all(.deployments).first?[path: "spec", "template", "spec", "containers"]?[0]?["image"]?.string
    }
}
