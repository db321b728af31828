// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Makes jobs when they are due.
struct CronJobController: Reconciler {
    let context: ControllerContext
    let name = "cronjob-controller"

    private var mirrors: ClusterMirrors { context.mirrors }
    private var writer: ClusterWriter { context.writer }

    var triggers: [Trigger] { [.each(mirrors.cronJobs), .owner("CronJob", of: mirrors.jobs)] }

    func reconcile(_ name: ObjectName) async throws -> Duration? {
        guard let cronJob = mirrors.cronJobs[name] else { return nil }
        let jobs = mirrors.jobs.objects(in: name.namespace).filter { job in
            job.controller?["kind"] == "CronJob" && job.controller?["name"]?.string == name.name
        }
        await trim(jobs, of: cronJob)
        var status = CronJobStatus(cronJob)
        try await settle(&status, cronJob, jobs)
        // What is known is kept even when no job can be made.
        do {
            let again = try await start(&status, cronJob)
            try await writer.setStatus(status.json, of: cronJob, as: .cronJobs)
            return again
        } catch {
            try await writer.setStatus(status.json, of: cronJob, as: .cronJobs)
            throw error
        }
    }

    // MARK: What was

    /// Removes finished jobs beyond the limits, oldest first.
    private func trim(_ jobs: [KubeObject], of cronJob: KubeObject) async {
        for (condition, member) in [
            ("Complete", "successfulJobsHistoryLimit"), ("Failed", "failedJobsHistoryLimit"),
        ] {
            guard let limit = cronJob.spec[member]?.int else { continue }
            let finished = jobs.filter { $0.hasTrueCondition(condition) }.sorted(by: Self.isOlder)
            for job in finished.dropLast(min(limit, finished.count)) where !job.isTerminating {
                await remove(job, of: cronJob)
            }
        }
    }

    private static func isOlder(_ left: KubeObject, _ right: KubeObject) -> Bool {
        func start(_ job: KubeObject) -> Timestamp? { job.status["startTime"]?.string.flatMap { Timestamp($0) } }
        switch (start(left), start(right)) {
        case (let first?, let second?) where first != second: return first < second
        case (_?, nil): return true
        case (nil, _?): return false
        default: return left.name < right.name
        }
    }

    @discardableResult
    private func remove(_ job: KubeObject, of cronJob: KubeObject) async -> Bool {
        do {
            try await writer.delete(job, as: .jobs, propagation: .background)
            record(.normal, "SuccessfulDelete", "Deleted job \(job.name)", on: cronJob)
            return true
        } catch {
            record(.warning, "FailedDelete", "Deleted job: \(error)", on: cronJob)
            return false
        }
    }

    /// Brings the list of active jobs up to date.
    private func settle(_ status: inout CronJobStatus, _ cronJob: KubeObject, _ jobs: [KubeObject]) async throws {
        for job in jobs {
            let isListed = status.lists(job.uid)
            if job.isFinishedJob {
                if isListed {
                    status.drop(job.uid)
                    let end = job.hasTrueCondition("Complete") ? "Complete" : "Failed"
                    record(.normal, "SawCompletedJob", "Saw completed job: \(job.name), condition: \(end)", on: cronJob)
                }
                if job.hasTrueCondition("Complete") { status.noteSuccess(of: job) }
            } else if !isListed {
                let text = "Saw a job that the controller did not create or forgot: \(job.name)"
                record(.warning, "UnexpectedJob", text, on: cronJob)
            }
        }
        let known = Set(jobs.map(\.uid))
        for entry in status.active where !known.contains(entry["uid"]?.string ?? "") {
            let name = entry["name"]?.string ?? ""
            // The mirror may not have heard of it yet.
            let reference = ObjectReference(.jobs, namespace: cronJob.namespace, name: name)
            if let job = try await writer.api.find(reference), job.uid == entry["uid"]?.string { continue }
            status.drop(entry["uid"]?.string ?? "")
            record(.normal, "MissingJob", "Active job went missing: \(name)", on: cronJob)
        }
    }

    // MARK: What is due

    /// Makes the job that is due; returns when to look again.
    private func start(_ status: inout CronJobStatus, _ cronJob: KubeObject) async throws -> Duration? {
        guard !cronJob.isTerminating else { return nil }
        let zoneName = cronJob.spec["timeZone"]?.string
        guard let zone = ZoneRules(named: zoneName ?? "") else {
            let shown = FieldErrors.quoted(zoneName ?? "")
            let text = "invalid timeZone: \(shown): unknown time zone \(zoneName ?? "")"
            record(.warning, "UnknownTimeZone", text, on: cronJob)
            return nil
        }
        guard cronJob.spec["suspend"]?.bool != true else { return nil }
        let text = cronJob.spec["schedule"]?.string ?? ""
        let schedule: CronSchedule
        do {
            schedule = try CronSchedule(text, zone: zone)
        } catch {
            let shown = FieldErrors.quoted(text)
            record(.warning, "UnparseableSchedule", "unparseable schedule: \(shown) : \(error)", on: cronJob)
            return nil
        }
        if text.contains("TZ") {
            let text = "CRON_TZ or TZ used in schedule \(FieldErrors.quoted(text)) is not officially supported"
            record(.warning, "UnsupportedSchedule", text, on: cronJob)
        }
        let run = CronJobRun(cronJob: cronJob, schedule: schedule, now: context.clock.now)
        do {
            if let due = try run.due {
                try await make(due, run, &status)
            }
        } catch let error as CronError {
            record(.warning, "InvalidSchedule", "invalid schedule: \(text) : \(error)", on: cronJob)
            return nil
        }
        let now = context.clock.now
        return schedule.next(after: now).map { $0 - now + .milliseconds(100) }
    }

    private func make(_ due: CronSchedule.Missed, _ run: CronJobRun, _ status: inout CronJobStatus) async throws {
        let cronJob = run.cronJob
        if due.isMany {
            let text =
                "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
            record(.warning, "TooManyMissedTimes", text, on: cronJob)
        }
        if let deadline = run.deadline, due.last + deadline < run.now {
            let moment = CivilTime(wallSeconds: due.last.seconds).mailText
            record(.warning, "MissSchedule", "Missed scheduled time to start a job: \(moment)", on: cronJob)
            return
        }
        let job = run.job(at: due.last)
        guard !status.lists(name: job.name), status.lastScheduleTime != due.last else { return }
        switch cronJob.spec["concurrencyPolicy"]?.string {
        case "Forbid" where !status.active.isEmpty:
            let text =
                "Not starting job because prior execution is running and concurrency policy is Forbid"
            record(.normal, "JobAlreadyActive", text, on: cronJob)
            return
        case "Replace": guard try await replace(&status, cronJob) else { return }
        default: break
        }
        guard let made = try await create(job, for: cronJob) else { return }
        status.add(made)
        status.lastScheduleTime = due.last
    }

    /// Removes every active job; false if one stays.
    private func replace(_ status: inout CronJobStatus, _ cronJob: KubeObject) async throws -> Bool {
        for entry in status.active {
            let name = entry["name"]?.string ?? ""
            let reference = ObjectReference(.jobs, namespace: cronJob.namespace, name: name)
            do {
                if let job = try await writer.api.find(reference), job.uid == entry["uid"]?.string {
                    guard await remove(job, of: cronJob) else { return false }
                }
            } catch {
                record(.warning, "FailedGet", "Get job: \(error)", on: cronJob)
                throw error
            }
            status.drop(entry["uid"]?.string ?? "")
        }
        return true
    }

    private func create(_ job: KubeObject, for cronJob: KubeObject) async throws -> KubeObject? {
        do {
            let stored = try await writer.create(job, as: .jobs)
            record(.normal, "SuccessfulCreate", "Created job \(stored.name)", on: cronJob)
            return stored
        } catch let failure as Failure where failure.status?.reason == "AlreadyExists" {
            // Made by an earlier look that could not note it, or somebody else's.
            let reference = ObjectReference(.jobs, namespace: job.namespace, name: job.name)
            guard let present = try await writer.api.find(reference), present.isControlled(by: cronJob) else {
                return nil
            }
            return present.isFinishedJob ? nil : present
        } catch let failure as Failure where failure.status?.isNamespaceTerminating == true {
            return nil
        } catch {
            record(.warning, "FailedCreate", "Error creating job: \(error)", on: cronJob)
            throw error
        }
    }

    private func record(_ severity: EventRecorder.Severity, _ reason: String, _ message: String, on object: KubeObject)
    {
        context.events.record(severity, reason, message, on: object, by: name)
    }
}
