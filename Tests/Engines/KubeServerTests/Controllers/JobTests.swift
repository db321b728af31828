// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import TestKit
import Testing

@testable import KubeServer

@Suite("jobs", .timeLimit(.minutes(5)))
struct JobTests {
    let cluster = ControlledCluster()

    /// A job as the API would have defaulted it.
    func job(_ name: String, spec: JSON = [:]) -> KubeObject {
        var object = KubeObject(.jobs, namespace: "shop", name: name)
        let labels = ["batch.kubernetes.io/job-name": name]
        object["spec"] = [
            "completions": 1, "parallelism": 1, "backoffLimit": 6, "selector": ["matchLabels": JSON(labels)],
            "template": [
                "metadata": ["labels": JSON(labels)],
                "spec": ["restartPolicy": "Never", "containers": [["name": "main", "image": "job:1"]]],
            ],
        ]
        for (key, value) in spec.object ?? [:] { object.json.set(value, at: ["spec", key]) }
        return object
    }

    @Test("a job runs its completions a few at a time and completes with the real conditions")
    func completes() async throws {
        try await cluster.run(phase: { _ in "Succeeded" }) { cluster in
            _ = try await cluster.api.create(job("work", spec: ["completions": 5, "parallelism": 2]), as: .jobs)
            let done = try await cluster.wait(.jobs, "work") { $0.isFinishedJob }
            #expect(done.status["succeeded"] == 5)
            #expect(done.status["active"] == nil)
            #expect(done.status["uncountedTerminatedPods"] == [:])
            #expect(done.condition("SuccessCriteriaMet")?["reason"] == "CompletionsReached")
            #expect(done.condition("Complete")?["message"] == "Reached expected number of succeeded pods")
            #expect(done.status["completionTime"] != nil)
            #expect(cluster.api.all(.pods).count == 5)
            #expect(cluster.api.all(.pods).allSatisfy { !$0.finalizers.contains(JobView.finalizer) })
            let events = try await cluster.waitForEvents("Job", count: 6)
            #expect(events.last == "Completed: Job completed")
        }
    }

    @Test("the pods of a job that is gone are held by nothing", arguments: [true, false])
    func orphans(takesPodsAlong: Bool) async throws {
        try await cluster.run { cluster in
            _ = try await cluster.api.create(job("work", spec: ["parallelism": 2, "completions": 2]), as: .jobs)
            _ = try await cluster.wait(.jobs, "work") { $0.status["ready"] == 2 }
            try await cluster.api.delete(
                ObjectReference(.jobs, namespace: "shop", name: "work"),
                options: DeleteOptions(propagation: takesPodsAlong ? .background : .orphan)
            )
            if takesPodsAlong {
                _ = try await cluster.wait(.pods) { $0.isEmpty }
            } else {
                _ = try await cluster.wait(.pods) { all in
                    all.count == 2 && all.allSatisfy { $0.controller == nil && $0.finalizers.isEmpty }
                }
            }
        }
    }

    @Test("a pod that fails more often than the limit allows fails the job")
    func fails() async throws {
        try await cluster.run(phase: { _ in "Failed" }) { cluster in
            _ = try await cluster.api.create(job("work", spec: ["backoffLimit": 0]), as: .jobs)
            let failed = try await cluster.wait(.jobs, "work") { $0.isFinishedJob }
            #expect(failed.status["failed"] == 1)
            #expect(failed.condition("FailureTarget")?["reason"] == "BackoffLimitExceeded")
            #expect(failed.condition("Failed")?["message"] == "Job has reached the specified backoff limit")
            #expect(failed.status["completionTime"] == nil)
            let events = try await cluster.waitForEvents("Job", count: 2)
            #expect(events.last == "BackoffLimitExceeded: Job has reached the specified backoff limit")
        }
    }

    @Test("each pod of an indexed job has its index, and completed ones are listed in ranges")
    func indexed() async throws {
        try await cluster.run(phase: { _ in "Succeeded" }) { cluster in
            let spec: JSON = ["completions": 4, "parallelism": 4, "completionMode": "Indexed"]
            _ = try await cluster.api.create(job("work", spec: spec), as: .jobs)
            let done = try await cluster.wait(.jobs, "work") { $0.isFinishedJob }
            #expect(done.status["completedIndexes"] == "0-3")
            #expect(done.status["succeeded"] == 4)
            let pods = cluster.api.all(.pods)
            #expect(Set(pods.compactMap { $0.labels[JobView.indexAnnotation] }) == ["0", "1", "2", "3"])
            #expect(pods.allSatisfy { $0.name.hasPrefix("work-\($0.annotations[JobView.indexAnnotation] ?? "")-") })
        }
    }

    @Test("a suspended job has no pods until it is resumed, and loses them when suspended")
    func suspends() async throws {
        try await cluster.run { cluster in
            _ = try await cluster.api.create(job("work", spec: ["suspend": true]), as: .jobs)
            let held = try await cluster.wait(.jobs, "work") { $0.condition("Suspended")?["status"] == "True" }
            #expect(held.status["startTime"] == nil)
            #expect(cluster.api.all(.pods).isEmpty)
            let reference = ObjectReference(.jobs, namespace: "shop", name: "work")
            _ = try await cluster.api.patch(reference, .merge, ["spec": ["suspend": false]])
            let going = try await cluster.wait(.jobs, "work") { $0.status["ready"] == 1 }
            #expect(going.condition("Suspended")?["reason"] == "JobResumed")
            #expect(going.status["startTime"] != nil)
            _ = try await cluster.api.patch(reference, .merge, ["spec": ["suspend": true]])
            _ = try await cluster.wait(.pods) { $0.isEmpty }
            let again = try await cluster.wait(.jobs, "work") {
                $0.status["active"] == nil && $0.condition("Suspended")?["status"] == "True"
            }
            #expect(again.statusCount("failed") == 0)
        }
    }

    @Test("a job that runs too long ends with DeadlineExceeded and takes its pods along; a finished one expires")
    func deadlineAndExpiry() async throws {
        let clock = HandClock()
        let cluster = ControlledCluster(clock: clock.wall)
        try await cluster.run { cluster in
            let spec: JSON = ["activeDeadlineSeconds": 60, "ttlSecondsAfterFinished": 30]
            _ = try await cluster.api.create(job("work", spec: spec), as: .jobs)
            _ = try await cluster.wait(.jobs, "work") { $0.status["ready"] == 1 }
            clock.advance(by: .seconds(61))
            let reference = ObjectReference(.jobs, namespace: "shop", name: "work")
            _ = try await cluster.api.patch(reference, .merge, ["metadata": ["annotations": ["look": "1"]]])
            let failed = try await cluster.wait(.jobs, "work") { $0.isFinishedJob }
            #expect(failed.condition("Failed")?["reason"] == "DeadlineExceeded")
            #expect(failed.condition("Failed")?["message"] == "Job was active longer than specified deadline")
            #expect(cluster.api.all(.pods).isEmpty)
            clock.advance(by: .seconds(31))
            _ = try await cluster.api.patch(reference, .merge, ["metadata": ["annotations": ["look": "2"]]])
            _ = try await cluster.wait(.jobs) { $0.allSatisfy(\.isTerminating) }
        }
    }
}

@Suite("job decisions")
struct JobViewTests {
    let now = Timestamp(seconds: 1000)

    func job(_ spec: JSON, status: JSON = [:]) -> KubeObject {
        KubeObject(["metadata": ["name": "work", "uid": "job"], "spec": spec, "status": status])
    }

    func pod(_ name: String, _ phase: String, endedAgo: Int = 0, tracked: Bool = true, extra: JSON = [:]) -> KubeObject
    {
        let end = (now - .seconds(endedAgo)).description
        var status: JSON = ["phase": .string(phase)]
        if phase == "Failed" || phase == "Succeeded" {
            status["containerStatuses"] = [
                [
                    "name": "main",
                    "state": ["terminated": ["exitCode": phase == "Failed" ? 3 : 0, "finishedAt": .string(end)]],
                ]
            ]
        }
        for (key, value) in extra.object ?? [:] { status[key] = value }
        var metadata: JSON = ["name": .string(name), "uid": .string(name)]
        if tracked { metadata["finalizers"] = [.string(JobView.finalizer)] }
        return KubeObject(["metadata": metadata, "status": status])
    }

    func view(_ spec: JSON, _ pods: [KubeObject], status: JSON = [:]) -> JobView {
        JobView(job(spec, status: status), pods: pods, at: now)
    }

    @Test("a pod counts once, whether it is tracked, noted or counted already")
    func countsOnce() {
        let spec: JSON = ["completions": 10, "parallelism": 10]
        let pods = [pod("a", "Succeeded"), pod("b", "Succeeded"), pod("c", "Succeeded", tracked: false)]
        let status: JSON = ["succeeded": 1, "uncountedTerminatedPods": ["succeeded": ["b"]]]
        let view = view(spec, pods, status: status)
        #expect(view.newlySucceeded.map(\.name) == ["a"])
        #expect(view.succeeded == 3)
        #expect(view.missing == 7)

        let noted = JobStatus(view: view, ending: nil).noting(active: [], terminating: 0)
        #expect(noted["uncountedTerminatedPods"] == ["succeeded": ["b", "a"]])
        let counted = JobStatus.counting(noted, tracked: ["a"], ending: .completed, terminating: 0, at: now)
        #expect(counted["succeeded"] == 2)
        #expect(counted["uncountedTerminatedPods"] == ["succeeded": ["a"]])
        #expect(ConditionList(counted)["Complete"] == nil)
        let final = JobStatus.counting(counted, tracked: [], ending: .completed, terminating: 0, at: now)
        #expect(final["succeeded"] == 3)
        #expect(ConditionList(final)["Complete"]?["status"] == "True")
        let waiting = JobStatus.counting(counted, tracked: [], ending: .completed, terminating: 1, at: now)
        #expect(ConditionList(waiting)["Complete"] == nil)
    }

    @Test("the next pod waits ten seconds after a failure, twenty after the second, and not at all after a success")
    func creationDelay() {
        let spec: JSON = ["completions": 3, "parallelism": 1]
        #expect(view(spec, []).creationDelay == .zero)
        #expect(view(spec, [pod("a", "Failed", endedAgo: 4)]).creationDelay == .seconds(6))
        let two = [pod("a", "Failed", endedAgo: 30), pod("b", "Failed", endedAgo: 5)]
        #expect(view(spec, two).creationDelay == .seconds(15))
        #expect(view(spec, two + [pod("c", "Succeeded", endedAgo: 1)]).creationDelay == .zero)
    }

    @Test("restarts count against the limit when pods restart in place")
    func onFailure() {
        func restarts(_ count: Int, limit: Int) -> JobEnding? {
            let spec: JSON = [
                "completions": 1, "backoffLimit": JSON(limit), "template": ["spec": ["restartPolicy": "OnFailure"]],
            ]
            return view(spec, [pod("a", "Running", extra: ["containerStatuses": [["restartCount": JSON(count)]]])])
                .ending
        }
        #expect(restarts(2, limit: 3) == nil)
        #expect(restarts(3, limit: 3) == .backoffLimit)
        #expect(restarts(0, limit: 0) == nil)
        #expect(restarts(1, limit: 0) == .backoffLimit)
    }

    @Test("a failure policy ends the job, or does not count the failure")
    func failurePolicy() {
        func spec(_ action: String) -> JSON {
            [
                "completions": 1, "backoffLimit": 0,
                "podFailurePolicy": [
                    "rules": [["action": .string(action), "onExitCodes": ["operator": "In", "values": [3]]]]
                ],
            ]
        }
        let failed = [pod("a", "Failed")]
        #expect(view(spec("FailJob"), failed).ending?.reason == "PodFailurePolicy")
        #expect(
            view(spec("FailJob"), failed).ending?.message
                == "Container main for pod /a failed with exit code 3 matching FailJob rule at index 0"
        )
        #expect(view(spec("Ignore"), failed).ending == nil)
        #expect(view(spec("Ignore"), failed).failed == 0)
        #expect(view(spec("Count"), failed).ending == .backoffLimit)
    }

    @Test("without completions one success is enough, and running pods are left to finish")
    func workQueue() {
        let spec: JSON = ["parallelism": 3]
        #expect(view(spec, []).missing == 3)
        let mixed = [pod("a", "Succeeded"), pod("b", "Running"), pod("c", "Running")]
        #expect(view(spec, mixed).missing == 0)
        #expect(view(spec, mixed).surplus.isEmpty)
        #expect(view(spec, mixed).ending == nil)
        #expect(view(spec, [pod("a", "Succeeded")]).ending == .completed)
    }

    @Test("indexes read and print as ranges", arguments: ["", "0", "0,1", "0-2", "0-2,5", "1,3,5-9"])
    func indexes(_ text: String) {
        #expect(CompletionIndexes(text, below: 10).description == text)
    }

    @Test("indexes beyond the completions are left out")
    func indexesBeyond() {
        #expect(CompletionIndexes("0-20,x,7-5", below: 3).description == "0-2")
    }
}
