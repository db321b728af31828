// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Work that ends.
enum JobHealth {
    static func job(_ job: KubeObject) -> Health {
        for condition in job.conditions where condition.isTrue {
            switch condition.type {
            case "Failed", "FailureTarget": return .failed("JobFailed", condition.words)
            case "Complete": return .current("it is complete", "JobComplete")
            case "Suspended": return Health(.suspended, "JobSuspended", condition.words)
            default: continue
            }
        }
        guard job.status["startTime"]?.string != nil else {
            return .inProgress("JobNotStarted", "it has not started yet")
        }
        let wanted = job.spec["completions"]?.int ?? job.spec["parallelism"]?.int ?? 1
        let done = job.status["succeeded"]?.int ?? 0
        let failed = job.status["failed"]?.int ?? 0
        let tail = failed == 0 ? "" : ", \(failed) failed"
        // A Job that merely started has done nothing of what was asked.
        return .inProgress("JobInProgress", "\(done) of \(wanted) pods are through\(tail)")
    }

    /// A schedule is as asked once it is stored: a run that fails tonight is no verdict on today's release.
    static func cronJob(_ job: KubeObject) -> Health {
        guard job.spec["suspend"]?.bool != true else { return .current("it is suspended", "CronJobSuspended") }
        let last = job.status["lastScheduleTime"]?.string.map { "it ran last at \($0)" }
        return .current(last ?? "it waits for its first time")
    }
}
