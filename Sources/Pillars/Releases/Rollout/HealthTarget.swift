// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// One object whose health is awaited.
package struct HealthTarget: Sendable, Hashable {
    package var reference: ObjectReference
    /// As the cluster answered when it was applied, where that is at hand. Its images tell whether somebody else changes
    /// it meanwhile, and its selector saves listing pods of others.
    package var applied: KubeObject?

    /// The release found it as it wants it.
    package var isUnchanged: Bool

    package init(_ reference: ObjectReference, applied: KubeObject? = nil, isUnchanged: Bool = false) {
        self.reference = reference
        self.applied = applied
        self.isUnchanged = isUnchanged
    }

    /// Whether anything is to be awaited beside its being stored.
    var isWatched: Bool { !KindHealth.settledWhenStored.contains("\(reference.type.kind).\(reference.type.group)") }

    /// Whether it makes pods, or is one.
    var hasPods: Bool { Self.podOwners.contains("\(reference.type.kind).\(reference.type.group)") }

    private static let podOwners: Set = [
        "Deployment.apps", "StatefulSet.apps", "DaemonSet.apps", "ReplicaSet.apps", "ReplicationController.",
        "Job.batch",
        "Pod.",
    ]

    var images: [String: String] { applied.map(RolloutView.images) ?? [:] }

    /// The labels that all its pods bear, where that is known.
    var podLabels: [String: String] { applied?.spec[path: "selector", "matchLabels"]?.stringMap ?? [:] }
}
