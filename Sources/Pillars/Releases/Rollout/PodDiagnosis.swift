// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What is wrong with one pod of the new revision.
struct PodDiagnosis {
    let pod: KubeObject
    let view: RolloutView
    let crashGrace: Duration

    private var events: [RolloutView.Event] { view.events[pod.name] ?? [] }

    var finding: Diagnoser.Finding? {
        if pod.status["phase"]?.string == "Failed" { return ended }
        return containers ?? lostNode ?? unscheduled ?? stuck
    }

    private func found(_ code: Diagnosis.Code, _ cause: String, _ advice: String, _ grace: Duration)
        -> Diagnoser.Finding
    {
        Diagnoser.Finding(code, cause, advice, grace: grace, pod: pod)
    }

    private var containers: Diagnoser.Finding? {
        let inits = pod.status["initContainerStatuses"]?.array ?? []
        // A side-car stands among the init containers and is none.
        let sidecars = PodWords.sidecars(of: pod)
        for status in inits {
            let isInit = !sidecars.contains(status["name"]?.string ?? "")
            if let found = container(status, isInit: isInit).finding { return found }
        }
        return (pod.status["containerStatuses"]?.array ?? []).lazy.compactMap { container($0, isInit: false).finding }
            .first
    }

    private func container(_ status: JSON, isInit: Bool) -> ContainerDiagnosis {
        // A Job decides by itself how often its pods may fail.
        let grace = view.reference.type.kind == "Job" ? Diagnoser.untilTheDeadline : crashGrace
        return ContainerDiagnosis(status: status, pod: pod, view: view, crashGrace: grace, isInit: isInit)
    }

    // MARK: Pods that have ended

    private var ended: Diagnoser.Finding? {
        // A Job's own verdict tells of its pods.
        guard view.reference.type.kind != "Job" else { return nil }
        let reason = pod.status["reason"]?.string ?? "Failed"
        let message = pod.status["message"]?.string ?? ""
        let isAlone = view.reference.type.kind == "Pod"
        // Another one has come in its place; only if that goes on and on is it the cause.
        let others = view.pods.count { $0.status["phase"]?.string == "Failed" }
        let grace = isAlone || others >= 3 ? Duration.seconds(5) : Diagnoser.untilTheDeadline
        if reason == "Evicted" || pod.condition("DisruptionTarget")?["status"]?.string == "True" {
            let words = message.isEmpty ? pod.condition("DisruptionTarget")?["message"]?.string ?? reason : message
            return found(
                .evicted,
                "the node put the pod out: \(words)",
                "ask for what it uses in resources.requests, or relieve the node",
                grace
            )
        }
        if ["NodeLost", "NodeShutdown", "Shutdown", "Terminated"].contains(reason) {
            return found(.nodeGone, "the pod's node went away: \(message)", "check the node '\(node)'", grace)
        }
        // The kubelet has a last word on what the scheduler sends to its node.
        let isRefused =
            reason.hasPrefix("OutOf")
            || ["UnexpectedAdmissionError", "NodeAffinity", "TopologyAffinityError", "PodOSNotSupported"].contains(
                reason
            )
        if isRefused {
            return found(
                .nodeRefuses,
                "the node '\(node)' does not take the pod (\(reason)): \(message)",
                "see what else runs there, or correct what the pod asks for",
                grace
            )
        }
        let words = message.isEmpty ? PodHealth.of(pod, at: Timestamp(seconds: 0)).message : message
        return found(.crashLoop, "the pod ended for good (\(reason)): \(words)", "see its last lines", grace)
    }

    // MARK: Nodes

    private var node: String { pod.spec["nodeName"]?.string ?? "?" }

    private var lostNode: Diagnoser.Finding? {
        let isUnknown = pod.status["phase"]?.string == "Unknown" || pod.status["reason"]?.string == "NodeLost"
        // The node controller says so of each pod; what the kubelet says afterwards shows that it is back.
        let last = events.last { ["NodeNotReady", "Started", "Pulled", "Pulling", "Killing"].contains($0.reason) }
        guard isUnknown || last?.reason == "NodeNotReady" else { return nil }
        return found(
            .nodeGone,
            "the node '\(node)' of the pod does not answer",
            "see 'kubectl describe node \(node)'; its pods move elsewhere after some minutes",
            .seconds(30)
        )
    }

    private var unscheduled: Diagnoser.Finding? {
        guard let condition = pod.conditions.first(where: { $0.type == "PodScheduled" }), condition.isFalse,
            condition.reason == "Unschedulable"
        else { return nil }
        if let name = Self.missingClaim(condition.message) {
            return found(
                .volumeFails,
                "the claim '\(name)' that the pod mounts does not exist",
                "create it, or correct the name",
                .seconds(10)
            )
        }
        if condition.message.contains("unbound immediate PersistentVolumeClaims"), let open = openClaim {
            return ClaimDiagnosis.finding(open.name, said: open.said, pod: pod)
        }
        let unfit = Unschedulable(condition.message)
        // A cluster that adds nodes by itself says so; that takes minutes.
        let isGrowing = events.contains { ["TriggeredScaleUp", "Nominated"].contains($0.reason) }
        return found(
            .unschedulable,
            unfit.words,
            unfit.advice,
            isGrowing ? Diagnoser.untilTheDeadline : .seconds(30)
        )
    }

    /// `persistentvolumeclaim "data" not found`, as the scheduler writes it.
    private static func missingClaim(_ message: String) -> String? {
        guard let start = message.firstRange(of: "persistentvolumeclaim \""), message.contains("\" not found") else {
            return nil
        }
        return String(message[start.upperBound...].prefix { $0 != "\"" })
    }

    /// One that the pod mounts; `said` is `nil` where nobody complained.
    private var openClaim: (name: String, said: String?)? {
        let names = (pod.spec["volumes"]?.array ?? []).compactMap {
            $0[path: "persistentVolumeClaim", "claimName"]?.string
        }
        guard let name = names.first(where: { view.openClaims[$0] != nil }) else { return nil }
        let said = view.openClaims[name] ?? ""
        return (name, said.isEmpty ? nil : said)
    }

    // MARK: Pods that have a node and are not set up

    private static let trouble: Set = [
        "FailedMount", "FailedAttachVolume", "FailedMapVolume", "FailedCreatePodSandBox", "NetworkNotReady",
    ]
    /// What a pod says once it got past such trouble.
    private static let relief: Set = ["SuccessfulAttachVolume", "Pulling", "Pulled", "Created", "Started"]

    private var stuck: Diagnoser.Finding? {
        guard pod.status["phase"]?.string == "Pending",
            let event = events.last(where: { (Self.trouble.union(Self.relief)).contains($0.reason) }),
            Self.trouble.contains(event.reason)
        else { return nil }
        if ["FailedCreatePodSandBox", "NetworkNotReady"].contains(event.reason) {
            let isFull = event.message.contains("no space left on device")
            return found(
                isFull ? .nodeDiskFull : .sandboxFails,
                event.message,
                isFull ? "free some space on the node" : "check the runtime and the network of the node '\(node)'",
                .seconds(30)
            )
        }
        let words = event.message.lowercased()
        if words.contains("configmap \"") || words.contains("secret \"") || words.contains("non-existent config key"),
            words.contains("not found") || words.contains("non-existent")
        {
            return found(
                .configurationMissing,
                "a volume cannot be filled: \(event.message)",
                "create what is missing, or correct the reference in the app file",
                .seconds(10)
            )
        }
        let isElsewhere = words.contains("multi-attach")
        return found(
            .volumeFails,
            event.message,
            isElsewhere
                ? "the volume is still in use on another node: delete the pod there, or use the strategy Recreate"
                : "check the volume and what it refers to",
            .seconds(30)
        )
    }
}
