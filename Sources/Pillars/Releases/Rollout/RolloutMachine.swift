// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// Decides whether a rollout is done, still under way, or hopeless. It knows no clock, no cluster and no task.
package struct RolloutMachine: Sendable {
    package enum Action: Sendable, Hashable {
        /// Look again at a change, and at that moment at the latest.
        case wait(until: Timestamp, for: String)
        case succeed
        case fail(Diagnosis)
    }

    /// A cause that was seen, from when and until when.
    private struct Suspicion {
        var since: Timestamp
        var lastSeen: Timestamp
    }

    package let deadline: Timestamp
    private let patience: Duration
    private let image: String?
    private var suspicions: [Diagnosis.Code: Suspicion] = [:]

    /// Whoever grants a rollout more time grants its containers more tries: the back-off doubles from 10 s.
    private var crashGrace: Duration { min(max(patience / 8, .seconds(10)), .seconds(60)) }

    /// A container that fails shows other states in between; a cause unseen for so long is gone.
    private static let memory = Duration.seconds(20)

    /// `image` is what was released: where the Deployment comes to name another, somebody else has taken over.
    package init(startedAt start: Timestamp, patience: Duration, image: String? = nil) {
        self.deadline = start + patience
        self.patience = patience
        self.image = image
    }

    package mutating func observe(_ view: RolloutView, at now: Timestamp) -> Action {
        if let image, let found = view.image, found != image { return .fail(Self.takenOver(by: found)) }
        if view.isComplete { return .succeed }
        let findings = Diagnoser.findings(in: view, crashGrace: crashGrace)
        for finding in findings {
            let code = finding.diagnosis.code
            suspicions[code] = Suspicion(since: suspicions[code]?.since ?? now, lastSeen: now)
        }
        suspicions = suspicions.filter { now - $0.value.lastSeen < Self.memory }
        func ripe(_ finding: Diagnoser.Finding) -> Timestamp {
            (suspicions[finding.diagnosis.code]?.since ?? now) + finding.grace
        }
        if let certain = findings.first(where: { now >= ripe($0) }) { return .fail(certain.diagnosis) }
        guard now < deadline else { return .fail(findings.first?.diagnosis ?? Self.lateness(view, patience)) }
        return .wait(until: findings.map(ripe).min().map { min(deadline, $0) } ?? deadline, for: view.progress)
    }

    private static func takenOver(by image: String) -> Diagnosis {
        Diagnosis(
            code: .takenOver,
            cause: "somebody else changed the Deployment meanwhile: it now asks for \(image)",
            advice: "see 'kubectl rollout history', and release again if that was not meant"
        )
    }

    /// Nothing is plainly broken, and yet the time is over: what did the probes say?
    private static func lateness(_ view: RolloutView, _ patience: Duration) -> Diagnosis {
        let late = "\(patience.components.seconds) s"
        for pod in view.pods where !PodWords.isReady(pod) {
            guard let event = view.events[pod.name]?.last(where: { $0.reason == "Unhealthy" }) else { continue }
            return Diagnosis(
                code: Diagnosis.Code(probeMessage: event.message),
                cause: "the pod never became ready within \(late): \(event.message)",
                advice: "check the probe's path and port, and what the program answers there",
                pod: pod.name,
                container: pod.status["containerStatuses"]?[0]?["name"]?.string
            )
        }
        return Diagnosis(
            code: .deadline,
            cause: "the new pods were not ready within \(late) (\(view.progress))",
            advice: "see 'kubectl describe' of the pods, or raise deploy.deadline",
            pod: view.pods.first { !PodWords.isReady($0) }?.name
        )
    }
}
