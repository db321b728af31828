// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Who can pull what is pushed to this machine's own registry: the home cluster, by whatever names it is known. Each other
/// cluster finds its own registry, if any, under that name.
struct OwnRegistry: Sendable {
    let home: any ClusterAPI
    let clusters: any ClusterDirectory

    /// Throws `invalidInput` with the place in the file where a cluster could not pull the image.
    func demandReach(_ plan: ReleasePlan) async throws {
        let others = plan.waves.joined().filter { $0 != .local }
        guard plan.usesOwnRegistry, !others.isEmpty else { return }
        let own = try? await identity(of: home)
        var strangers: [ClusterName] = []
        for name in others {
            let other = try? await identity(of: try await clusters.cluster(named: name.text))
            if own == nil || other != own { strangers.append(name) }
        }
        if !strangers.isEmpty { throw plan.refusal(ofOwnRegistryFor: strangers) }
    }

    /// What a cluster has once in its life.
    private func identity(of cluster: any ClusterAPI) async throws -> String? {
        try await cluster.find(ObjectReference(.namespaces, name: "kube-system"))?.uid
    }
}
