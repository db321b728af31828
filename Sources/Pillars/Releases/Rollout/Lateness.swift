// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Nothing is plainly broken, and yet the time is over: what were the pods at?
struct Lateness {
    let view: RolloutView
    let patience: Duration

    private var late: String { "\(patience.components.seconds) s" }
    private var unready: [KubeObject] { view.pods.filter { !PodWords.isReady($0) } }

    var diagnosis: Diagnosis {
        for pod in unready {
            let found = preparing(pod) ?? pulling(pod) ?? gated(pod) ?? probed(pod) ?? unprobed(pod) ?? awaiting(pod)
            if let found { return found }
        }
        let what = view.isWorkload ? "the new pods were" : "\(view.reference.words) was"
        return Diagnosis(
            code: .deadline,
            cause: "\(what) not ready within \(late) (\(view.progress))",
            advice: view.isWorkload
                ? "see 'kubectl describe' of the pods, or raise deploy.deadline"
                : "see 'kubectl describe' of it, or raise deploy.deadline",
            object: view.reference,
            pod: unready.first?.name
        )
    }

    private func diagnosis(
        _ code: Diagnosis.Code,
        _ cause: String,
        _ advice: String,
        _ pod: KubeObject,
        container: String? = nil
    ) -> Diagnosis {
        Diagnosis(
            code: code,
            cause: cause,
            advice: advice,
            object: view.reference,
            pod: pod.name,
            container: container
        )
    }

    // MARK: Before the program runs

    /// An init container waits for something, mostly.
    private func preparing(_ pod: KubeObject) -> Diagnosis? {
        guard let name = PodWords.runningInit(of: pod) else { return nil }
        return diagnosis(
            .initTooSlow,
            "the init container '\(name)' still runs after \(late)",
            "see its last lines: what does it wait for?",
            pod,
            container: name
        )
    }

    private func pulling(_ pod: KubeObject) -> Diagnosis? {
        let last = view.events[pod.name]?.last { ["Pulling", "Pulled", "Failed", "BackOff"].contains($0.reason) }
        guard pod.status["phase"]?.string == "Pending", let last, last.reason == "Pulling" else { return nil }
        return diagnosis(
            .pullTooSlow,
            "the node is still at it after \(late): \(last.message)",
            "make the image smaller, pull it from nearer, or raise deploy.deadline",
            pod
        )
    }

    private func gated(_ pod: KubeObject) -> Diagnosis? {
        let gates = (pod.spec["schedulingGates"]?.array ?? []).compactMap { $0["name"]?.string }
        guard !gates.isEmpty else { return nil }
        return diagnosis(
            .unschedulable,
            "the pod may not have a node yet: it is held by the scheduling gate \(Self.list(gates))",
            "see who put that there and what for",
            pod
        )
    }

    // MARK: While it runs

    private static let advice = "check the probe's path and port, and what the program answers there"

    /// A command that fails without a word leaves "Readiness probe failed: ".
    private static func plain(_ message: String) -> String {
        guard message.hasSuffix(": ") || message.hasSuffix(":") else { return message }
        return "\(message.prefix { $0 != ":" }) without a word"
    }

    private func probed(_ pod: KubeObject) -> Diagnosis? {
        guard let event = view.events[pod.name]?.last(where: { $0.reason == "Unhealthy" }) else { return nil }
        return diagnosis(
            Diagnosis.Code(probeMessage: event.message),
            "the pod never became ready within \(late): \(Self.plain(event.message))",
            Self.advice,
            pod,
            container: pod.status["containerStatuses"]?[0]?["name"]?.string
        )
    }

    /// A pod that runs, and nobody has heard from its readiness probe: it has one, and it has not passed.
    private func unprobed(_ pod: KubeObject) -> Diagnosis? {
        let containers = view.object?[path: "spec", "template", "spec", "containers"]?.array ?? []
        let unready = (pod.status["containerStatuses"]?.array ?? []).filter { status in
            status[path: "state", "running"] != nil && status["ready"]?.bool != true
        }
        for status in unready {
            let container = containers.first { $0["name"] == status["name"] }
            guard let probe = container?["readinessProbe"] else { continue }
            let words = "its readiness probe (\(Self.words(for: probe))) has not passed"
            return diagnosis(
                .readinessFails,
                "the pod never became ready within \(late): \(words)",
                Self.advice,
                pod,
                container: status["name"]?.string
            )
        }
        return nil
    }

    /// All containers are ready, and somebody else has a say in whether the pod is.
    private func awaiting(_ pod: KubeObject) -> Diagnosis? {
        guard pod.condition("ContainersReady")?["status"]?.string == "True" else { return nil }
        let gates = (pod.spec["readinessGates"]?.array ?? []).compactMap { $0["conditionType"]?.string }
        let open = gates.filter { pod.condition($0)?["status"]?.string != "True" }
        guard !open.isEmpty else { return nil }
        return diagnosis(
            .readinessGateOpen,
            "the pod's containers are ready, and its readiness gate \(Self.list(open)) is not met after \(late)",
            "see who sets that condition: a load balancer's controller, for one",
            pod
        )
    }

    private static func list(_ names: [String]) -> String { names.map { "'\($0)'" }.joined(separator: ", ") }

    private static func words(for probe: JSON) -> String {
        if let get = probe["httpGet"] { return "HTTP GET \(get["path"]?.string ?? "/")" }
        if probe["tcpSocket"] != nil { return "a TCP connection" }
        if let command = probe[path: "exec", "command"]?.array {
            return command.compactMap(\.string).joined(separator: " ")
        }
        return "gRPC"
    }
}
