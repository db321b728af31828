// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Shares traffic by the number of pods: a second Deployment of the new revision, whose pods the app's Service selects too.
///
/// The stable pods all stay, so that going back costs nothing; a canary therefore gets half of the traffic at most.
struct ReplicaShift: TrafficShift {
    let cluster: any ClusterAPI
    let retry: CallRetry

    static let trackLabel = "ballast.dev/track"
    static let releaseLabel = "ballast.dev/release"

    static func reference(_ app: AppName, _ namespace: NamespaceName) -> ObjectReference {
        ObjectReference(.deployments, namespace: namespace.text, name: "\(app)-canary")
    }

    /// How many pods give about that share beside so many stable ones: at least one, at most as many again.
    static func replicas(percent: Int, beside stable: Int) -> Int {
        guard percent < 100 else { return max(1, stable) }
        let exact = (percent * stable + (100 - percent) - 1) / (100 - percent)
        return max(1, min(exact, max(1, stable)))
    }

    func shift(_ canary: CanaryRevision, toPercent percent: Int) async throws -> Int {
        let reference = Self.reference(canary.app, canary.namespace)
        return try await retry("change \(reference.words)") {
            let stable = ObjectReference(.deployments, namespace: canary.namespace.text, name: canary.app.text)
            let beside = try await cluster.get(stable).spec["replicas"]?.int ?? 1
            let count = Self.replicas(percent: percent, beside: beside)
            let wanted = Self.deployment(canary, replicas: count)
            if let live = try await cluster.find(reference) {
                try await change(live, wanted, reference)
            } else {
                _ = try await cluster.create(wanted, as: .deployments)
            }
            return count * 100 / (count + beside)
        }
    }

    /// One of an earlier release is changed in place; one that is not ours is not touched.
    private func change(_ live: KubeObject, _ wanted: KubeObject, _ reference: ObjectReference) async throws {
        guard live.labels[Self.trackLabel] != nil, !live.isTerminating else {
            throw Failure(.invalidInput, "\(reference.words) exists already and is no canary of ours")
        }
        var next = live
        next["spec"] = wanted.spec
        next.json.set(wanted.metadata["labels"] ?? [:], at: ["metadata", "labels"])
        _ = try await cluster.update(next, as: .deployments)
    }

    func end(_ app: AppName, _ namespace: NamespaceName) async throws {
        let reference = Self.reference(app, namespace)
        try await retry("delete \(reference.words)") {
            guard let live = try await cluster.find(reference), live.labels[Self.trackLabel] != nil, !live.isTerminating
            else { return }
            try await cluster.delete(reference, options: DeleteOptions(propagation: .background, uid: live.uid))
        }
    }

    /// The stable one's, under another name, with a label that tells its pods apart from those of the stable one.
    static func deployment(_ canary: CanaryRevision, replicas: Int) -> KubeObject {
        var object = canary.deployment
        let own: [String: String] = [trackLabel: "canary"]
        object.json.set(.string("\(canary.app)-canary"), at: ["metadata", "name"])
        object.json.set(
            JSON(object.labels.merging(own.merging([releaseLabel: "\(canary.release)"]) { $1 }) { $1 }),
            at: ["metadata", "labels"]
        )
        object.json.set(JSON(replicas), at: ["spec", "replicas"])
        // The one label by which the Service finds them is the stable one's.
        object.json.set("canary", at: ["spec", "selector", "matchLabels", trackLabel])
        object.json.set("canary", at: ["spec", "template", "metadata", "labels", trackLabel])
        return object
    }
}
