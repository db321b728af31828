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
    /// Further clusters by name, each with its controllers.
    let others: [String: (cluster: FakeCluster, simulator: RolloutSimulator)]
    let time: VirtualTime
    let progress = RecordedProgress()
    let records = MemoryRecords()
    let builder: ScriptedBuilder
    let registries: MemoryRegistries

    static let holder = ReleaseHolder(host: "desk", scope: "boot", process: 42, started: "7")

    init(
        time: VirtualTime = VirtualTime(),
        builder: ScriptedBuilder = ScriptedBuilder(),
        registries: MemoryRegistries = MemoryRegistries(),
        clusters: [String] = []
    ) {
        self.time = time
        self.builder = builder
        self.registries = registries
        simulator = RolloutSimulator(cluster)
        others = Dictionary(
            uniqueKeysWithValues: clusters.map { name in
                let cluster = FakeCluster()
                return (name, (cluster, RolloutSimulator(cluster)))
            }
        )
    }

    static func text(
        _ deploy: String = "",
        spec: String = "",
        image: String = "",
        test: String = "unit-tests"
    ) -> String {
        // Other clusters cannot pull from this machine's own registry, which is the default.
        let isFleet = deploy.contains("clusters:") && !image.contains("repository:")
        let repository = isFleet ? ", repository: registry.test/shop/cart" : ""
        return """
            apiVersion: ballast.dev/v1alpha1
            kind: App
            metadata: { name: cart, namespace: shop }
            spec:
              test: [{ name: unit, run: \(test) }]
              image: { build: { run: make, files: [{ from: bin/cart, to: /bin/cart }] } \(repository) \(image) }
              deploy: { replicas: 2, ports: [{ name: http, port: 8080 }], deadline: 60s \(deploy) }
              \(spec)
            """
    }

    static func file(
        _ deploy: String = "",
        spec: String = "",
        image: String = "",
        test: String = "unit-tests",
        folder: String = "/src/cart"
    ) throws -> AppFile {
        let text = text(deploy, spec: spec, image: image, test: test)
        return try AppFile.read(text, path: "\(folder)/ballast.yaml", shownAs: "ballast.yaml")
    }

    func releaser(
        _ runner: ScriptedRunner = ScriptedRunner(),
        on api: (any ClusterAPI)? = nil,
        reaching: [String: any ClusterAPI] = [:],
        knowing: Set<String>? = nil,
        signals: @escaping @Sendable (ClusterName) -> [any ReleaseSignals] = { _ in [] },
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
            hasEnded: hasEnded,
            clusters: directory(api, reaching, knowing),
            signals: signals,
            origin: ReleaseOrigin(person: { "ann@desk" }, revision: { _ in "c0ffee" })
        )
    }

    /// `known`: only these are known; else all are.
    func directory(
        _ home: (any ClusterAPI)? = nil,
        _ reaching: [String: any ClusterAPI] = [:],
        _ known: Set<String>? = nil
    ) -> FakeDirectory {
        var all: [String: any ClusterAPI] = others.mapValues(\.cluster)
        all["local"] = home ?? InterceptedCluster(cluster)
        all.merge(reaching) { $1 }
        return FakeDirectory(clusters: all.filter { known?.contains($0.key) ?? true })
    }

    /// Does the work while the cluster's controllers run.
    func running<Value: Sendable>(_ work: (World) async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for simulator in [self.simulator] + self.others.values.map(\.simulator) {
                group.addTask { await simulator.run() }
            }
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

    var image: String? { Self.image(in: cluster) }

    /// The first digit of the digest that a cluster runs.
    func content(of name: String) -> Character? {
        let cluster = name == "local" ? cluster : others[name]?.cluster
        return cluster.flatMap { Self.image(in: $0) }?.split(separator: "sha256:").last?.first
    }

    static func image(in cluster: FakeCluster) -> String? {
        cluster.all(.deployments).first?[path: "spec", "template", "spec", "containers"]?[0]?["image"]?.string
    }
}

/// Clusters by name.
struct FakeDirectory: ClusterDirectory {
    let clusters: [String: any ClusterAPI]

    func names() async throws -> [String] {
        clusters.keys.sorted { ($0 == "local" ? "" : $0) < ($1 == "local" ? "" : $1) }
    }

    func cluster(named name: String) async throws -> any ClusterAPI {
        guard let cluster = clusters[name] else { throw Failure(.notFound, "there is no cluster '\(name)'") }
        return cluster
    }
}

extension World {
    /// A container of a pod that served ended and was started again.
    func restart(_ pod: String, in cluster: FakeCluster) async {
        let reference = ObjectReference(.pods, namespace: "shop", name: pod)
        let status: JSON = [
            "containerStatuses": [
                ["name": "cart", "restartCount": 1, "lastState": ["terminated": ["exitCode": 7, "reason": "Error"]]]
            ]
        ]
        _ = try? await cluster.patch(
            reference,
            subresource: "status",
            .merge,
            ["status": status],
            options: WriteOptions()
        )
    }
}

extension World {
    /// The error's text of some work, "" where it succeeds.
    func failure(of work: () async throws -> Void) async -> String {
        do {
            try await work()
            return ""
        } catch {
            return "\(error)"
        }
    }
}
