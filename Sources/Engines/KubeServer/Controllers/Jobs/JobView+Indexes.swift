// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Indexed jobs whose indexes fail one by one (`backoffLimitPerIndex`), and those that succeed early (`successPolicy`).
extension JobView {
    static let failureCountAnnotation = "batch.kubernetes.io/job-index-failure-count"
    static let ignoredCountAnnotation = "batch.kubernetes.io/job-index-ignored-failure-count"

    /// How often each index may fail and be tried again; `nil`: the job has one limit for all.
    var indexLimit: Int? { isIndexed ? job.spec["backoffLimitPerIndex"]?.int : nil }

    private static func count(_ annotation: String, of pod: KubeObject) -> Int {
        pod.annotations[annotation].flatMap { Int($0) } ?? 0
    }

    /// The indexes that will not be tried again.
    var failedIndexes: CompletionIndexes {
        guard let indexLimit else { return CompletionIndexes() }
        var indexes = CompletionIndexes(job.status["failedIndexes"]?.string ?? "", below: completions ?? 0)
        for pod in pods where isTracked(pod) && isFailed(pod) {
            guard let index = index(of: pod) else { continue }
            switch verdict(on: pod) {
            case .failIndex: indexes.insert(index)
            case .ignore: continue
            case .count, .failJob:
                if Self.count(Self.failureCountAnnotation, of: pod) >= indexLimit { indexes.insert(index) }
            }
        }
        return indexes
    }

    /// The last failed pod of each index that will be tried again: it goes on holding its finalizer until the pod that
    /// replaces it carries on its count.
    var heldBack: [Int: KubeObject] {
        guard indexLimit != nil else { return [:] }
        let settled = succeededIndexes.values.union(failedIndexes.values).union(active.compactMap { index(of: $0) })
        var last: [Int: KubeObject] = [:]
        for pod in pods where isTracked(pod) && isFailed(pod) {
            guard let index = index(of: pod), !settled.contains(index) else { continue }
            if let other = last[index], tries(of: other) > tries(of: pod) { continue }
            last[index] = pod
        }
        return last
    }

    /// How many pods of the index failed before this one, whether that counts or not.
    private func tries(of pod: KubeObject) -> Int {
        Self.count(Self.failureCountAnnotation, of: pod) + Self.count(Self.ignoredCountAnnotation, of: pod)
    }

    /// The failure counts that the pod after `pod` carries, as annotations.
    func failureCounts(after pod: KubeObject?) -> [String: String] {
        guard let pod else { return [Self.failureCountAnnotation: "0"] }
        var failed = Self.count(Self.failureCountAnnotation, of: pod)
        var ignored = Self.count(Self.ignoredCountAnnotation, of: pod)
        if verdict(on: pod) == .ignore { ignored += 1 } else { failed += 1 }
        var counts = [Self.failureCountAnnotation: "\(failed)"]
        if ignored > 0 { counts[Self.ignoredCountAnnotation] = "\(ignored)" }
        return counts
    }

    /// Of the indexes that lack a pod those whose wait after a failure is over, and how long the next one has to wait.
    func dueIndexes(_ count: Int) -> (due: [Int], delay: Duration?) {
        let last = heldBack
        var due: [Int] = []
        var delays: [Duration] = []
        for index in freeIndexes(completions ?? 0) {
            guard due.count < count else { break }
            let wait = last[index].map { pod in
                let delay = min(Duration.seconds(10) * (1 << min(tries(of: pod), 10)), .seconds(600))
                return max(.zero, (pod.finishedAt ?? now) + delay - now)
            }
            if let wait, wait > .zero { delays.append(wait) } else { due.append(index) }
        }
        return (due, delays.min())
    }

    /// How the job ends because of its indexes, if it is time.
    var indexEnding: JobEnding? {
        guard isIndexed, let completions else { return nil }
        if indexLimit != nil {
            let (failed, succeeded) = (failedIndexes.values.count, succeededIndexes.values.count)
            if let most = job.spec["maxFailedIndexes"]?.int, failed > most { return .tooManyFailedIndexes }
            if failed > 0, failed + succeeded >= completions { return .failedIndexes }
        }
        return metRule(completions).map {
            JobEnding(isSuccess: true, reason: "SuccessPolicy", message: "Matched rules at index \($0)")
        }
    }

    /// The first rule of the success policy that the succeeded indexes meet.
    private func metRule(_ completions: Int) -> Int? {
        let succeeded = succeededIndexes.values
        guard !succeeded.isEmpty else { return nil }
        return job.spec[path: "successPolicy", "rules"]?.array?.firstIndex { rule in
            let count = rule["succeededCount"]?.int
            guard let text = rule["succeededIndexes"]?.string else {
                return count.map { succeeded.count >= $0 } ?? false
            }
            let wanted = CompletionIndexes(text, below: completions).values
            return wanted.intersection(succeeded).count >= count ?? wanted.count
        }
    }
}

extension JobEnding {
    static let tooManyFailedIndexes = JobEnding(
        isSuccess: false,
        reason: "MaxFailedIndexesExceeded",
        message: "Job has exceeded the specified maximal number of failed indexes"
    )
    static let failedIndexes = JobEnding(isSuccess: false, reason: "FailedIndexes", message: "Job has failed indexes")
}
