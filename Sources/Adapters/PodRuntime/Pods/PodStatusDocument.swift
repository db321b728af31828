// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

extension PodMachine {
    /// The pod's phase by the kubelet's rules.
    var phase: String {
        if let settledPhase { return settledPhase }
        if failure != nil, containers.allSatisfy({ !$0.isAlive }) { return "Failed" }
        if hasFailedInitially { return "Failed" }
        let regular = containers.filter { $0.spec.role == .regular }
        var isRunning = false
        var isWaiting = false
        var ended = 0
        var succeeded = 0
        for container in regular {
            switch container.display {
            case .running: isRunning = true
            case .terminated(let termination):
                ended += 1
                if termination.exitCode == 0 { succeeded += 1 }
            case .waiting:
                if container.last == nil { isWaiting = true } else { ended += 1 }
            }
        }
        if !isInitialized, !isRunning, ended == 0 { return "Pending" }
        if isWaiting, !isStoppedForGood { return "Pending" }
        if isRunning || containers.contains(where: { $0.spec.role == .sidecar && $0.isAlive }) { return "Running" }
        if isStoppedForGood { return ended > 0 && succeeded == regular.count ? "Succeeded" : "Failed" }
        if ended > 0, pod.restartPolicy == .always { return "Running" }
        if ended > 0, succeeded == ended, regular.allSatisfy(\.hasEndedForGood) { return "Succeeded" }
        if ended > 0, pod.restartPolicy == .never || regular.allSatisfy(\.hasEndedForGood) { return "Failed" }
        return ended > 0 ? "Running" : "Pending"
    }

    /// Whether the pod was stopped as a whole, so that nothing in it runs again.
    private var isStoppedForGood: Bool { stage == .tearingDown || stage == .down }

    /// The pod's `status`, as the kubelet writes it.
    ///
    /// `previous` is the status last seen: conditions of others are kept, and those that did not change keep their times.
    func status(addresses: [String], host: String, previous: JSON, at now: Timestamp) -> JSON {
        let phase = phase
        var status: JSON = ["phase": .string(phase)]
        if pod.object.generation > 0 { status["observedGeneration"] = JSON(pod.object.generation) }
        status["conditions"] = .array(conditions(phase: phase, previous: previous["conditions"]?.array ?? [], at: now))
        if let failure {
            status["reason"] = .string(failure.reason)
            status["message"] = .string(failure.message)
        }
        status["hostIP"] = .string(host)
        status["hostIPs"] = [["ip": .string(host)]]
        if let first = addresses.first {
            status["podIP"] = .string(first)
            status["podIPs"] = .array(addresses.map { ["ip": .string($0)] })
        }
        status["startTime"] = .string(startTime.description)
        let initial = containers.filter { $0.spec.role != .regular }
        if !initial.isEmpty { status["initContainerStatuses"] = .array(initial.map(\.status)) }
        status["containerStatuses"] = .array(containers.filter { $0.spec.role == .regular }.map(\.status))
        status["qosClass"] = .string(pod.qualityOfService)
        return status
    }
}

// MARK: - Conditions

extension PodMachine {
    private struct Verdict {
        var type: String
        var isTrue: Bool
        var reason: String?
        var message: String?
    }

    private func conditions(phase: String, previous: [JSON], at now: Timestamp) -> [JSON] {
        let containersReady = containersVerdict("ContainersReady", phase)
        var verdicts = [
            Verdict(type: "PodReadyToStartContainers", isTrue: hasSandbox), initializedVerdict(phase),
            readyVerdict(containersReady, previous), containersReady,
        ]
        if !previous.contains(where: { $0["type"]?.string == "PodScheduled" }) {
            verdicts.append(Verdict(type: "PodScheduled", isTrue: true))
        }
        let own = verdicts.map { verdict in
            condition(verdict, previous.first { $0["type"]?.string == verdict.type }, at: now)
        }
        let names = Set(verdicts.map(\.type))
        return own + previous.filter { !names.contains($0["type"]?.string ?? "") }
    }

    private func condition(_ verdict: Verdict, _ previous: JSON?, at now: Timestamp) -> JSON {
        let status: JSON = verdict.isTrue ? "True" : "False"
        let since = previous?["status"] == status ? previous?["lastTransitionTime"] : nil
        var condition: JSON = ["type": .string(verdict.type)]
        if pod.object.generation > 0 { condition["observedGeneration"] = JSON(pod.object.generation) }
        condition["status"] = status
        condition["lastProbeTime"] = .null
        condition["lastTransitionTime"] = since ?? .string(now.description)
        if let reason = verdict.reason { condition["reason"] = .string(reason) }
        if let message = verdict.message { condition["message"] = .string(message) }
        return condition
    }

    private func initializedVerdict(_ phase: String) -> Verdict {
        if phase == "Succeeded" { return Verdict(type: "Initialized", isTrue: true, reason: "PodCompleted") }
        let unfinished = containers.filter { container in
            switch container.spec.role {
            case .initial: !(container.hasEndedForGood && container.finalTermination?.exitCode == 0)
            case .sidecar: !container.hasServed
            case .regular: false
            }
        }
        guard !unfinished.isEmpty, !hasServedRegular else { return Verdict(type: "Initialized", isTrue: true) }
        return Verdict(
            type: "Initialized",
            isTrue: false,
            reason: "ContainersNotInitialized",
            message: "containers with incomplete status: \(Self.list(unfinished))"
        )
    }

    private var hasServedRegular: Bool { containers.contains { $0.spec.role == .regular && $0.hasServed } }

    private func containersVerdict(_ type: String, _ phase: String) -> Verdict {
        if phase == "Succeeded" { return Verdict(type: type, isTrue: false, reason: "PodCompleted") }
        if phase == "Failed" { return Verdict(type: type, isTrue: false, reason: "PodFailed") }
        let unready = containers.filter { $0.spec.role != .initial && !$0.isReady }
        if unready.isEmpty { return Verdict(type: type, isTrue: true) }
        return Verdict(
            type: type,
            isTrue: false,
            reason: "ContainersNotReady",
            message: "containers with unready status: \(Self.list(unready))"
        )
    }

    private func readyVerdict(_ containers: Verdict, _ previous: [JSON]) -> Verdict {
        var ready = containers
        ready.type = "Ready"
        guard containers.isTrue else { return ready }
        let missing = pod.readinessGates.compactMap { gate -> String? in
            guard let found = previous.first(where: { $0["type"]?.string == gate }) else {
                return "corresponding condition of pod readiness gate \"\(gate)\" does not exist."
            }
            let status = found["status"]?.string ?? "Unknown"
            if status == "True" { return nil }
            return "the status of pod readiness gate \"\(gate)\" is not \"True\", but \(status)"
        }
        guard !missing.isEmpty else { return ready }
        return Verdict(
            type: "Ready",
            isTrue: false,
            reason: "ReadinessGatesNotReady",
            message: missing.joined(separator: ", ")
        )
    }

    private static func list(_ containers: [ContainerState]) -> String {
        "[\(containers.map(\.spec.name).joined(separator: " "))]"
    }
}

// MARK: - Containers

extension ContainerState {
    /// The container's entry in `containerStatuses`.
    fileprivate var status: JSON {
        var status: JSON = [
            "name": .string(spec.name),
            "state": state,
            "lastState": last.map { ["terminated": $0.json] } ?? .object([:]),
            "ready": .bool(spec.role == .initial ? finalTermination?.exitCode == 0 : isReady),
            "restartCount": JSON(restartCount),
            "image": .string(spec.image),
            "imageID": .string(imageID ?? ""),
        ]
        if let id { status["containerID"] = .string(id.statusText) }
        status["started"] = .bool(isAlive && isStarted)
        return status
    }

    private var state: JSON {
        switch display {
        case .running(let since): return ["running": ["startedAt": .string(since.description)]]
        case .terminated(let termination): return ["terminated": termination.json]
        case .waiting(let reason, let message):
            var waiting: JSON = ["reason": .string(reason)]
            if let message { waiting["message"] = .string(message) }
            return ["waiting": waiting]
        }
    }
}

extension Termination {
    fileprivate var json: JSON {
        var json: JSON = ["exitCode": JSON(exitCode), "reason": .string(reason)]
        if let message, !message.isEmpty { json["message"] = .string(message) }
        json["startedAt"] = startedAt.map { .string($0.description) } ?? .null
        json["finishedAt"] = finishedAt.map { .string($0.description) } ?? .null
        if let id { json["containerID"] = .string(id.statusText) }
        return json
    }

    init(_ json: JSON) {
        id = json["containerID"]?.string.flatMap(ContainerID.init(statusText:))
        exitCode = json["exitCode"]?.int ?? 0
        reason = json["reason"]?.string ?? (exitCode == 0 ? "Completed" : "Error")
        message = json["message"]?.string
        startedAt = json["startedAt"]?.string.flatMap { Timestamp($0) }
        finishedAt = json["finishedAt"]?.string.flatMap { Timestamp($0) }
    }
}

extension ContainerID {
    private static let scheme = "runc://"

    /// As a container's status names it.
    var statusText: String { Self.scheme + text }

    init?(statusText: String) {
        guard statusText.hasPrefix(Self.scheme) else { return nil }
        self.init(String(statusText.dropFirst(Self.scheme.count)))
    }
}
