// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The cluster does not let the pods be made at all: quota, admission, a service account that is not there.
struct RefusalDiagnosis {
    let view: RolloutView

    var finding: Diagnoser.Finding? {
        guard view.pods.count < view.wanted, let message else { return nil }
        let words = message.lowercased()
        if words.contains("exceeded quota") {
            return found(
                .quotaExceeded,
                "the quota of the namespace is used up: \(Self.core(message))",
                "raise it, or ask for less"
            )
        }
        if words.contains("serviceaccount"), words.contains("not found") {
            return found(
                .serviceAccountMissing,
                "the pods' service account does not exist: \(Self.core(message))",
                "create it, or correct serviceAccountName"
            )
        }
        let isDenied = ["admission webhook", "denied the request", "violates podsecurity", "validatingadmissionpolicy"]
            .contains { words.contains($0) }
        if isDenied {
            return found(
                .admissionDenied,
                "the cluster's policy refuses the pods: \(Self.core(message))",
                "correct what it names"
            )
        }
        return found(
            .podsRefused,
            "the cluster refuses to create pods: \(message)",
            "raise the quota or correct what the message names"
        )
    }

    private func found(_ code: Diagnosis.Code, _ cause: String, _ advice: String) -> Diagnoser.Finding {
        Diagnoser.Finding(code, cause, advice, grace: .seconds(5))
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
