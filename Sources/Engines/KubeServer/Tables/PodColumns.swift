// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

struct PodColumns: TableColumns {
    let columns: [TableColumn] = [
        .name, .text("Ready"), .text("Status"), .text("Restarts"), .age, .text("IP", wide: true),
        .text("Node", wide: true), .text("Nominated Node", wide: true), .text("Readiness Gates", wide: true),
    ]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        let summary = PodSummary(object)
        let status = object["status"] ?? [:]
        let address = status["podIPs"]?[0]?["ip"] ?? status["podIP"]
        return [
            Cell.name(object), .string("\(summary.ready)/\(summary.total)"), .string(summary.reason),
            .string(summary.restartText(now)), Age.of(object, now), Cell.text(address, or: "<none>"),
            Cell.text(object[path: "spec", "nodeName"], or: "<none>"),
            Cell.text(status["nominatedNodeName"], or: "<none>"), .string(gates(object)),
        ]
    }

    private func gates(_ object: JSON) -> String {
        let gates = object[path: "spec", "readinessGates"]?.array ?? []
        guard !gates.isEmpty else { return "<none>" }
        let conditions = object[path: "status", "conditions"]?.array ?? []
        let open = gates.filter { gate in
            conditions.contains { $0["type"] == gate["conditionType"] && $0["status"]?.string == "True" }
        }
        return "\(open.count)/\(gates.count)"
    }
}

/// A pod in a few words: what it is doing, how many containers are ready and how often they were started again.
struct PodSummary {
    private(set) var reason: String
    private(set) var ready = 0
    private(set) var total: Int
    private var restarts = 0
    private var lastRestart: Timestamp?
    private var sidecarRestarts = 0
    private var lastSidecarRestart: Timestamp?

    init(_ pod: JSON) {
        let status = pod["status"] ?? [:]
        reason = status["reason"]?.string ?? ""
        if reason.isEmpty { reason = status["phase"]?.string ?? "" }
        total = pod[path: "spec", "containers"]?.array?.count ?? 0
        let gated = status["conditions"]?.array?.first {
            $0["type"]?.string == "PodScheduled" && $0["reason"]?.string == "SchedulingGated"
        }
        if gated != nil { reason = "SchedulingGated" }
        let isInitializing = readInitial(pod)
        if !isInitializing || Self.isInitialized(status) { readMain(pod) }
        if pod[path: "metadata", "deletionTimestamp"]?.string != nil { finish(status) }
    }

    private static func isInitialized(_ status: JSON) -> Bool {
        status["conditions"]?.array?.contains {
            $0["type"]?.string == "Initialized" && $0["status"]?.string == "True"
        } ?? false
    }

    private mutating func finish(_ status: JSON) {
        if status["reason"]?.string == "NodeLost" {
            reason = "Unknown"
        } else if !["Succeeded", "Failed"].contains(status["phase"]?.string ?? "") {
            reason = "Terminating"
        }
    }

    private static func end(_ status: JSON) -> Timestamp? {
        status[path: "lastState", "terminated", "finishedAt"]?.string.flatMap { Timestamp($0) }
    }

    /// Init containers: the first one that is not through says what the pod is doing. Sidecars count as containers.
    private mutating func readInitial(_ pod: JSON) -> Bool {
        let specs = pod[path: "spec", "initContainers"]?.array ?? []
        var sidecars: Set<String> = []
        for spec in specs where spec["restartPolicy"]?.string == "Always" {
            sidecars.insert(spec["name"]?.string ?? "")
        }
        total += sidecars.count
        var isInitializing = false
        for (place, status) in (pod[path: "status", "initContainerStatuses"]?.array ?? []).enumerated() {
            let count = status["restartCount"]?.int ?? 0
            restarts += count
            lastRestart = Self.later(lastRestart, Self.end(status))
            let isSidecar = sidecars.contains(status["name"]?.string ?? "")
            if isSidecar {
                sidecarRestarts += count
                lastSidecarRestart = Self.later(lastSidecarRestart, Self.end(status))
            }
            guard !isInitializing else { continue }
            if status[path: "state", "terminated", "exitCode"]?.int == 0 { continue }
            if isSidecar, status["started"]?.bool == true {
                if status["ready"]?.bool == true { ready += 1 }
                continue
            }
            reason = Self.initialReason(status, place, of: specs.count)
            isInitializing = true
        }
        return isInitializing
    }

    private static func initialReason(_ status: JSON, _ place: Int, of count: Int) -> String {
        if let terminated = status[path: "state", "terminated"] {
            let reason = terminated["reason"]?.string ?? ""
            if !reason.isEmpty { return "Init:\(reason)" }
            return "Init:\(exitText(terminated))"
        }
        if let waiting = status[path: "state", "waiting", "reason"]?.string, !waiting.isEmpty,
            waiting != "PodInitializing"
        {
            return "Init:\(waiting)"
        }
        return "Init:\(place)/\(count)"
    }

    private static func exitText(_ terminated: JSON) -> String {
        let signal = terminated["signal"]?.int ?? 0
        return signal != 0 ? "Signal:\(signal)" : "ExitCode:\(terminated["exitCode"]?.int ?? 0)"
    }

    private mutating func readMain(_ pod: JSON) {
        restarts = sidecarRestarts
        lastRestart = lastSidecarRestart
        var hasRunning = false
        for status in (pod[path: "status", "containerStatuses"]?.array ?? []).reversed() {
            restarts += status["restartCount"]?.int ?? 0
            lastRestart = Self.later(lastRestart, Self.end(status))
            let state = status["state"] ?? [:]
            if let waiting = state[path: "waiting", "reason"]?.string, !waiting.isEmpty {
                reason = waiting
            } else if let terminated = state["terminated"] {
                let text = terminated["reason"]?.string ?? ""
                reason = text.isEmpty ? Self.exitText(terminated) : text
            } else if status["ready"]?.bool == true, state["running"] != nil {
                hasRunning = true
                ready += 1
            }
        }
        guard reason == "Completed", hasRunning else { return }
        let isReady =
            pod[path: "status", "conditions"]?.array?.contains {
                $0["type"]?.string == "Ready" && $0["status"]?.string == "True"
            } ?? false
        reason = isReady ? "Running" : "NotReady"
    }

    private static func later(_ left: Timestamp?, _ right: Timestamp?) -> Timestamp? {
        guard let left, let right else { return left ?? right }
        return max(left, right)
    }

    func restartText(_ now: Timestamp) -> String {
        guard restarts != 0, let lastRestart else { return "\(restarts)" }
        return "\(restarts) (\(Age.text(now - lastRestart)) ago)"
    }
}
