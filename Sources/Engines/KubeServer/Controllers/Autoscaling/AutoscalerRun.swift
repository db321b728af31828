// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// One look at an autoscaler: takes in its target's scale and what the metrics propose, and comes to a size and a status.
struct AutoscalerRun {
    struct Event: Equatable {
        var severity: EventRecorder.Severity
        var reason: String
        var message: String
    }

    private struct Failed {
        var reason: String
        var message: String
    }

    let autoscaler: KubeObject
    let now: Timestamp
    private(set) var history: AutoscalerHistory?
    private(set) var current = 0
    private(set) var desired = 0
    private(set) var events: [Event] = []
    private var conditions: ConditionList
    private var currentMetrics: [JSON]?
    private var proposals: [(replicas: Int, name: String)] = []
    private var failures: [Failed] = []
    private var reason = ""
    private var scaledAt: Timestamp?
    /// Whether there was a scale to decide about.
    private var isStarted = false
    private var isSettled = false

    init(_ autoscaler: KubeObject, history: AutoscalerHistory?, at now: Timestamp) {
        self.autoscaler = autoscaler
        self.history = history
        self.now = now
        conditions = ConditionList(autoscaler.status)
        current = autoscaler.statusCount("currentReplicas")
        desired = autoscaler.statusCount("desiredReplicas")
    }

    private var least: Int { autoscaler.spec["minReplicas"]?.int ?? 1 }
    private var most: Int { autoscaler.spec["maxReplicas"]?.int ?? 1 }

    var tolerance: ScaleTolerance {
        func given(_ direction: String) -> Double? {
            autoscaler.spec[path: "behavior", direction, "tolerance"]?.string.flatMap { Quantity($0) }
                .map { Double($0.nanos) / 1e9 }
        }
        return ScaleTolerance(up: given("scaleUp") ?? 0.1, down: given("scaleDown") ?? 0.1)
    }

    private mutating func set(_ type: String, _ isTrue: Bool, _ reason: String, _ message: String) {
        let status = isTrue ? "True" : "False"
        let before = conditions[type]
        let since = before?["status"]?.string == status ? before?["lastTransitionTime"]?.string : nil
        let condition = Condition(type, status, reason, message)
            .json(since: since.flatMap { Timestamp($0) } ?? now)
        conditions.replace(condition)
    }

    // MARK: - What is learned

    mutating func lostScale(_ why: String) {
        events.append(Event(severity: .warning, reason: "FailedGetScale", message: why))
        set(
            "AbleToScale",
            false,
            "FailedGetScale",
            "the HPA controller was unable to get the target's current scale: \(why)"
        )
    }

    mutating func start(_ scale: KubeObject) {
        isStarted = true
        current = scale.spec["replicas"]?.int ?? 0
        desired = current
        set("AbleToScale", true, "SucceededGetScale", "the HPA controller was able to get the target's current scale")
        if history == nil {
            var new = AutoscalerHistory()
            new.recommend(current, at: now)
            history = new
        }
        if current == 0 {
            isSettled = true
            set(
                "ScalingActive",
                false,
                "ScalingDisabled",
                "scaling is disabled since the replica count of the target is zero"
            )
        } else if current > most {
            (isSettled, desired, reason) = (true, most, "Current number of replicas above Spec.MaxReplicas")
        } else if current < least {
            (isSettled, desired, reason) = (true, least, "Current number of replicas below Spec.MinReplicas")
        } else {
            currentMetrics = []
        }
    }

    var needsMetrics: Bool { isStarted && !isSettled }

    mutating func lacksSelector() {
        if !events.contains(where: { $0.reason == "SelectorRequired" }) {
            events.append(Event(severity: .warning, reason: "SelectorRequired", message: "selector is required"))
        }
        failures.append(Failed(reason: "InvalidSelector", message: "the HPA target's scale is missing a selector"))
    }

    mutating func propose(_ metric: JSON, failed reason: String, _ message: String) {
        failures.append(Failed(reason: reason, message: message))
        events.append(Event(severity: .warning, reason: reason, message: message))
        currentMetrics?.append(["type": ""])
    }

    mutating func propose(
        _ metric: JSON,
        _ proposal: ResourceProposal,
        resource: String,
        container: String?,
        isShare: Bool
    ) {
        let kind = container == nil ? "resource" : "container resource"
        let name = isShare ? "\(resource) \(kind) utilization (percentage of request)" : "\(resource) \(kind)"
        proposals.append((proposal.replicas, name))
        var now = JSONObject()
        if let percent = proposal.utilization { now["averageUtilization"] = JSON(percent) }
        let format: Quantity.Format = resource == "memory" ? .binarySI : .decimalSI
        now["averageValue"] = .string("\(Quantity(nanos: Int128(proposal.average) * 1_000_000, format: format))")
        var source: JSONObject = ["name": .string(resource)]
        if let container { source["container"] = .string(container) }
        source["current"] = .object(now)
        let member = container == nil ? "resource" : "containerResource"
        currentMetrics?.append(["type": metric["type"] ?? "Resource", member: .object(source)])
    }

    // MARK: - What follows

    mutating func decide() {
        guard needsMetrics else { return }
        let best = proposals.max { $0.replicas < $1.replicas }
        let isBlind = best == nil || (!failures.isEmpty && (best?.replicas ?? 0) < current)
        if let first = failures.first, isBlind {
            let invalid =
                "invalid metrics (\(failures.count) invalid out of \(failures.count + proposals.count)), first error is:"
            events.append(
                Event(
                    severity: .warning,
                    reason: "FailedComputeMetricsReplicas",
                    message: "\(invalid) \(first.message)"
                )
            )
            let text =
                first.reason == "InvalidSelector"
                ? first.message : "the HPA was unable to compute the replica count: \(first.message)"
            set("ScalingActive", false, first.reason, text)
            return
        }
        guard let best else { return }
        set(
            "ScalingActive",
            true,
            "ValidMetricFound",
            "the HPA was able to successfully calculate a replica count from \(best.name)"
        )
        reason = best.replicas > current ? "\(best.name) above target" : "All metrics below target"
        history?.recommend(best.replicas, at: now)
        let limits = ReplicaLimits(
            least: least,
            most: most,
            behavior: autoscaler.spec["behavior"].flatMap { $0.object == nil ? nil : $0 },
            history: history ?? AutoscalerHistory(),
            now: now
        )
        let verdict = limits.verdict(best.replicas, current: current)
        if let held = verdict.stabilized {
            set("AbleToScale", true, held.reason, held.message)
        } else {
            set("AbleToScale", true, "ReadyForNewScale", "recommended size matches current size")
        }
        if let bound = verdict.limited {
            set("ScalingLimited", true, bound.reason, bound.message)
        } else {
            set("ScalingLimited", false, "DesiredWithinRange", "the desired count is within the acceptable range")
        }
        desired = verdict.replicas
    }

    mutating func resized() {
        history?.noteScale(from: current, to: desired, at: now)
        scaledAt = now
        set(
            "AbleToScale",
            true,
            "SucceededRescale",
            "the HPA controller was able to update the target scale to \(desired)"
        )
        let text = "New size: \(desired); reason: \(reason)"
        events.append(Event(severity: .normal, reason: "SuccessfulRescale", message: text))
    }

    mutating func couldNotResize(_ why: String) {
        set(
            "AbleToScale",
            false,
            "FailedUpdateScale",
            "the HPA controller was unable to update the target scale: \(why)"
        )
        let text = "New size: \(desired); reason: \(reason); error: \(why)"
        events.append(Event(severity: .warning, reason: "FailedRescale", message: text))
        desired = current
    }

    var status: JSON {
        var status = JSONObject()
        let before = autoscaler.status
        status["observedGeneration"] = before["observedGeneration"]
        status["lastScaleTime"] = scaledAt.map { JSON.string($0.description) } ?? before["lastScaleTime"]
        if current != 0 { status["currentReplicas"] = JSON(current) }
        status["desiredReplicas"] = JSON(desired)
        let kept = isStarted ? currentMetrics.map { JSON.array($0) } : before["currentMetrics"]
        status["currentMetrics"] = kept ?? .null
        status["conditions"] = conditions.json
        return .object(status)
    }
}
