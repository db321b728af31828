// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import AppFile
package import Model
package import Ports
package import Releases

/// What the verbs need of the rest of Ballast; Assembly provides it.
package protocol Composition: Sendable {
    /// Runs everything on this machine until it is told to stop; reports what a person should see.
    func up(_ options: UpOptions) async throws

    /// Called at the second signal: hastens the stop that the first one began. `false` where there is nothing to
    /// hasten; the process then ends at once.
    func hurry() -> Bool

    /// Stops the `up` that uses this data folder and returns when it is gone.
    func down(dataFolder: String) async throws

    /// Releases an app into its clusters, or into those of `to`; `home` keeps the records.
    func release(
        _ file: AppFile,
        to: [ClusterName],
        home: HomeChoice,
        progress: any ReleaseProgress
    ) async throws -> ReleaseRecord

    /// Takes an app back to an earlier release.
    func rollback(
        _ order: RollbackOrder,
        home: HomeChoice,
        progress: any ReleaseProgress
    ) async throws -> ReleaseRecord

    /// Where the edge of the home cluster listens on this machine; `nil` where that is not known, or not here.
    func edgePort(home: HomeChoice) -> Int?

    /// Asks a cluster and, when it answers, stores it with its credentials in the home cluster.
    func addCluster(_ new: NewCluster, home: HomeChoice) async throws -> AddedCluster

    /// How the clusters are, `local` first; those that do not answer say why.
    func clusterStates(home: HomeChoice) async throws -> [ClusterState]

    /// Forgets a cluster and its credentials, or only tells what that would mean.
    func removeCluster(_ name: String, isDryRun: Bool, home: HomeChoice) async throws -> RemovedCluster

    /// Works with the home cluster and all that it knows.
    func withClusters<Value: Sendable>(
        home: HomeChoice,
        _ work: @Sendable (any ClusterAPI, any ClusterDirectory) async throws -> Value
    ) async throws -> Value

    /// Works with the home cluster.
    func withCluster<Value: Sendable>(
        home: HomeChoice,
        _ work: @Sendable (any ClusterAPI) async throws -> Value
    ) async throws -> Value
}

extension Composition {
    package func hurry() -> Bool { false }
    package func edgePort(home: HomeChoice) -> Int? { nil }

    package func withClusters<Value: Sendable>(
        home: HomeChoice,
        _ work: @Sendable (any ClusterAPI, any ClusterDirectory) async throws -> Value
    ) async throws -> Value {
        try await withCluster(home: home) { try await work($0, HomeOnly($0)) }
    }
}

/// The composition of the command that runs.
enum Compositions {
    @TaskLocal static var current: (any Composition)?

    static func require() throws -> any Composition {
        guard let current else { throw Failure(.fault, "the command line was started without its composition") }
        return current
    }
}

/// What `ballast up` was asked for.
package struct UpOptions: Sendable, Hashable {
    package var dataFolder: String
    /// Folders whose apps are released once the cluster runs.
    package var demo: [String]
    package var ports: MachinePorts

    package init(dataFolder: String, demo: [String], ports: MachinePorts) {
        self.dataFolder = dataFolder
        self.demo = demo
        self.ports = ports
    }
}

/// Where one `up` listens on this machine.
package struct MachinePorts: Sendable, Hashable {
    package var kubernetes: Int
    package var registry: Int
    package var edge: Int

    package init(kubernetes: Int, registry: Int, edge: Int) {
        self.kubernetes = kubernetes
        self.registry = registry
        self.edge = edge
    }
}
