// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// One moment of one awaited object as the cluster shows it, with what belongs to it.
package struct RolloutView: Sendable {
    package struct Event: Sendable, Hashable {
        package var reason: String
        package var message: String

        package init(reason: String, message: String) {
            self.reason = reason
            self.message = message
        }
    }

    package var reference: ObjectReference
    package var object: KubeObject?
    /// What stands for the newest template: its replica set or its controller revision.
    package var revision: KubeObject?
    /// Of the newest revision only: an old pod's trouble is no verdict on the new image.
    package var pods: [KubeObject]
    /// Of its pods by their names, oldest first.
    package var events: [String: [Event]]
    /// Of the object itself and, where it makes pods by way of another, of that one; oldest first.
    package var ownEvents: [Event]
    /// The registry's first words by pod name; later ones say only that there is a back-off.
    package var pullMessages: [String: String]
    /// The claims of its namespace that are not bound, by name, with what was last said of each.
    package var openClaims: [String: String]
    package var health: Health

    package init(
        _ reference: ObjectReference,
        _ object: KubeObject?,
        health: Health,
        revision: KubeObject? = nil,
        pods: [KubeObject] = []
    ) {
        self.reference = reference
        self.object = object
        self.health = health
        self.revision = revision
        self.pods = pods.sorted { $0.name < $1.name }
        events = [:]
        ownEvents = []
        pullMessages = [:]
        openClaims = [:]
    }

    /// The images of the pods' template by container: what the cluster is asked to run.
    package var images: [String: String] { object.map(Self.images) ?? [:] }

    package static func images(of object: KubeObject) -> [String: String] {
        let containers = object[path: "spec", "template", "spec", "containers"]?.array ?? []
        return containers.reduce(into: [:]) { images, container in
            guard let name = container["name"]?.string else { return }
            images[name] = container["image"]?.string ?? ""
        }
    }

    /// How many pods there are to be; 0 where nobody can tell yet.
    var wanted: Int {
        guard let object else { return 0 }
        return switch object.kind {
        case "DaemonSet": object.status["desiredNumberScheduled"]?.int ?? 0
        case "Job": min(object.spec["parallelism"]?.int ?? 1, object.spec["completions"]?.int ?? 1)
        default: object.spec["replicas"]?.int ?? 1
        }
    }

    /// Whether it makes pods that go on for ever.
    var isWorkload: Bool {
        ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"].contains(reference.type.kind)
    }

    /// All that was asked is there, of the newest revision, and its controller has seen the newest wish.
    var isComplete: Bool {
        guard let object, !object.isTerminating else { return false }
        if object.kind == "Deployment", revision == nil, wanted > 0 { return false }
        if isWorkload, health.reason != "OnDelete", pods.contains(where: Self.isAmiss) { return false }
        // Somebody may pause a Deployment that has got where it was to go.
        if health.state == .suspended, isWorkload { return WorkloadHealth.isRolledOut(object) }
        return health.isSettled
    }

    /// Counts are late: a pod that shows itself that it is not ready is right, and its Deployment is not.
    private static func isAmiss(_ pod: KubeObject) -> Bool {
        !PodWords.isReady(pod) && !["Failed", "Succeeded"].contains(pod.status["phase"]?.string ?? "")
    }

    /// When the youngest container that no readiness probe looks after was started; `nil` where there is none.
    var lastUnprobedStart: Timestamp? {
        guard isWorkload else { return nil }
        let containers = object?[path: "spec", "template", "spec", "containers"]?.array ?? []
        let unprobed = Set(containers.filter { $0["readinessProbe"] == nil }.compactMap { $0["name"]?.string })
        return pods.flatMap { $0.status["containerStatuses"]?.array ?? [] }
            .filter { unprobed.contains($0["name"]?.string ?? "") }
            .compactMap { $0[path: "state", "running", "startedAt"]?.string.flatMap { Timestamp($0) } }.max()
    }

    /// For people: "1 of 2 new pods ready; cart-7d-x: ContainerCreating".
    var progress: String {
        guard isWorkload, object != nil else { return health.message }
        let ready = pods.count(where: PodWords.isReady)
        let trouble = pods.lazy.compactMap { pod in PodWords.trouble(of: pod).map { "\(pod.name): \($0)" } }.first
        if let trouble { return "\(ready) of \(wanted) new pods ready; \(trouble)" }
        return ready >= wanted && !isComplete ? health.message : "\(ready) of \(wanted) new pods ready"
    }
}
