// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What an awaited object says itself about why it does not get there.
struct ObjectDiagnosis {
    let view: RolloutView
    private typealias Finding = Diagnoser.Finding

    private var kind: String { view.reference.type.kind }

    /// `ofPods` is what is wrong with its pods: mostly the cause of what the object can only count.
    func findings(knowing ofPods: [Diagnoser.Finding]) -> [Diagnoser.Finding] {
        guard let object = view.object, !object.isTerminating else { return [gone] }
        var found = [paused(object), RefusalDiagnosis(view: view).finding].compactMap(\.self)
        switch (kind, view.health.state) {
        case ("Job", .failed): found.append(JobDiagnosis(job: object, view: view).finding(knowing: ofPods))
        case ("PersistentVolumeClaim", .inProgress): found += [claim(object)]
        case ("Deployment", .failed):
            // Its own deadline has passed: whatever is known of its pods counts at once.
            found += ofPods.map { finding in Self.hastened(finding) }
            found.append(failed(grace: ofPods.isEmpty ? .zero : .seconds(1)))
        case ("Pod", .failed): break
        // Controllers of custom resources say that they failed, try again and get there.
        case (_, .failed): found.append(failed(grace: .seconds(KindHealth.isBuiltIn(object) ? 10 : 30)))
        default: break
        }
        return found
    }

    private static func hastened(_ finding: Diagnoser.Finding) -> Diagnoser.Finding {
        var finding = finding
        finding.grace = .zero
        return finding
    }

    private var gone: Diagnoser.Finding {
        Finding(
            .deploymentGone,
            view.isWorkload
                ? "the \(kind) was deleted while its pods were awaited"
                : "\(view.reference.words) was deleted while it was awaited",
            "release again if that was not meant",
            grace: .seconds(3)
        )
    }

    private func paused(_ object: KubeObject) -> Diagnoser.Finding? {
        guard kind == "Deployment", object.spec["paused"]?.bool == true else { return nil }
        return Finding(
            .deploymentPaused,
            "the Deployment is paused, so no new pods come",
            "resume it with 'kubectl rollout resume deployment/\(object.name)'",
            grace: .seconds(3)
        )
    }

    private func failed(grace: Duration) -> Diagnoser.Finding {
        Finding(
            kind == "Deployment" ? .deadline : .objectFails,
            "\(view.reference.words) says \(view.health.reason): \(view.health.message)",
            "see 'kubectl describe' of it",
            grace: view.health.isOptional ? Diagnoser.untilTheDeadline : grace
        )
    }

    private func claim(_ claim: KubeObject) -> Diagnoser.Finding {
        ClaimDiagnosis.finding(
            claim.name,
            said: view.ownEvents.last { ClaimDiagnosis.trouble.contains($0.reason) }?.message
        )
    }
}

/// Why a claim is not bound.
enum ClaimDiagnosis {
    static let trouble: Set = ["ProvisioningFailed", "FailedBinding", "VolumeMismatch", "VolumeFailedDelete"]

    /// `said` is the last complaint about it, `nil` where nobody complained and it may only be slow.
    static func finding(_ name: String, said: String?, pod: KubeObject? = nil) -> Diagnoser.Finding {
        let isHopeless = ["no storage class is set", "not found"].contains { said?.contains($0) == true }
        return Diagnoser.Finding(
            .claimPending,
            "the claim '\(name)' is not bound to a volume: \(said ?? "nobody has made one for it yet")",
            "check its storage class and size, and that class's provisioner",
            grace: said == nil ? Diagnoser.untilTheDeadline : isHopeless ? .seconds(10) : .seconds(30),
            pod: pod
        )
    }
}

/// Why a Job failed.
struct JobDiagnosis {
    let job: KubeObject
    let view: RolloutView

    func finding(knowing ofPods: [Diagnoser.Finding]) -> Diagnoser.Finding {
        let condition = job.conditions.first { ["Failed", "FailureTarget"].contains($0.type) && $0.isTrue }
        if condition?.reason == "DeadlineExceeded" {
            return Diagnoser.Finding(
                .jobTooSlow,
                "the Job '\(job.name)' was not through within its \(job.spec["activeDeadlineSeconds"]?.int ?? 0) s",
                "raise activeDeadlineSeconds or find what it waits for",
                grace: .zero,
                pod: view.pods.last
            )
        }
        // Of several tries the last one, whose lines are fresh.
        let ended = view.pods.filter { $0.status["phase"]?.string == "Failed" }
            .max { ($0.metadata["creationTimestamp"]?.string ?? "") < ($1.metadata["creationTimestamp"]?.string ?? "") }
        // The verdict may be there before the count.
        let tries = max(1, view.job("failed"), view.pods.count { $0.status["phase"]?.string == "Failed" })
        let status = ended.flatMap { pod in PodHealth.statuses(of: pod).first { Self.end($0)?["exitCode"]?.int != 0 } }
        let end = status.flatMap(Self.end)
        let words = end.map { "'\(status?["name"]?.string ?? "")' ended with \(PodWords.end($0))" }
        let outOfMemory = end?["reason"]?.string == "OOMKilled"
        return Diagnoser.Finding(
            outOfMemory ? .outOfMemory : .jobFails,
            "the Job '\(job.name)' failed after \(tries == 1 ? "1 try" : "\(tries) tries"): "
                + (words ?? condition?.words ?? "no reason given"),
            outOfMemory ? "raise resources.limits.memory or find the leak" : "see its last lines",
            grace: .zero,
            pod: ended ?? view.pods.last,
            container: status?["name"]?.string
        )
    }

    private static func end(_ status: JSON) -> JSON? { status[path: "state", "terminated"] }
}

extension RolloutView {
    fileprivate func job(_ count: String) -> Int { object?.status[count]?.int ?? 0 }
}
