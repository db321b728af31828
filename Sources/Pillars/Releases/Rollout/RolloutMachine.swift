// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// Decides whether one awaited object has got there, is still under way, or is hopeless. It knows no clock, no cluster
/// and no task.
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
    private let start: Timestamp
    private let patience: Duration
    private let images: [String: String]
    private let isUnchanged: Bool
    private var suspicions: [Diagnosis.Code: Suspicion] = [:]
    private var completeSince: Timestamp?
    /// The condition by which a Deployment had given up before this rollout was first looked at.
    private var oldVerdict: JSON?
    private var hasLooked = false
    /// What is wrong after the last look and will count soonest; `nil` where nothing is.
    package private(set) var suspected: Suspected?

    /// A cause that does not count yet.
    package struct Suspected: Sendable, Hashable {
        package var diagnosis: Diagnosis
        package var since: Timestamp
        /// From then on it decides, if it is still there; `nil`: at the deadline.
        package var counts: Timestamp?

        package init(diagnosis: Diagnosis, since: Timestamp, counts: Timestamp?) {
            self.diagnosis = diagnosis
            self.since = since
            self.counts = counts
        }
    }

    /// Whoever grants a rollout more time grants its containers more tries: the back-off doubles from 10 s.
    private var crashGrace: Duration { min(max(patience / 8, .seconds(10)), .seconds(60)) }

    /// A container that fails shows other states in between; a cause unseen for so long is gone.
    private static let memory = Duration.seconds(20)

    /// For how long containers without a readiness probe have to run that have not ended yet.
    static let unprobedPatience = Duration.seconds(2)

    /// How long is waited for what many clusters never bring about.
    static let patienceWithTheOptional = Duration.seconds(10)

    /// `images` is what was released, by container: where the object comes to name another, somebody else has taken over.
    /// `isUnchanged`: the release found the object as it wants it, so nobody has anything new to report on.
    package init(
        startedAt start: Timestamp,
        patience: Duration,
        images: [String: String] = [:],
        isUnchanged: Bool = false
    ) {
        self.isUnchanged = isUnchanged
        self.start = start
        self.deadline = start + patience
        self.patience = patience
        self.images = images
    }

    package mutating func observe(_ view: RolloutView, at now: Timestamp) -> Action {
        suspected = nil
        let view = withoutOldVerdict(view)
        if let stranger = otherImage(in: view) { return .fail(Self.takenOver(view, by: stranger)) }
        if view.isComplete { return settle(view, at: now) }
        completeSince = nil
        let isOptional = view.health.isOptional
        let patienceEnd = isOptional ? min(deadline, start + Self.patienceWithTheOptional) : deadline
        if isOptional, isUnchanged || now >= patienceEnd { return .succeed }
        let findings = Diagnoser.findings(in: view, crashGrace: crashGrace)
        for finding in findings {
            let code = finding.diagnosis.code
            suspicions[code] = Suspicion(since: suspicions[code]?.since ?? now, lastSeen: now)
        }
        suspicions = suspicions.filter { now - $0.value.lastSeen < Self.memory }
        func ripe(_ finding: Diagnoser.Finding) -> Timestamp {
            (suspicions[finding.diagnosis.code]?.since ?? now) + finding.grace
        }
        if let first = findings.min(by: { ripe($0) < ripe($1) }) {
            suspected = Suspected(
                diagnosis: first.diagnosis,
                since: suspicions[first.diagnosis.code]?.since ?? now,
                counts: ripe(first) < deadline ? ripe(first) : nil
            )
        }
        if let certain = findings.first(where: { now >= ripe($0) }) { return .fail(certain.diagnosis) }
        guard now < deadline else {
            return .fail(findings.first?.diagnosis ?? Lateness(view: view, patience: patience).diagnosis)
        }
        return .wait(until: findings.map(ripe).min().map { min(patienceEnd, $0) } ?? patienceEnd, for: view.progress)
    }

    /// A Deployment whose template stays the same says of this release what it said of the one before: who creates the
    /// missing Secret and releases again would fail at once.
    private mutating func withoutOldVerdict(_ view: RolloutView) -> RolloutView {
        defer { hasLooked = true }
        let said = view.health.reason == "ProgressDeadlineExceeded" ? view.object?.status["conditions"] : nil
        let verdict = said?.array?.first { $0["type"] == "Progressing" }
        if !hasLooked { oldVerdict = verdict }
        guard let verdict, verdict == oldVerdict else { return view }
        var view = view
        view.health = .inProgress("ReplicaSetNotAvailable", "its pods are late since before this release")
        return view
    }

    /// Without a readiness probe a container counts as ready from its first moment, also one that is about to crash.
    private mutating func settle(_ view: RolloutView, at now: Timestamp) -> Action {
        let since = completeSince ?? now
        completeSince = since
        // One that has just ended, or was killed by its liveness probe, is only between two ends for a while.
        let hasEnded = suspicions.contains { code, seen in
            code.isOfAProgram && since - seen.lastSeen < Self.memory
        }
        let patience = hasEnded ? crashGrace : Self.unprobedPatience
        guard let start = view.lastUnprobedStart, now - start < max(patience, Self.unprobedPatience * 5) else {
            return .succeed
        }
        // By what was seen, not by when it is said to have started: news of an end may be late.
        let moment = since + patience
        if now >= moment || now >= deadline { return .succeed }
        return .wait(
            until: min(moment, deadline),
            for: "all new pods run; they have no readiness probe, so a moment longer"
        )
    }

    private func otherImage(in view: RolloutView) -> String? {
        view.images.sorted { $0.key < $1.key }.first { name, image in images[name, default: image] != image }?.value
    }

    private static func takenOver(_ view: RolloutView, by image: String) -> Diagnosis {
        Diagnosis(
            code: .takenOver,
            cause: "somebody else changed the \(view.reference.type.kind) meanwhile: it now asks for \(image)",
            advice: "see 'kubectl rollout history', and release again if that was not meant",
            object: view.reference
        )
    }
}
