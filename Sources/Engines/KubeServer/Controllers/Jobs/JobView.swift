// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// How a job ends.
struct JobEnding: Sendable, Equatable {
    var isSuccess: Bool
    var reason: String
    var message: String

    static let completed = JobEnding(
        isSuccess: true,
        reason: "CompletionsReached",
        message: "Reached expected number of succeeded pods"
    )
    static let backoffLimit = JobEnding(
        isSuccess: false,
        reason: "BackoffLimitExceeded",
        message: "Job has reached the specified backoff limit"
    )
    static let deadline = JobEnding(
        isSuccess: false,
        reason: "DeadlineExceeded",
        message: "Job was active longer than specified deadline"
    )

    var interimType: String { isSuccess ? "SuccessCriteriaMet" : "FailureTarget" }
    var finalType: String { isSuccess ? "Complete" : "Failed" }
}

/// A job and its pods at one moment, and what follows from them.
///
/// A pod counts once: while it carries the tracking finalizer it is counted by looking at it, after that by the job's
/// status. In between its uid stands in `status.uncountedTerminatedPods`, so that a crash neither loses nor doubles it.
struct JobView: Sendable {
    static let finalizer = "batch.kubernetes.io/job-tracking"
    static let indexAnnotation = "batch.kubernetes.io/job-completion-index"

    let job: KubeObject
    let pods: [KubeObject]
    let now: Timestamp

    private let policy: PodFailurePolicy?
    private let uncountedSucceeded: Set<String>
    private let uncountedFailed: Set<String>

    init(_ job: KubeObject, pods: [KubeObject], at now: Timestamp) {
        self.job = job
        self.pods = pods.sorted { $0.name < $1.name }
        self.now = now
        policy = PodFailurePolicy(job)
        func uids(_ field: String) -> Set<String> {
            Set(job.status["uncountedTerminatedPods"]?[field]?.array?.compactMap(\.string) ?? [])
        }
        uncountedSucceeded = uids("succeeded")
        uncountedFailed = uids("failed")
    }

    // MARK: What the job wants

    var isSuspended: Bool { job.spec["suspend"]?.bool ?? false }
    var isIndexed: Bool { job.spec["completionMode"]?.string == "Indexed" }
    var completions: Int? { job.spec["completions"]?.int }
    var parallelism: Int { job.spec["parallelism"]?.int ?? 1 }
    var backoffLimit: Int { job.spec["backoffLimit"]?.int ?? 6 }
    /// What the failure policy says of a pod that failed.
    func verdict(on pod: KubeObject) -> PodFailurePolicy.Verdict { policy?.verdict(on: pod) ?? .count }
    private var replacesOnlyFailed: Bool { job.spec["podReplacementPolicy"]?.string == "Failed" || policy != nil }

    // MARK: Pods

    var active: [KubeObject] { pods.filter(\.isActivePod) }
    var terminating: Int { pods.count { $0.isTerminating && !$0.isFinishedPod } }
    func isTracked(_ pod: KubeObject) -> Bool { pod.finalizers.contains(Self.finalizer) }

    func isFailed(_ pod: KubeObject) -> Bool {
        pod.podPhase == "Failed" || (!replacesOnlyFailed && pod.isTerminating && pod.podPhase != "Succeeded")
    }

    func index(of pod: KubeObject) -> Int? {
        guard let index = pod.annotations[Self.indexAnnotation].flatMap({ Int($0) }), let completions, index >= 0,
            index < completions
        else { return nil }
        return index
    }

    private func isValid(_ pod: KubeObject) -> Bool { !isIndexed || index(of: pod) != nil }

    /// Pods that ended and are in no count yet.
    var newlySucceeded: [KubeObject] {
        pods.filter {
            isTracked($0) && !uncountedSucceeded.contains($0.uid) && $0.podPhase == "Succeeded" && isValid($0)
        }
    }

    /// `endsAll`: the job has failed, so every pod that did not succeed failed with it.
    func newlyFailed(endsAll: Bool) -> [KubeObject] {
        pods.filter { pod in
            guard isTracked(pod), !uncountedFailed.contains(pod.uid), pod.podPhase != "Succeeded", isValid(pod) else {
                return false
            }
            return (isFailed(pod) || endsAll) && policy?.verdict(on: pod) != .ignore
        }
    }

    // MARK: Counts

    var succeededIndexes: CompletionIndexes {
        var indexes = CompletionIndexes(job.status["completedIndexes"]?.string ?? "", below: completions ?? 0)
        for pod in pods where pod.podPhase == "Succeeded" && isTracked(pod) {
            index(of: pod).map { indexes.insert($0) }
        }
        return indexes
    }

    var succeeded: Int {
        if isIndexed { return succeededIndexes.values.count }
        return job.statusCount("succeeded") + uncountedSucceeded.count + newlySucceeded.count
    }

    var failed: Int { job.statusCount("failed") + uncountedFailed.count + newlyFailed(endsAll: false).count }

    // MARK: The end

    /// How the job ends, if it is time.
    var ending: JobEnding? {
        if let met = trueCondition("SuccessCriteriaMet") { return ending(met, isSuccess: true) }
        if let target = trueCondition("FailureTarget") { return ending(target, isSuccess: false) }
        for pod in pods where isFailed(pod) {
            if case .failJob(let message) = policy?.verdict(on: pod) {
                return JobEnding(isSuccess: false, reason: "PodFailurePolicy", message: message)
            }
        }
        if failed > backoffLimit || hasRestartedTooOften { return .backoffLimit }
        if let left = timeLeft, left <= .zero { return .deadline }
        if let ending = indexEnding { return ending }
        return isDone ? .completed : nil
    }

    private func trueCondition(_ type: String) -> JSON? { job.hasTrueCondition(type) ? job.condition(type) : nil }

    private func ending(_ condition: JSON, isSuccess: Bool) -> JobEnding {
        JobEnding(
            isSuccess: isSuccess,
            reason: condition["reason"]?.string ?? "",
            message: condition["message"]?.string ?? ""
        )
    }

    private var isDone: Bool {
        guard active.isEmpty else { return false }
        guard let completions else { return succeeded > 0 }
        return succeeded >= completions
    }

    /// With `OnFailure` a pod restarts in place, and its restarts count against the limit.
    private var hasRestartedTooOften: Bool {
        guard job.spec[path: "template", "spec", "restartPolicy"]?.string == "OnFailure" else { return false }
        let restarts = pods.filter { $0.podPhase == "Running" || $0.podPhase == "Pending" }
            .flatMap(\.containerStatuses).compactMap { $0["restartCount"]?.int }.reduce(0, +)
        return backoffLimit == 0 ? restarts > 0 : restarts >= backoffLimit
    }

    /// Until `activeDeadlineSeconds` are over; `nil` where there is no such limit or the job does not run.
    var timeLeft: Duration? {
        guard let seconds = job.spec["activeDeadlineSeconds"]?.int, !isSuspended,
            let start = job.status["startTime"]?.string.flatMap({ Timestamp($0) })
        else { return nil }
        return start + .seconds(seconds) - now
    }

    // MARK: How many pods

    private var wanted: Int {
        if isSuspended { return 0 }
        guard let completions else { return succeeded > 0 ? active.count : parallelism }
        return max(0, min(parallelism, completions - succeeded))
    }

    /// Active pods that are too many: doubles of an index first.
    var surplus: [KubeObject] {
        var extra: [KubeObject] = []
        var kept = active
        if isIndexed {
            var taken = succeededIndexes.values
            kept = active.filter { pod in index(of: pod).map { taken.insert($0).inserted } ?? false }
            let names = Set(kept.map(\.uid))
            extra = active.filter { !names.contains($0.uid) }
        }
        let rank = PodDeletionRank(now: now, crowd: [:])
        return extra + rank.sorted(kept).prefix(max(0, kept.count - wanted))
    }

    /// How many pods to create now.
    var missing: Int {
        let waitsFor = replacesOnlyFailed ? terminating : 0
        return min(ReplicaSetPlan.burst, max(0, wanted - active.count - waitsFor))
    }

    /// The lowest indexes that have neither succeeded nor failed for good, nor an active pod.
    func freeIndexes(_ count: Int) -> [Int] {
        let holders = replacesOnlyFailed ? pods.filter { !$0.isFinishedPod } : active
        let taken = succeededIndexes.values.union(failedIndexes.values).union(holders.compactMap { index(of: $0) })
        return Array((0..<(completions ?? 0)).lazy.filter { !taken.contains($0) }.prefix(count))
    }

    /// How long to wait before the next pod: ten seconds after a failure, doubling with each one since the last success.
    var creationDelay: Duration {
        let ended = pods.filter { $0.podPhase == "Succeeded" || isFailed($0) }
            .sorted { ($0.finishedAt ?? now) < ($1.finishedAt ?? now) }
        let streak = ended.reversed().prefix { $0.podPhase != "Succeeded" && policy?.verdict(on: $0) != .ignore }
        guard let last = streak.first?.finishedAt else { return .zero }
        let delay = min(Duration.seconds(10) * (1 << min(streak.count - 1, 10)), .seconds(600))
        return max(.zero, last + delay - now)
    }
}
