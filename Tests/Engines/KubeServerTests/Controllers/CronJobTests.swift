// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import TestKit
import Testing

@testable import KubeServer

@Suite("cron jobs", .timeLimit(.minutes(5)))
struct CronJobTests {
    let time = HandClock()  // begins at 2027-01-15T08:00:00Z
    let cluster: ControlledCluster

    init() { cluster = ControlledCluster(clock: time.wall) }

    func cronJob(_ name: String, spec: JSON = [:]) -> KubeObject {
        var object = KubeObject(.cronJobs, namespace: "shop", name: name)
        let pod: JSON = ["restartPolicy": "Never", "containers": [["name": "main", "image": "job:1"]]]
        object["spec"] = [
            "schedule": "*/5 * * * *", "concurrencyPolicy": "Allow", "suspend": false,
            "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1,
            "jobTemplate": [
                "metadata": ["labels": ["team": "a"], "annotations": ["note": "b"]],
                "spec": [
                    "completions": 1, "parallelism": 1, "backoffLimit": 6,
                    "selector": ["matchLabels": ["job": .string(name)]],
                    "template": ["metadata": ["labels": ["job": .string(name)]], "spec": pod],
                ],
            ],
        ]
        for (key, value) in spec.object ?? [:] { object.json.set(value, at: ["spec", key]) }
        return object
    }

    /// Moves the time and has the cron job looked at.
    private func pass(_ minutes: Int, _ cluster: ControlledCluster, _ name: String) async throws {
        time.advance(by: .seconds(minutes * 60))
        let reference = ObjectReference(.cronJobs, namespace: "shop", name: name)
        let note: JSON = ["metadata": ["annotations": ["at": .string(time.wall.now.description)]]]
        _ = try await cluster.api.patch(reference, .merge, note)
    }

    @Test("a job is made when its time has come, and is named after it")
    func makesJobs() async throws {
        try await cluster.run { cluster in
            _ = try await cluster.api.create(cronJob("tick", spec: ["timeZone": "Europe/Berlin"]), as: .cronJobs)
            try await pass(6, cluster, "tick")
            let noted = try await cluster.wait(.cronJobs, "tick") { $0.status["lastScheduleTime"] != nil }
            #expect(noted.status["lastScheduleTime"] == "2027-01-15T08:05:00Z")
            let job = try #require(cluster.api.all(.jobs).first)
            #expect(job.name == "tick-\(1_800_000_300 / 60)")
            #expect(job.labels == ["team": "a"])
            #expect(job.annotations["note"] == "b")
            #expect(
                job.annotations["batch.kubernetes.io/cronjob-scheduled-timestamp"] == "2027-01-15T09:05:00+01:00"
            )
            #expect(job.isControlled(by: noted))
            #expect(noted.status["active"]?[0]?["uid"]?.string == job.uid)
            let events = try await cluster.waitForEvents("CronJob", count: 1)
            #expect(events.first == "SuccessfulCreate: Created job \(job.name)")
        }
    }

    @Test("of many missed times only the last gets a job")
    func catchesUp() async throws {
        try await cluster.run { cluster in
            _ = try await cluster.api.create(cronJob("tick"), as: .cronJobs)
            try await pass(60 * 24, cluster, "tick")
            let noted = try await cluster.wait(.cronJobs, "tick") { $0.status["lastScheduleTime"] != nil }
            #expect(noted.status["lastScheduleTime"] == "2027-01-16T08:00:00Z")
            #expect(cluster.api.all(.jobs).count == 1)
            let events = try await cluster.waitForEvents("CronJob", count: 2)
            #expect(events.contains { $0.hasPrefix("TooManyMissedTimes: too many missed start times.") })
        }
    }

    @Test("a run that is later than its deadline is missed")
    func deadline() async throws {
        try await cluster.run { cluster in
            let spec: JSON = ["startingDeadlineSeconds": 30, "schedule": "1 8 * * *"]
            _ = try await cluster.api.create(cronJob("tick", spec: spec), as: .cronJobs)
            try await pass(2, cluster, "tick")
            // Nothing tells of a run that is out of reach: a second one shows that the first was looked at.
            _ = try await cluster.api.create(cronJob("other", spec: ["schedule": "1 8 * * *"]), as: .cronJobs)
            try await pass(60 * 24, cluster, "other")
            _ = try await cluster.wait(.cronJobs, "other") { $0.status["lastScheduleTime"] != nil }
            #expect(cluster.api.all(.jobs).allSatisfy { $0.name.hasPrefix("other-") })
        }
    }

    @Test("with Forbid a run waits for the one before, with Replace it ends it", arguments: ["Forbid", "Replace"])
    func concurrency(_ policy: String) async throws {
        try await cluster.run { cluster in
            let spec: JSON = ["concurrencyPolicy": .string(policy)]
            _ = try await cluster.api.create(cronJob("tick", spec: spec), as: .cronJobs)
            try await pass(5, cluster, "tick")
            let first = try await cluster.wait(.cronJobs, "tick") { $0.status["lastScheduleTime"] != nil }
            let job = try #require(cluster.api.all(.jobs).first)
            try await pass(5, cluster, "tick")
            if policy == "Replace" {
                _ = try await cluster.wait(.cronJobs, "tick") {
                    $0.status["lastScheduleTime"] != first.status["lastScheduleTime"]
                }
                _ = try await cluster.wait(.jobs) { all in !all.contains { $0.uid == job.uid } && all.count == 1 }
                return
            }
            let text =
                "JobAlreadyActive: Not starting job because prior execution is running and "
                + "concurrency policy is Forbid"
            _ = try await cluster.wait(.events) { all in
                all.contains { "\($0["reason"]?.string ?? ""): \($0["message"]?.string ?? "")" == text }
            }
            #expect(cluster.api.all(.jobs).map(\.uid) == [job.uid])
            // Gone by another's hand: noticed, and the next run starts.
            try await cluster.api.delete(ObjectReference(.jobs, namespace: "shop", name: job.name))
            let next = try await cluster.wait(.cronJobs, "tick") {
                $0.status["lastScheduleTime"] == "2027-01-15T08:10:00Z"
            }
            #expect(next.status["active"]?.array?.count == 1)
            let events = try await cluster.waitForEvents("CronJob", count: 4)
            #expect(events.contains("MissingJob: Active job went missing: \(job.name)"))
        }
    }

    @Test("finished jobs leave the list, and only so many are kept")
    func history() async throws {
        try await cluster.run(phase: { _ in "Succeeded" }) { cluster in
            _ = try await cluster.api.create(cronJob("tick", spec: ["successfulJobsHistoryLimit": 1]), as: .cronJobs)
            for round in 1...3 {
                try await pass(5, cluster, "tick")
                let expected = "2027-01-15T08:\(round == 1 ? "05" : "\(round * 5)"):00Z"
                _ = try await cluster.wait(.cronJobs, "tick") {
                    $0.status["lastScheduleTime"]?.string == expected && $0.status["active"] == nil
                }
            }
            let left = try await cluster.wait(.jobs) { $0.count == 1 }
            #expect(left.first?.name == "tick-\(1_800_000_900 / 60)")
            let done = try await cluster.wait(.cronJobs, "tick") { $0.status["lastSuccessfulTime"] != nil }
            #expect(done.status["active"] == nil)
            let events = try await cluster.waitForEvents("CronJob", count: 8)
            #expect(events.contains("SawCompletedJob: Saw completed job: tick-30000005, condition: Complete"))
            #expect(events.contains("SuccessfulDelete: Deleted job tick-30000005"))
        }
    }

    @Test("a suspended cron job rests, and a schedule that cannot be read is told")
    func rests() async throws {
        try await cluster.run { cluster in
            _ = try await cluster.api.create(cronJob("still", spec: ["suspend": true]), as: .cronJobs)
            _ = try await cluster.api.create(cronJob("odd", spec: ["schedule": "nonsense"]), as: .cronJobs)
            try await pass(10, cluster, "still")
            let events = try await cluster.waitForEvents("CronJob", count: 1)
            #expect(
                events.first
                    == #"UnparseableSchedule: unparseable schedule: "nonsense" : "#
                    + "expected exactly 5 fields, found 1: [nonsense]"
            )
            #expect(cluster.api.all(.jobs).isEmpty)
        }
    }
}
