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
        self.events = events
        self.pullMessages = pullMessages
    }

    private static let revision = "deployment.kubernetes.io/revision"
    private static func number(_ set: KubeObject) -> Int { set.annotations[revision].flatMap { Int($0) } ?? 0 }
}

/// Decides whether a rollout is done, still under way, or hopeless. It knows no clock, no cluster and no task.
package struct RolloutMachine: Sendable {
    package enum Action: Sendable, Hashable {
        /// Look again at a change, and at that moment at the latest.
        case wait(until: Timestamp, for: String)
        case succeed
        case fail(Diagnosis)
    }

    private let deadline: Timestamp
    private let patience: Duration
    private var suspicion: (code: Diagnosis.Code, since: Timestamp)?
    private var isOver = false

    package init(startedAt start: Timestamp, patience: Duration) {
        self.deadline = start + patience
        self.patience = patience
    }

    package mutating func observe(_ view: RolloutView, at now: Timestamp) -> Action {
        if Self.isComplete(view) {
            isOver = true
            return .succeed
        }
        let finding = Diagnoser.finding(in: view)
        if let finding {
            let since = suspicion?.code == finding.diagnosis.code ? suspicion?.since ?? now : now
            suspicion = (finding.diagnosis.code, since)
            if now >= since + finding.grace { return .fail(finding.diagnosis) }
        } else {
            suspicion = nil
        }
        guard now < deadline else { return .fail(finding?.diagnosis ?? Self.lateness(view, patience)) }
        let next = finding.map { min(deadline, (suspicion?.since ?? now) + $0.grace) } ?? deadline
        return .wait(until: next, for: Self.progress(view))
    }

    /// All replicas are of the new revision, ready and available, and the controller has seen the newest wish.
    static func isComplete(_ view: RolloutView) -> Bool {
        guard let deployment = view.deployment, view.replicaSet != nil || deployment.spec["replicas"]?.int == 0 else {
            return false
        }
        let wanted = deployment.spec["replicas"]?.int ?? 1
        let status = deployment.status
        func count(_ key: String) -> Int { status[key]?.int ?? 0 }
        return count("observedGeneration") >= deployment.generation && count("updatedReplicas") == wanted
            && count("replicas") == wanted && count("availableReplicas") >= wanted && count("readyReplicas") >= wanted
    }

    private static func progress(_ view: RolloutView) -> String {
        let wanted = view.deployment?.spec["replicas"]?.int ?? 1
        let ready = view.pods.count { $0.condition("Ready")?["status"]?.string == "True" }
        return "\(ready) of \(wanted) new pods ready"
    }

    /// Nothing is plainly broken, and yet the time is over: what did the probes say?
    private static func lateness(_ view: RolloutView, _ patience: Duration) -> Diagnosis {
        for pod in view.pods {
            guard let event = view.events[pod.name]?.last(where: { $0.reason == "Unhealthy" }) else { continue }
            let code: Diagnosis.Code =
                if event.message.hasPrefix("Liveness") {
                    .livenessFails
                } else if event.message.hasPrefix("Startup") { .startupFails } else { .readinessFails }
            return Diagnosis(
                code: code,
                cause: "the pod never became ready within \(seconds(patience)): \(event.message)",
                advice: "check the probe's path and port, and what the program answers there",
                pod: pod.name
            )
        }
        return Diagnosis(
            code: .deadline,
            cause: "the new pods were not ready within \(seconds(patience)) (\(progress(view)))",
            advice: "see 'kubectl describe' of the pods, or raise deploy.deadline",
            pod: view.pods.first?.name
        )
    }

    private static func seconds(_ duration: Duration) -> String { "\(duration.components.seconds) s" }
}
