// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What one container's status says about why it does not run.
struct ContainerDiagnosis {
    let status: JSON
    let pod: KubeObject
    let view: RolloutView
    let crashGrace: Duration
    /// Whether it has to end well before the others begin.
    var isInit = false

    private var name: String { status["name"]?.string ?? "" }
    private var title: String { isInit ? "init container '\(name)'" : "container '\(name)'" }
    private var waiting: JSON? { status[path: "state", "waiting"] }
    private var message: String { waiting?["message"]?.string ?? "" }
    private var restarts: Int { status["restartCount"]?.int ?? 0 }

    private func found(_ code: Diagnosis.Code, _ cause: String, _ advice: String, _ grace: Duration)
        -> Diagnoser.Finding
    {
        Diagnoser.Finding(code, cause, advice, grace: grace, pod: pod, container: name)
    }

    var finding: Diagnoser.Finding? {
        switch waiting?["reason"]?.string ?? "" {
        case "ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError":
            return pulling(view.pullMessages[pod.name] ?? message)
        case "InvalidImageName":
            return found(.imageNameInvalid, "the image name is invalid: \(message)", "correct image.repository", .zero)
        case "ErrImageNeverPull":
            return found(
                .imageNeverPulled,
                "the image is not on the node and may not be pulled: \(message)",
                "allow pulling it by imagePullPolicy",
                .zero
            )
        case "SignatureValidationFailed":
            return found(
                .signatureInvalid,
                "the image's signature is not one that the node trusts: \(message)",
                "sign the image, or correct the node's policy",
                .seconds(5)
            )
        case "CreateContainerConfigError":
            let trouble = StartTrouble.configuration(message, of: title)
            return found(trouble.code, trouble.cause, trouble.advice, trouble.grace)
        case "CreateContainerError", "RunContainerError", "StartError": return starting(message)
        case "PostStartHookError", "PreStartHookError":
            return found(
                .hookFails,
                "the hook of the \(title) fails: \(message)",
                "check the command of its lifecycle hook",
                .seconds(5)
            )
        case "CrashLoopBackOff": return crashing
        default: return restarting
        }
    }

    /// A container that ended and is not in its back-off now.
    private var restarting: Diagnoser.Finding? {
        if let ended = status[path: "state", "terminated"] {
            return ended["exitCode"]?.int == 0 ? nil : crashing
        }
        return restarts > 0 && status["ready"]?.bool != true ? crashing : nil
    }

    /// How often it ended, the present time included.
    private var ends: Int { restarts + (status[path: "state", "running"] == nil ? 1 : 0) }

    /// An app may wait for its database by ending until it is there: three ends at least make a loop, and only while it
    /// is down, because a try under way may be the one that gets through.
    private var loopGrace: Duration {
        status[path: "state", "running"] == nil && ends >= 3 ? crashGrace : Diagnoser.untilTheDeadline
    }

    private func pulling(_ said: String) -> Diagnoser.Finding {
        let trouble = PullTrouble(said)
        return found(trouble.code, trouble.cause, trouble.advice, trouble.grace)
    }

    private func starting(_ message: String) -> Diagnoser.Finding {
        let trouble = StartTrouble.start(message, of: title)
        return found(trouble.code, trouble.cause, trouble.advice, trouble.grace)
    }

    private var crashing: Diagnoser.Finding {
        let grace = loopGrace
        let ended = status[path: "lastState", "terminated"] ?? status[path: "state", "terminated"] ?? [:]
        if ended["reason"]?.string == "OOMKilled" {
            return found(
                .outOfMemory,
                "the \(title) was killed for using more memory than its limit (\(times))",
                "raise resources.limits.memory or find the leak",
                grace
            )
        }
        if let probe = killingProbe {
            return found(
                Diagnosis.Code(probeMessage: probe),
                "the \(title) is killed again and again (\(times)): \(probe)",
                "check the probe's path and port, or give the program more time by initialDelay or a startup probe",
                grace
            )
        }
        let said = ended["message"]?.string ?? ""
        let reason = ended["reason"]?.string
        if said.contains("exec format error") || reason == "StartError" || reason == "ContainerCannotRun" {
            return starting(said)
        }
        let isDone = ended["exitCode"]?.int == 0
        return found(
            isInit ? .initFails : .crashLoop,
            "the \(title) keeps ending with \(PodWords.end(ended)) (\(times))",
            isDone && !isInit ? "its program must stay in the foreground" : "see its last lines",
            grace
        )
    }

    private var times: String { restarts == 1 ? "1 restart" : "\(restarts) restarts" }

    /// The words of the probe that had this container killed, if one had.
    private var killingProbe: String? {
        let events = view.events[pod.name] ?? []
        let isKilled = events.contains { event in
            event.reason == "Killing" && event.message.contains(name)
                && (event.message.contains("failed liveness probe") || event.message.contains("failed startup probe"))
        }
        guard isKilled else { return nil }
        return events.last { event in
            event.reason == "Unhealthy"
                && (event.message.hasPrefix("Liveness") || event.message.hasPrefix("Startup"))
        }?.message
    }
}
