// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// One moment of a rollout as the cluster shows it.
package struct RolloutView: Sendable {
    package struct Event: Sendable, Hashable {
        package var reason: String
        package var message: String

        package init(reason: String, message: String) {
            self.reason = reason
            self.message = message
        }
    }

    package var deployment: KubeObject?
    /// The newest revision's.
    package var replicaSet: KubeObject?
    /// Of the newest revision only: an old pod's trouble is no verdict on the new image.
    package var pods: [KubeObject]
    /// By pod name, oldest first.
    package var events: [String: [Event]]
    /// The registry's first words by pod name; later ones say only that there is a back-off.
    package var pullMessages: [String: String]

    package init(
        deployment: KubeObject?,
        replicaSets: [KubeObject],
        pods: [KubeObject],
        events: [String: [Event]] = [:],
        pullMessages: [String: String] = [:]
    ) {
        self.deployment = deployment
        let owned = replicaSets.filter { set in
            set.controller?["uid"]?.string == deployment?.uid && deployment != nil
        }
        let revision = deployment?.annotations[Self.revision].flatMap { Int($0) }
        let newest = owned.max { Self.number($0) < Self.number($1) }
        // Until the controller has seen the new template, the newest replica set is the old one.
        let isObserved = (deployment?.status["observedGeneration"]?.int ?? 0) >= (deployment?.generation ?? 0)
        replicaSet = isObserved && (revision == nil || newest.map(Self.number) == revision) ? newest : nil
        let uid = replicaSet?.uid
        self.pods = pods.filter { uid != nil && $0.controller?["uid"]?.string == uid && !$0.isTerminating }
            .sorted { $0.name < $1.name }
        self.events = events
        self.pullMessages = pullMessages
    }

    private static let revision = "deployment.kubernetes.io/revision"
    private static func number(_ set: KubeObject) -> Int { set.annotations[revision].flatMap { Int($0) } ?? 0 }

    /// The image of the Deployment's first container: what the cluster is asked to run.
    var image: String? { deployment?[path: "spec", "template", "spec", "containers"]?[0]?["image"]?.string }
    var wanted: Int { deployment?.spec["replicas"]?.int ?? 1 }

    /// All replicas are of the new revision, ready and available, and the controller has seen the newest wish.
    var isComplete: Bool {
        guard let deployment, !deployment.isTerminating, replicaSet != nil || wanted == 0 else { return false }
        func count(_ key: String) -> Int { deployment.status[key]?.int ?? 0 }
        return count("observedGeneration") >= deployment.generation && count("updatedReplicas") == wanted
            && count("replicas") == wanted && count("availableReplicas") >= wanted && count("readyReplicas") >= wanted
    }

    /// For people: "1 of 2 new pods ready; cart-7d-x: ContainerCreating".
    var progress: String {
        let ready = pods.count(where: PodWords.isReady)
        let trouble = pods.lazy.compactMap { pod in PodWords.trouble(of: pod).map { "\(pod.name): \($0)" } }.first
        return "\(ready) of \(wanted) new pods ready" + (trouble.map { "; \($0)" } ?? "")
    }
}
