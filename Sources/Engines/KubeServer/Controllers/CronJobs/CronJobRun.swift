// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What a cron job asks for at one moment.
struct CronJobRun: Sendable {
    let cronJob: KubeObject
    let schedule: CronSchedule
    let now: Timestamp

    /// How late a job may start; `nil` for any lateness.
    var deadline: Duration? { cronJob.spec["startingDeadlineSeconds"]?.int.map { .seconds($0) } }

    /// The latest time at which a job should have started, if one should.
    var due: CronSchedule.Missed? {
        get throws(CronError) {
            let last = cronJob.status["lastScheduleTime"]?.string.flatMap { Timestamp($0) }
            var earliest = last ?? cronJob.creationTimestamp ?? now
            if let deadline { earliest = max(earliest, now - deadline) }
            guard earliest <= now else { return nil }
            return try schedule.missed(after: earliest, until: now)
        }
    }

    /// The job of that time, with a name that says which, so that nobody makes it twice.
    func job(at time: Timestamp) -> KubeObject {
        let template = cronJob.spec["jobTemplate"] ?? [:]
        var metadata: JSON = ["name": .string("\(cronJob.name)-\(time.seconds / 60)")]
        metadata["namespace"] = cronJob.metadata["namespace"]
        metadata["labels"] = template[path: "metadata", "labels"]
        var annotations = template[path: "metadata", "annotations"]?.stringMap ?? [:]
        let zone = schedule.zone
        annotations["batch.kubernetes.io/cronjob-scheduled-timestamp"] =
            zone.wall(at: time.seconds).text(offset: zone.offset(at: time.seconds))
        metadata["annotations"] = JSON(annotations)
        metadata["ownerReferences"] = [cronJob.controllerReference(as: .cronJobs)]
        return KubeObject([
            "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template["spec"] ?? [:],
        ])
    }
}

/// What a cron job has noted of its jobs.
struct CronJobStatus: Sendable {
    private(set) var json: JSON

    init(_ cronJob: KubeObject) { json = cronJob.status }

    var active: [JSON] { json["active"]?.array ?? [] }

    var lastScheduleTime: Timestamp? {
        get { json["lastScheduleTime"]?.string.flatMap { Timestamp($0) } }
        set { json["lastScheduleTime"] = newValue.map { .string($0.description) } }
    }

    func lists(_ uid: String) -> Bool { active.contains { $0["uid"]?.string == uid } }
    func lists(name: String) -> Bool { active.contains { $0["name"]?.string == name } }

    mutating func drop(_ uid: String) {
        let left = active.filter { $0["uid"]?.string != uid }
        json["active"] = left.isEmpty ? nil : .array(left)
    }

    mutating func add(_ job: KubeObject) {
        var reference = job.eventReference
        reference["resourceVersion"] = .string(job.resourceVersion.text)
        json["active"] = .array(active + [reference])
    }

    /// The latest completion counts.
    mutating func noteSuccess(of job: KubeObject) {
        guard let end = job.status["completionTime"], let moment = end.string.flatMap({ Timestamp($0) }) else { return }
        let known = json["lastSuccessfulTime"]?.string.flatMap { Timestamp($0) }
        if known.map({ $0 < moment }) ?? true { json["lastSuccessfulTime"] = end }
    }
}
