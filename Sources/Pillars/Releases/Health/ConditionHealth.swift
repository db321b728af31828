// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What the conditions that all kinds share say.
enum ConditionHealth {
    /// The observed generation and the standard conditions; `nil` where they leave it open.
    static func common(_ object: KubeObject) -> Health? {
        // Argo Rollouts once kept a hash there, so only a number counts.
        if let observed = object.status["observedGeneration"]?.int, observed != object.generation,
            object.metadata["generation"] != nil
        {
            return .inProgress(
                "LatestGenerationNotObserved",
                "its controller has seen generation \(observed) and not yet \(object.generation)"
            )
        }
        for condition in object.conditions where condition.isTrue {
            switch condition.type {
            case "Reconciling":
                return retried(object, condition) ?? .inProgress(condition.reason(or: "Reconciling"), condition.words)
            case "Stalled": return .failed(condition.reason(or: "Stalled"), condition.words)
            default: continue
            }
        }
        return nil
    }

    /// Flux' controllers never stall where they may try again: they say that they do, and in `Ready` what went wrong.
    private static func retried(_ object: KubeObject, _ reconciling: Condition) -> Health? {
        guard reconciling.reason == "ProgressingWithRetry",
            let ready = object.conditions.first(where: { $0.type == "Ready" && $0.isFalse })
        else { return nil }
        return .failed(ready.reason(or: "ProgressingWithRetry"), ready.words)
    }

    /// What a `Ready` condition says; `nil` where there is none.
    static func ready(_ object: KubeObject) -> Health? {
        guard let ready = object.conditions.first(where: { $0.type == "Ready" }) else { return nil }
        if ready.isTrue { return .current("ready") }
        return .inProgress(ready.reason(or: "NotReady"), ready.words)
    }
}

/// One entry of `status.conditions`.
struct Condition {
    let type: String
    let status: String
    let reason: String
    let message: String
    let observedGeneration: Int?
    /// Of Cluster API and its like, for a condition that is false: `Error`, `Warning`, `Info`.
    let severity: String

    init?(_ json: JSON) {
        guard let type = json["type"]?.string else { return nil }
        self.type = type
        status = json["status"]?.scalarText ?? ""
        reason = json["reason"]?.string ?? ""
        message = json["message"]?.string ?? ""
        observedGeneration = json["observedGeneration"]?.int
        severity = json["severity"]?.string ?? ""
    }

    var isTrue: Bool { status == "True" || status == "true" }
    var isFalse: Bool { status == "False" || status == "false" }

    func reason(or other: String) -> String { reason.isEmpty ? other : reason }

    /// The message, else the reason, else the condition itself.
    var words: String {
        if !message.isEmpty { return message }
        return reason.isEmpty ? "the condition \(type) is \(status)" : reason
    }
}

extension KubeObject {
    var conditions: [Condition] { status["conditions"]?.array?.compactMap { Condition($0) } ?? [] }

    /// The group of `apiVersion`, empty for the core.
    var group: String { apiVersion.contains("/") ? String(apiVersion.prefix { $0 != "/" }) : "" }
}
