// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What a job's rules say about a pod that failed.
struct PodFailurePolicy: Sendable {
    enum Verdict: Sendable, Equatable {
        case count
        case ignore
        /// The pod's index is not tried again.
        case failIndex
        case failJob(String)
    }

    private let rules: [JSON]

    init?(_ job: KubeObject) {
        guard let rules = job.spec["podFailurePolicy"]?["rules"]?.array else { return nil }
        self.rules = rules
    }

    /// The first rule that fits decides; without one the failure counts.
    func verdict(on pod: KubeObject) -> Verdict {
        for (place, rule) in rules.enumerated() {
            guard let what = match(rule, pod) else { continue }
            let suffix = "matching FailJob rule at index \(place)"
            switch rule["action"]?.string {
            case "Ignore": return .ignore
            case "FailIndex": return .failIndex
            case "FailJob": return .failJob("\(what) \(suffix)")
            default: return .count
            }
        }
        return .count
    }

    private func match(_ rule: JSON, _ pod: KubeObject) -> String? {
        if let codes = rule["onExitCodes"] { return matchExitCodes(codes, pod) }
        for pattern in rule["onPodConditions"]?.array ?? [] {
            guard let type = pattern["type"]?.string, let found = pod.condition(type),
                found["status"]?.string == pattern["status"]?.string ?? "True"
            else { continue }
            return "Pod \(pod.namespace ?? "")/\(pod.name) has condition \(type)"
        }
        return nil
    }

    private func matchExitCodes(_ rule: JSON, _ pod: KubeObject) -> String? {
        let wanted = Set((rule["values"]?.array ?? []).compactMap(\.int))
        let isIn = rule["operator"]?.string != "NotIn"
        for status in pod.containerStatuses {
            guard let code = status["state"]?["terminated"]?["exitCode"]?.int, code != 0 else { continue }
            let name = status["name"]?.string ?? ""
            if let only = rule["containerName"]?.string, only != name { continue }
            guard wanted.contains(code) == isIn else { continue }
            return "Container \(name) for pod \(pod.namespace ?? "")/\(pod.name) failed with exit code \(code)"
        }
        return nil
    }
}

extension KubeObject {
    var containerStatuses: [JSON] {
        ["initContainerStatuses", "containerStatuses"].flatMap { status[$0]?.array ?? [] }
    }

    /// When the pod's last container ended, or its removal was asked for.
    var finishedAt: Timestamp? {
        let ends = containerStatuses.compactMap {
            $0["state"]?["terminated"]?["finishedAt"]?.string.flatMap { Timestamp($0) }
        }
        return ends.max() ?? deletionTimestamp
            ?? condition("Ready")?["lastTransitionTime"]?.string.flatMap { Timestamp($0) }
    }
}
