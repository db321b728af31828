// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

extension ResourceType {
    /// What pods use right now; served from the node's own figures, never stored.
    static let podMetrics = ResourceType(
        group: "metrics.k8s.io",
        version: "v1beta1",
        plural: "pods",
        kind: "PodMetrics",
        isNamespaced: true
    )
    static let nodeMetrics = ResourceType(
        group: "metrics.k8s.io",
        version: "v1beta1",
        plural: "nodes",
        kind: "NodeMetrics",
        isNamespaced: false
    )
}

/// What one pod used over a while, in thousandths.
struct PodSample: Sendable, Equatable {
    var time: Timestamp
    var window: Duration
    var amount: Int64

    init(time: Timestamp, window: Duration, amount: Int64) {
        self.time = time
        self.window = window
        self.amount = amount
    }

    /// The sum over the pod's containers, or one of them; `nil` where one has no figure.
    init?(_ metrics: KubeObject, resource: String, container: String?) {
        let containers = (metrics["containers"]?.array ?? []).filter {
            container == nil || $0["name"]?.string == container
        }
        guard !containers.isEmpty, let time = metrics["timestamp"]?.string.flatMap({ Timestamp($0) }) else {
            return nil
        }
        var amount: Int64 = 0
        for container in containers {
            guard let used = ResourceNames.amounts(container["usage"])[resource] else { return nil }
            amount += used.milliValue
        }
        let window = metrics["window"]?.string.flatMap(Self.duration) ?? .seconds(30)
        self.init(time: time, window: window, amount: amount)
    }

    /// Go's `15s`, `1m0s`, `10.5s`.
    static func duration(_ text: String) -> Duration? {
        var (total, number) = (0.0, "")
        for character in text {
            if character.isNumber || character == "." {
                number.append(character)
                continue
            }
            guard let value = Double(number) else { return nil }
            switch character {
            case "h": total += value * 3600
            case "m": total += value * 60
            case "s": total += value
            default: return nil
            }
            number = ""
        }
        return number.isEmpty ? Duration.milliseconds(Int64(total * 1000)) : nil
    }
}

/// What an autoscaler holds a metric against.
enum MetricTarget: Sendable, Equatable {
    /// Percent of what the pods request.
    case utilization(Int)
    /// Thousandths, for each pod.
    case average(Int64)
}

/// How far a ratio may be from 1 without consequences.
struct ScaleTolerance: Sendable, Equatable {
    var up = 0.1
    var down = 0.1

    func covers(_ ratio: Double) -> Bool { ratio >= 1 - down && ratio <= 1 + up }
}

/// How many replicas one resource metric asks for.
struct ResourceProposal: Sendable, Equatable {
    struct Problem: Error, Equatable { var text: String }

    private static let startPeriod = Duration.seconds(300)
    private static let readinessDelay = Duration.seconds(30)

    private(set) var replicas: Int
    /// Percent of the requests; only where that is the target.
    private(set) var utilization: Int?
    /// What a pod uses on average, in thousandths.
    private(set) var average: Int64

    init(
        _ resource: String,
        container: String? = nil,
        target: MetricTarget,
        tolerance: ScaleTolerance = ScaleTolerance(),
        current: Int,
        pods: [KubeObject],
        samples: [String: PodSample],
        at now: Timestamp
    ) throws(Problem) {
        guard !pods.isEmpty else { throw Problem(text: "no pods returned by selector while calculating replica count") }
        let groups = Groups(pods, resource, samples, now)
        var counted = samples.filter { groups.ready.contains($0.key) }.mapValues(\.amount)
        guard !counted.isEmpty else {
            throw Problem(text: "did not receive metrics for targeted pods (pods might be unready)")
        }
        let requests = try Self.requests(of: pods, resource, container, target)
        let first = try Self.ratio(counted, requests, target)
        average = counted.values.reduce(0, +) / Int64(counted.count)
        if case .utilization(let percent) = target { utilization = Int((first * Double(percent)).rounded()) }
        let holdsBack = !groups.unready.isEmpty && first > 1
        if groups.missing.isEmpty, !holdsBack {
            replicas = tolerance.covers(first) ? current : Int((first * Double(groups.ready.count)).rounded(.up))
            return
        }
        if first < 1 {
            for name in groups.missing { counted[name] = Self.fallback(requests[name] ?? 0, target) }
        } else if first > 1 {
            for name in groups.missing { counted[name] = 0 }
        }
        if holdsBack { for name in groups.unready { counted[name] = 0 } }
        let second = try Self.ratio(counted, requests, target)
        replicas = Self.cautious(first, second, counted.count, current, tolerance)
    }

    /// What is not known must not turn the direction.
    private static func cautious(
        _ first: Double,
        _ second: Double,
        _ count: Int,
        _ current: Int,
        _ tolerance: ScaleTolerance
    ) -> Int {
        if tolerance.covers(second) || (first < 1 && second > 1) || (first > 1 && second < 1) { return current }
        let proposed = Int((second * Double(count)).rounded(.up))
        if (second < 1 && proposed > current) || (second > 1 && proposed < current) { return current }
        return proposed
    }

    private static func fallback(_ request: Int64, _ target: MetricTarget) -> Int64 {
        switch target {
        case .utilization(let percent): request * Int64(max(100, percent)) / 100
        case .average(let amount): amount
        }
    }

    private static func ratio(
        _ amounts: [String: Int64],
        _ requests: [String: Int64],
        _ target: MetricTarget
    ) throws(Problem) -> Double {
        switch target {
        case .average(let amount):
            let average = amounts.values.reduce(0, +) / Int64(max(1, amounts.count))
            return Double(average) / Double(max(1, amount))
        case .utilization(let percent):
            var (used, asked): (Int64, Int64) = (0, 0)
            for (name, amount) in amounts {
                guard let request = requests[name] else { continue }
                used += amount
                asked += request
            }
            guard asked > 0 else { throw Problem(text: "no metrics returned matched known pods") }
            return Double(used * 100 / asked) / Double(percent)
        }
    }

    /// What each pod asks for; every container has to say it.
    private static func requests(
        of pods: [KubeObject],
        _ resource: String,
        _ wanted: String?,
        _ target: MetricTarget
    ) throws(Problem) -> [String: Int64] {
        guard case .utilization = target else { return [:] }
        var requests: [String: Int64] = [:]
        for pod in pods {
            let sidecars = (pod.spec["initContainers"]?.array ?? []).filter { $0["restartPolicy"] == "Always" }
            var sum: Int64 = 0
            for container in (pod.spec["containers"]?.array ?? []) + sidecars {
                let name = container["name"]?.string ?? ""
                if let wanted, wanted != name { continue }
                guard let amount = ResourceNames.amounts(container[path: "resources", "requests"])[resource] else {
                    throw Problem(text: "missing request for \(resource) in container \(name) of Pod \(pod.name)")
                }
                sum += amount.milliValue
            }
            requests[pod.name] = sum
        }
        return requests
    }

    /// Which pods' figures count.
    private struct Groups {
        var ready: Set<String> = []
        var unready: [String] = []
        var missing: [String] = []

        init(_ pods: [KubeObject], _ resource: String, _ samples: [String: PodSample], _ now: Timestamp) {
            for pod in pods where !pod.isTerminating && pod.podPhase != "Failed" {
                if pod.podPhase == "Pending" {
                    unready.append(pod.name)
                } else if let sample = samples[pod.name] {
                    if resource == "cpu", Self.isStarting(pod, sample, now) {
                        unready.append(pod.name)
                    } else {
                        ready.insert(pod.name)
                    }
                } else {
                    missing.append(pod.name)
                }
            }
        }

        /// A pod that starts uses more than it will.
        private static func isStarting(_ pod: KubeObject, _ sample: PodSample, _ now: Timestamp) -> Bool {
            guard let condition = pod.condition("Ready"),
                let start = pod.status["startTime"]?.string.flatMap({ Timestamp($0) }),
                let since = condition["lastTransitionTime"]?.string.flatMap({ Timestamp($0) })
            else { return true }
            let isUnready = condition["status"] == "False"
            if start + ResourceProposal.startPeriod > now { return isUnready || sample.time < since + sample.window }
            return isUnready && since < start + ResourceProposal.readinessDelay
        }
    }
}
