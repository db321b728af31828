// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Computes a job's status in the two steps that make counting safe.
struct JobStatus: Sendable {
    let view: JobView
    let ending: JobEnding?

    private var old: JSON { view.job.status }

    /// The status to be stored before finalizers go: finished pods are noted by uid, the ending by its interim condition.
    func noting(active: [KubeObject], terminating: Int) -> JSON {
        var status = old
        status["active"] = active.isEmpty ? JSON?.none : JSON(active.count)
        status["ready"] = JSON(active.count(where: \.isReadyPod))
        status["terminating"] = JSON(terminating)
        if status["startTime"] == nil, !view.isSuspended { status["startTime"] = .string(view.now.description) }
        noteUncounted(&status)
        if view.isIndexed {
            status["completedIndexes"] = .string(view.succeededIndexes.description)
            status["succeeded"] = view.succeeded == 0 ? JSON?.none : JSON(view.succeeded)
            if view.indexLimit != nil { status["failedIndexes"] = .string(view.failedIndexes.description) }
        }
        var conditions = ConditionList(status)
        noteSuspension(&conditions, &status)
        if let ending, conditions[ending.interimType] == nil {
            conditions.put(Self.condition(ending.interimType, ending, view.now))
        }
        status["conditions"] = conditions.json
        return status
    }

    private func noteUncounted(_ status: inout JSON) {
        let held = Set(ending == nil ? view.heldBack.values.map(\.uid) : [])
        let failed = view.newlyFailed(endsAll: ending?.isSuccess == false)
            .filter { !held.contains($0.uid) }.map { JSON.string($0.uid) }
        let succeeded = view.isIndexed ? [] : view.newlySucceeded.map { JSON.string($0.uid) }
        var uncounted = status["uncountedTerminatedPods"] ?? [:]
        for (field, added) in [("succeeded", succeeded), ("failed", failed)] where !added.isEmpty {
            uncounted[field] = .array((uncounted[field]?.array ?? []) + added)
        }
        status["uncountedTerminatedPods"] = uncounted
    }

    private func noteSuspension(_ conditions: inout ConditionList, _ status: inout JSON) {
        guard ending == nil else { return }
        let isNoted = conditions["Suspended"]?["status"]?.string == "True"
        guard isNoted != view.isSuspended else { return }
        let (state, reason, message) =
            view.isSuspended ? ("True", "JobSuspended", "Job suspended") : ("False", "JobResumed", "Job resumed")
        conditions.put(Condition("Suspended", state, reason, message).json(since: view.now, probed: view.now))
        status["startTime"] = view.isSuspended ? JSON?.none : .string(view.now.description)
    }

    static func condition(_ type: String, _ ending: JobEnding, _ now: Timestamp) -> JSON {
        Condition(type, "True", ending.reason, ending.message).json(since: now, probed: now)
    }

    /// The status once finalizers are gone from all pods but `tracked`: noted pods become counts, and when none is left
    /// the ending becomes final.
    static func counting(
        _ noted: JSON,
        tracked: Set<String>,
        ending: JobEnding?,
        terminating: Int,
        at now: Timestamp
    ) -> JSON {
        var status = noted
        var left = 0
        for field in ["succeeded", "failed"] {
            let uids = status["uncountedTerminatedPods"]?[field]?.array ?? []
            let remaining = uids.filter { tracked.contains($0.string ?? "") }
            left += remaining.count
            guard remaining.count != uids.count else { continue }
            status[field] = JSON((status[field]?.int ?? 0) + uids.count - remaining.count)
            status.set(remaining.isEmpty ? JSON?.none : .array(remaining), at: ["uncountedTerminatedPods", field])
        }
        guard let ending, left == 0, terminating == 0 else { return status }
        var conditions = ConditionList(status)
        guard conditions[ending.finalType] == nil else { return status }
        conditions.put(condition(ending.finalType, ending, now))
        status["conditions"] = conditions.json
        if ending.isSuccess { status["completionTime"] = .string(now.description) }
        return status
    }
}
