// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Looks at the claims a pod mounts, before it gets a node.
struct ClaimCheck: Sendable {
    static let selectedNode = "volume.kubernetes.io/selected-node"

    private let claims: [(name: String, claim: KubeObject?)]
    private let mirrors: ClusterMirrors

    init(pod: KubeObject, mirrors: ClusterMirrors) {
        self.mirrors = mirrors
        claims = pod.claimNames.map { ($0, mirrors.claims[ObjectName(namespace: pod.namespace, name: $0)]) }
    }

    /// What keeps the pod off all nodes, in the scheduler's words.
    var problem: String? {
        for (name, claim) in claims {
            guard let claim else { return "persistentvolumeclaim \"\(name)\" not found" }
            if claim.isTerminating { return "persistentvolumeclaim \"\(name)\" is being deleted" }
            if claim.status["phase"]?.string == "Lost" {
                return "persistentvolumeclaim \"\(name)\" bound to non-existent persistentvolume "
                    + "\"\(claim.spec["volumeName"]?.string ?? "")\""
            }
            if !claim.isBoundClaim, !waitsForConsumer(claim) {
                return "pod has unbound immediate PersistentVolumeClaims"
            }
        }
        return nil
    }

    /// What follows the problem in the message.
    func tail(_ nodes: Int) -> String {
        "preemption: 0/\(nodes) nodes are available: \(nodes) Preemption is not helpful for scheduling."
    }

    private func waitsForConsumer(_ claim: KubeObject) -> Bool {
        let name = claim.spec["storageClassName"]?.string ?? ""
        let mode = mirrors.storageClasses[ObjectName(name: name)]?["volumeBindingMode"]?.string
        return mode == "WaitForFirstConsumer"
    }

    /// Volumes that are bound already may be tied to another node.
    func obstacles(on node: KubeObject) -> [NodeFit.Obstacle] {
        let isApart = claims.contains { _, claim in
            guard let volume = claim?.spec["volumeName"]?.string,
                let affinity = mirrors.volumes[ObjectName(name: volume)]?.spec[path: "nodeAffinity", "required"]
            else { return false }
            return !NodeFit.matches(terms: affinity["nodeSelectorTerms"]?.array ?? [], node)
        }
        return isApart
            ? [NodeFit.Obstacle(reason: "node(s) didn't match PersistentVolume's node affinity", isLasting: true)] : []
    }

    /// Tells the provisioner which node the waiting claims' volumes must be on; whether nothing is left to wait for.
    func select(_ node: KubeObject, with writer: ClusterWriter) async throws -> Bool {
        var isReady = true
        for case (_, let claim?) in claims where !claim.isBoundClaim {
            isReady = false
            guard claim.annotations[Self.selectedNode] != node.name else { continue }
            let annotations: JSON = [Self.selectedNode: .string(node.name)]
            try await writer.merge(
                ["metadata": ["annotations": annotations]],
                into: claim,
                as: .persistentVolumeClaims
            )
        }
        return isReady
    }
}

extension KubeObject {
    /// The claims this pod mounts, ephemeral volumes' ones included.
    var claimNames: [String] {
        (spec["volumes"]?.array ?? []).compactMap { volume in
            if volume["ephemeral"] != nil { return "\(name)-\(volume["name"]?.string ?? "")" }
            return volume["persistentVolumeClaim"]?["claimName"]?.string
        }
    }

    var isBoundClaim: Bool {
        status["phase"]?.string == "Bound" && !(spec["volumeName"]?.string ?? "").isEmpty
    }
}
