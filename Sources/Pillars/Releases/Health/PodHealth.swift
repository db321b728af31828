// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// One pod by itself.
enum PodHealth {
    /// How long a pod may be without a node: an autoscaler that adds one takes a minute and more.
    static let schedulingGrace = Duration.seconds(60)

    static func of(_ pod: KubeObject, at now: Timestamp) -> Health {
        switch pod.status["phase"]?.string {
        case "Succeeded": return .current("it has ended well", "PodCompleted")
        case "Failed": return .failed(pod.status["reason"]?.string ?? "PodFailed", failure(of: pod))
        case "Running": return trouble(in: pod) ?? running(pod)
        case "Pending": return trouble(in: pod) ?? pending(pod, at: now)
        case nil: return .inProgress("PodNotObserved", "nobody has taken it up yet")
        case let phase?: return Health(.unknown, "PodUnknown", "its phase is \(phase): its node does not answer")
        }
    }

    /// A container that does not come up and says why; init containers count as much as the others.
    private static func trouble(in pod: KubeObject) -> Health? {
        for status in statuses(of: pod) {
            let name = status["name"]?.string ?? ""
            guard let waiting = status[path: "state", "waiting"], let reason = waiting["reason"]?.string,
                isError(reason)
            else { continue }
            let said = waiting["message"]?.string.map { ": \($0)" } ?? ""
            let word = reason == "CrashLoopBackOff" ? "ContainerCrashLooping" : reason
            return .failed(word, "the container '\(name)' is in \(reason)\(said)")
        }
        return nil
    }

    /// As the kubelet names what goes wrong: `ErrImagePull`, `CreateContainerConfigError`, `ImagePullBackOff`.
    private static func isError(_ reason: String) -> Bool {
        reason.hasPrefix("Err") || reason.hasSuffix("Error") || reason.hasSuffix("BackOff")
            || ["InvalidImageName", "RegistryUnavailable", "SignatureValidationFailed"].contains(reason)
    }

    static func statuses(of pod: KubeObject) -> [JSON] {
        ["initContainerStatuses", "containerStatuses"].flatMap { pod.status[$0]?.array ?? [] }
    }

    private static func running(_ pod: KubeObject) -> Health {
        let isReady = PodWords.isReady(pod)
        let policy = pod.spec["restartPolicy"]?.string ?? "Always"
        if policy != "Always", !servesInSpiteOfItsPolicy(pod) {
            return .inProgress(
                isReady ? "PodRunning" : "PodRunningNotReady",
                "it runs, and is done when it has ended"
            )
        }
        if isReady { return .current("ready", "PodReady") }
        if let ended = statuses(of: pod).first(where: { $0[path: "lastState", "terminated"] != nil }) {
            let name = ended["name"]?.string ?? ""
            let end = PodWords.end(ended[path: "lastState", "terminated"] ?? [:])
            return .failed("ContainerRestarted", "the container '\(name)' ended with \(end) and is not ready again")
        }
        return .inProgress("PodRunningNotReady", PodWords.trouble(of: pod) ?? "it runs and is not ready yet")
    }

    /// Operators make long-lived pods that are not to be restarted, and mark them as Argo CD asks them to.
    private static func servesInSpiteOfItsPolicy(_ pod: KubeObject) -> Bool {
        pod.annotations["argocd.argoproj.io/ignore-restart-policy"] == "true"
            && pod.annotations["argocd.argoproj.io/hook"] == nil
    }

    private static func pending(_ pod: KubeObject, at now: Timestamp) -> Health {
        guard let scheduled = pod.conditions.first(where: { $0.type == "PodScheduled" }), scheduled.isFalse,
            scheduled.reason == "Unschedulable"
        else { return .inProgress("PodPending", PodWords.trouble(of: pod) ?? "its containers are being made") }
        let isYoung = pod.creationTimestamp.map { now - $0 < schedulingGrace } ?? false
        return isYoung
            ? .inProgress("PodNotScheduled", scheduled.words) : .failed("PodUnschedulable", scheduled.words)
    }

    private static func failure(of pod: KubeObject) -> String {
        if let message = pod.status["message"]?.string, !message.isEmpty { return message }
        let bad = statuses(of: pod).compactMap { status -> String? in
            guard let end = status[path: "state", "terminated"], end["exitCode"]?.int != 0 else { return nil }
            return "the container '\(status["name"]?.string ?? "")' ended with \(PodWords.end(end))"
        }
        return bad.first ?? "it has ended, and not well"
    }
}
