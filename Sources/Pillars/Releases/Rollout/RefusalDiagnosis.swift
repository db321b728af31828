// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The cluster does not let the pods be made at all: quota, admission, a service account that is not there.
struct RefusalDiagnosis {
    let view: RolloutView

    var finding: Diagnoser.Finding? {
        guard view.pods.count < view.wanted, let message else { return nil }
        let words = message.lowercased()
        let kind = Self.kinds.first { $0.phrases.allSatisfy { words.contains($0) } }
        guard let kind else {
            return found(
                .podsRefused,
                "the cluster refuses to create pods: \(message)",
                "raise the quota or correct what the message names"
            )
        }
        return found(kind.code, "\(kind.cause): \(Self.core(message))", kind.advice, kind.grace)
    }

    private struct Kind {
        var code: Diagnosis.Code
        /// All of them.
        var phrases: [String]
        var cause: String
        var advice: String
        var grace = Duration.seconds(5)
    }

    private static let kinds: [Kind] =
        [
            Kind(
                code: .quotaExceeded,
                phrases: ["exceeded quota"],
                cause: "the quota of the namespace is used up",
                advice: "raise it, or ask for less"
            ),
            Kind(
                code: .quotaExceeded,
                phrases: ["failed quota", "must specify"],
                cause: "the quota of the namespace wants to know more",
                advice: "say resources.requests and resources.limits"
            ),
            Kind(
                code: .serviceAccountMissing,
                phrases: ["serviceaccount", "not found"],
                cause: "the pods' service account does not exist",
                advice: "create it, or correct serviceAccountName"
            ),
            Kind(
                code: .priorityClassMissing,
                phrases: ["no priorityclass with name"],
                cause: "the pods' priority class does not exist",
                advice: "create it, or correct priorityClassName"
            ),
            Kind(
                code: .runtimeClassMissing,
                phrases: ["runtimeclass", "not found"],
                cause: "the pods' runtime class does not exist",
                advice: "create it, or correct runtimeClassName"
            ),
            Kind(
                code: .limitsViolated,
                phrases: [" usage per "],
                cause: "the namespace's limit range refuses the pods",
                advice: "correct resources.requests and resources.limits"
            ),
            Kind(
                code: .limitsViolated,
                phrases: [" limit to request ratio per "],
                cause: "the namespace's limit range refuses the pods",
                advice: "bring resources.requests nearer to resources.limits"
            ),
            // Before what a webhook has decided: this one did not answer.
            Kind(
                code: .webhookSilent,
                phrases: ["failed calling webhook"],
                cause: "an admission webhook of the cluster does not answer",
                advice: "look at the service behind that webhook, or remove its configuration",
                grace: .seconds(30)
            ),
        ]
        + ["admission webhook", "denied the request", "violates podsecurity", "validatingadmissionpolicy"].map {
            phrase in
            Kind(
                code: .admissionDenied,
                phrases: [phrase],
                cause: "the cluster's policy refuses the pods",
                advice: "correct what it names"
            )
        }

    private func found(
        _ code: Diagnosis.Code,
        _ cause: String,
        _ advice: String,
        _ grace: Duration = .seconds(5)
    ) -> Diagnoser.Finding {
        Diagnoser.Finding(code, cause, advice, grace: grace)
    }

    /// Without the name of a pod that never was.
    private static func core(_ message: String) -> String {
        guard message.hasPrefix("pods \""), let found = message.firstRange(of: "is forbidden: ") else { return message }
        return String(message[found.upperBound...])
    }

    /// Why no pod came: a condition where the kind has one, else the last event about creating pods.
    private var message: String? {
        // The Deployment may still tell of its last revision; the replica set tells of this one.
        let observed = view.object?.status["observedGeneration"]?.int ?? 0
        let isObserved = observed >= view.object?.generation ?? 0
        let sources = [view.revision, isObserved ? view.object : nil].compactMap(\.self)
        for source in sources {
            if let condition = source.conditions.first(where: Self.saysRefused) {
                return condition.message.isEmpty ? "no reason given" : condition.message
            }
        }
        let told = view.ownEvents.last { ["FailedCreate", "SuccessfulCreate"].contains($0.reason) }
        return told?.reason == "FailedCreate" ? Self.told(told?.message ?? "") : nil
    }

    /// Controllers begin with what they tried: "Error creating: pods … is forbidden", "create Pod db-0 in StatefulSet db
    /// failed error: …".
    private static func told(_ message: String) -> String {
        for start in ["Error creating: ", " failed error: "] {
            if let found = message.firstRange(of: start) { return String(message[found.upperBound...]) }
        }
        return message
    }

    private static func saysRefused(_ condition: Condition) -> Bool {
        switch condition.type {
        case "ReplicaFailure": condition.isTrue
        case "Progressing": condition.reason == "ReplicaSetCreateError"
        default: false
        }
    }
}
