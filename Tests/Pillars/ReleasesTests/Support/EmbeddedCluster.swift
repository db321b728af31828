// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import KubeServer
import Model
import Ports

@testable import Releases

/// The embedded server over a log in memory: validation, defaults and server-side apply as a cluster has them, without
/// controllers.
struct EmbeddedCluster: Sendable {
    let api: any ClusterAPI
    private let server: KubernetesServer

    init() async throws {
        let clock = WallClock { Timestamp(seconds: 1_800_000_000) }
        var configuration = KubernetesServer.Configuration()
        configuration.settlesDefaultRoles = false
        configuration.requiresServiceAccounts = false
        let log = try ObjectLog(path: nil, clock: clock)
        server = try KubernetesServer(log: log, configuration: configuration, clock: clock)
        try await server.bootstrap()
        api = server.api
    }
}

/// Plans and applies like a release, without one.
struct ApplyWorld: Sendable {
    let cluster: any ClusterAPI
    let progress = RecordedProgress()
    var taken = TakenFields()
    var adopts = false

    private var retry: CallRetry { CallRetry(clock: VirtualTime(), progress: progress) }

    init(_ cluster: any ClusterAPI) { self.cluster = cluster }

    static let app = App(
        KubeObject([
            "apiVersion": "ballast.dev/v1alpha1", "kind": "App", "metadata": ["name": "cart", "namespace": "shop"],
            "spec": ["image": [:], "deploy": [:]],
        ])
    )

    func state(_ manifests: [Manifest]) async throws -> DesiredState {
        try await DesiredState([], manifests, app: Self.app, schema: cluster.schema)
    }

    func plan(_ manifests: [Manifest]) async throws -> [PlannedObject] {
        try await ObjectPlanner(cluster: cluster, retry: retry, taken: taken, adopts: adopts).plan(state(manifests))
    }

    func plan(_ yaml: String) async throws -> [PlannedObject] {
        try await plan(ManifestReader.parse(yaml, file: "k8s/all.yaml"))
    }

    @discardableResult
    func apply(_ manifests: [Manifest]) async throws -> [PlannedObject] {
        let planned = try await plan(manifests)
        let applier = ObjectApplier(cluster: cluster, retry: retry, progress: progress, sleeper: ContinuousClock())
        try await applier.apply(planned, in: ApplyStage.allCases)
        return planned
    }

    @discardableResult
    func apply(_ yaml: String) async throws -> [PlannedObject] {
        try await apply(ManifestReader.parse(yaml, file: "k8s/all.yaml"))
    }

    /// `create configmap shop/a`, one for each object.
    static func words(_ planned: [PlannedObject]) -> [String] {
        planned.map { "\($0.action.rawValue) \($0.reference.words)" }
    }
}

extension PodsStage {
    /// The stage alone, with its inventories in a cluster of their own.
    static func alone(_ cluster: any ClusterAPI, name: ClusterName = .local, home: any ClusterAPI) -> PodsStage {
        let progress = RecordedProgress()
        return PodsStage(
            cluster: cluster,
            progress: progress,
            clock: WallClock { Timestamp(seconds: 1_800_000_000) },
            sleeper: ContinuousClock(),
            retry: CallRetry(clock: ContinuousClock(), progress: progress),
            name: name,
            home: home
        )
    }
}
