// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import TestKit
import Testing

@testable import KubeServer

@Suite("jobs by index", .timeLimit(.minutes(5)))
struct IndexedJobTests {
    let now = Timestamp(seconds: 1000)

    /// A job as the API would have defaulted it.
    func job(_ spec: JSON) -> KubeObject {
        var object = KubeObject(.jobs, namespace: "shop", name: "work")
        let labels = ["batch.kubernetes.io/job-name": "work"]
        object["spec"] = [
            "completions": 3, "parallelism": 3, "completionMode": "Indexed", "backoffLimit": 6,
            "selector": ["matchLabels": JSON(labels)],
            "template": [
                "metadata": ["labels": JSON(labels)],
                "spec": ["restartPolicy": "Never", "containers": [["name": "main", "image": "job:1"]]],
            ],
        ]
        for (key, value) in spec.object ?? [:] { object.json.set(value, at: ["spec", key]) }
        return object
    }

    func pod(_ name: String, index: Int, _ phase: String, failures: Int = 0, code: Int = 3, endedAgo: Int = 0)
        -> KubeObject
    {
        var state: JSON = [:]
        if phase == "Failed" || phase == "Succeeded" {
            let end = (now - .seconds(endedAgo)).description
            state = ["terminated": ["exitCode": JSON(phase == "Failed" ? code : 0), "finishedAt": .string(end)]]
        }
        return KubeObject([
            "metadata": [
                "name": .string(name), "uid": .string(name), "finalizers": [.string(JobView.finalizer)],
                "annotations": [
                    JobView.indexAnnotation: "\(index)", JobView.failureCountAnnotation: "\(failures)",
                ],
            ],
            "status": ["phase": .string(phase), "containerStatuses": [["name": "main", "state": state]]],
        ])
    }

    func view(_ spec: JSON, _ pods: [KubeObject]) -> JobView { JobView(job(spec), pods: pods, at: now) }

    @Test("an index is tried again after a while, its pod carries the count, and the last failed pod waits for it")
    func retries() {
        let limit: JSON = ["backoffLimitPerIndex": 1]
        let fresh = view(limit, [pod("a", index: 0, "Failed", endedAgo: 4)])
        #expect(fresh.failedIndexes.description == "")
        #expect(fresh.heldBack.mapValues(\.name) == [0: "a"])
        #expect(fresh.dueIndexes(3).due == [1, 2])
        #expect(fresh.dueIndexes(3).delay == .seconds(6))
        let due = view(limit, [pod("a", index: 0, "Failed", endedAgo: 11)])
        #expect(due.dueIndexes(3).due == [0, 1, 2])
        #expect(due.makePod(index: 0).annotations[JobView.failureCountAnnotation] == "1")
        #expect(due.makePod(index: 1).annotations[JobView.failureCountAnnotation] == "0")
        let again = view(limit, [pod("a", index: 0, "Failed"), pod("b", index: 0, "Running", failures: 1)])
        #expect(again.heldBack.isEmpty)
        let status = JobStatus(view: fresh, ending: nil).noting(active: [], terminating: 0)
        #expect(status["uncountedTerminatedPods"]?["failed"] == nil, "counted only when its successor is there")
        #expect(fresh.failed == 1)
    }

    @Test("an index that failed too often is not tried again; the job ends when nothing else is left")
    func failsForGood() {
        let limit: JSON = ["backoffLimitPerIndex": 1]
        let pods = [
            pod("a", index: 0, "Failed", failures: 1), pod("b", index: 1, "Running"), pod("c", index: 2, "Succeeded"),
        ]
        let one = view(limit, pods)
        #expect(one.failedIndexes.description == "0")
        #expect(one.freeIndexes(3) == [])
        #expect(one.ending == nil)
        let status = JobStatus(view: one, ending: nil).noting(active: one.active, terminating: 0)
        #expect(status["failedIndexes"] == "0" && status["completedIndexes"] == "2")
        let done = view(limit, [pods[0], pods[2], pod("b", index: 1, "Succeeded")])
        #expect(done.ending == .failedIndexes)
        let strict = view(["backoffLimitPerIndex": 1, "maxFailedIndexes": 0], pods)
        #expect(strict.ending == .tooManyFailedIndexes)
        #expect(strict.ending?.reason == "MaxFailedIndexesExceeded")
    }

    @Test("a failure policy may give an index up at once, or not count the failure")
    func policy() {
        func spec(_ action: String) -> JSON {
            [
                "backoffLimitPerIndex": 2,
                "podFailurePolicy": [
                    "rules": [["action": .string(action), "onExitCodes": ["operator": "In", "values": [3]]]]
                ],
            ]
        }
        let failed = [pod("a", index: 0, "Failed", endedAgo: 60)]
        #expect(view(spec("FailIndex"), failed).failedIndexes.description == "0")
        let ignored = view(spec("Ignore"), failed)
        #expect(ignored.failedIndexes.description == "" && ignored.failed == 0)
        #expect(ignored.makePod(index: 0).annotations[JobView.failureCountAnnotation] == "0")
        #expect(ignored.makePod(index: 0).annotations[JobView.ignoredCountAnnotation] == "1")
        #expect(view(spec("Count"), failed).makePod(index: 0).annotations[JobView.failureCountAnnotation] == "1")
    }

    @Test(
        "a success policy names the first rule that is met",
        arguments: [
            (["succeededCount": 2], nil), (["succeededCount": 1], 0), (["succeededIndexes": "0-1"], nil),
            (["succeededIndexes": "1"], 0), (["succeededIndexes": "0-2", "succeededCount": 1], 0),
            (["succeededIndexes": "0,2", "succeededCount": 1], nil),
        ] as [(JSON, Int?)]
    )
    func success(rule: JSON, met: Int?) {
        let pods = [pod("a", index: 0, "Running"), pod("b", index: 1, "Succeeded")]
        let ending = view(["successPolicy": ["rules": [rule]]], pods).ending
        #expect(ending?.message == met.map { "Matched rules at index \($0)" })
        #expect(ending == nil || ending?.reason == "SuccessPolicy" && ending?.isSuccess == true)
    }

    private static func index(_ pod: KubeObject) -> String { pod.annotations[JobView.indexAnnotation] ?? "" }

    @Test("a job whose index fails runs the others to their end and then fails, with both listed")
    func failedIndexes() async throws {
        let cluster = ControlledCluster()
        try await cluster.run(phase: { Self.index($0) == "1" ? "Failed" : "Succeeded" }) { cluster in
            _ = try await cluster.api.create(job(["backoffLimitPerIndex": 0]), as: .jobs)
            let ended = try await cluster.wait(.jobs, "work") { $0.isFinishedJob }
            #expect(ended.condition("Failed")?["reason"] == "FailedIndexes")
            #expect(ended.condition("Failed")?["message"] == "Job has failed indexes")
            #expect(ended.status["failedIndexes"] == "1")
            #expect(ended.status["completedIndexes"] == "0,2")
            #expect(ended.status["failed"] == 1 && ended.status["succeeded"] == 2)
            #expect(cluster.api.all(.pods).allSatisfy { !$0.finalizers.contains(JobView.finalizer) })
        }
    }

    @Test("a job that succeeds early takes its other pods along")
    func succeedsEarly() async throws {
        let cluster = ControlledCluster()
        try await cluster.run(phase: { Self.index($0) == "0" ? "Succeeded" : "Running" }) { cluster in
            let policy: JSON = ["rules": [["succeededIndexes": "0"]]]
            _ = try await cluster.api.create(job(["successPolicy": policy]), as: .jobs)
            let ended = try await cluster.wait(.jobs, "work") { $0.isFinishedJob }
            #expect(ended.condition("SuccessCriteriaMet")?["reason"] == "SuccessPolicy")
            #expect(ended.condition("Complete")?["message"] == "Matched rules at index 0")
            #expect(ended.status["completedIndexes"] == "0")
            let left = try await cluster.wait(.pods) { $0.count == 1 }
            #expect(left.map { Self.index($0) } == ["0"])
        }
    }

    @Test("a pod of an indexed job knows its index by name, host name, label and variable, but keeps its own variable")
    func identity() {
        var job = job([:])
        let own: JSON = [["name": "JOB_COMPLETION_INDEX", "value": "mine"]]
        job.json.set(
            [["name": "a", "image": "i"], ["name": "b", "image": "i", "env": own]],
            at: ["spec", "template", "spec", "containers"]
        )
        let pod = JobView(job, pods: [], at: now).makePod(index: 2)
        #expect(pod.spec["hostname"] == "work-2")
        #expect(pod.labels[JobView.indexAnnotation] == "2" && Self.index(pod) == "2")
        let path = pod.spec["containers"]?[0]?["env"]?[0]?[path: "valueFrom", "fieldRef", "fieldPath"]
        #expect(path == "metadata.labels['batch.kubernetes.io/job-completion-index']")
        #expect(pod.spec["containers"]?[1]?["env"] == own)
    }
}

@Suite("job policies are checked")
struct JobPolicyTests {
    private func create(_ spec: JSON, on server: TestServer? = nil) async throws -> APIResponse {
        var test = server
        if test == nil { test = try await TestServer() }
        var job: JSON = [
            "metadata": ["name": "j"],
            "spec": [
                "completionMode": "Indexed", "completions": 3,
                "template": ["spec": ["restartPolicy": "Never", "containers": [["name": "main", "image": "a:1"]]]],
            ],
        ]
        for (key, value) in spec.object ?? [:] { job.set(value, at: ["spec", key]) }
        return try await #require(test).send("POST", "/apis/batch/v1/namespaces/default/jobs", job)
    }

    private static func failure(_ rule: JSON) -> JSON { ["podFailurePolicy": ["rules": [rule]]] }
    private static func success(_ rule: JSON) -> JSON { ["successPolicy": ["rules": [rule]]] }
    private static let codes: JSON = ["operator": "In", "values": [1]]

    @Test(
        "what cannot work is refused in the real server's words",
        arguments: [
            (
                ["completionMode": "NonIndexed", "backoffLimitPerIndex": 1],
                "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"
            ),
            (["maxFailedIndexes": 1], "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified"),
            (
                ["maxFailedIndexes": 4, "backoffLimitPerIndex": 1],
                "spec.maxFailedIndexes: Invalid value: 4: must be less than or equal to completions"
            ),
            (
                failure(["action": "FailIndex", "onExitCodes": codes]),
                "spec.podFailurePolicy.rules[0].action: Invalid value: \"FailIndex\": requires the backoffLimitPerIndex to be set"
            ),
            (
                failure(["action": "Stop", "onExitCodes": codes]),
                "spec.podFailurePolicy.rules[0].action: Unsupported value: \"Stop\": supported values: \"Count\", \"FailIndex\", "
                    + "\"FailJob\", \"Ignore\""
            ),
            (
                failure(["action": "Count"]),
                "spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required"
            ),
            (
                failure(["action": "Count", "onExitCodes": ["operator": "In", "values": [2, 1]]]),
                "spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [2,1]: must be ordered"
            ),
            (
                failure(["action": "Count", "onExitCodes": ["operator": "In", "values": [1], "containerName": "x"]]),
                "spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: \"x\": must be one of the container or "
                    + "initContainer names in the pod template"
            ),
            (
                success([:]),
                "spec.successPolicy.rules[0]: Required value: at least one of succeededCount or succeededIndexes "
                    + "must be specified"
            ),
            (
                success(["succeededCount": 4]),
                "spec.successPolicy.rules[0].succeededCount: Invalid value: 4: must be less than or "
                    + "equal to 3 (the number of specified completions)"
            ),
            (
                success(["succeededIndexes": "0-9"]),
                "spec.successPolicy.rules[0].succeededIndexes: Invalid value: \"0-9\": error "
                    + "parsing succeededIndexes: too large index: \"9\""
            ),
        ] as [(JSON, String)]
    )
    func refused(spec: JSON, objection: String) async throws {
        let answer = try await create(spec)
        #expect(answer.status == 422)
        #expect(answer.message == "Job.batch \"j\" is invalid: \(objection)")
    }

    @Test("a failure policy asks for pods that do not restart, and replaces only what failed")
    func restarts() async throws {
        let rule = Self.failure(["action": "Count", "onPodConditions": [["type": "DisruptionTarget"]]])
        let made = try await create(rule)
        #expect(made.status == 201)
        #expect(made.json[path: "spec", "podReplacementPolicy"] == "Failed")
        #expect(made.json[path: "spec", "podFailurePolicy", "rules"]?[0]?["onPodConditions"]?[0]?["status"] == "True")
        var restarting = rule
        restarting["template"] = [
            "spec": ["restartPolicy": "OnFailure", "containers": [["name": "main", "image": "a:1"]]]
        ]
        let refused = try await create(restarting)
        #expect(refused.message.contains("only \"Never\" is supported when podFailurePolicy is specified"))
        var replacing = rule
        replacing["podReplacementPolicy"] = "TerminatingOrFailed"
        #expect(try await create(replacing).message.contains("spec.podReplacementPolicy: Unsupported value"))
    }

    private func patch(_ test: TestServer, _ spec: JSON) async -> APIResponse {
        await test.send(
            "PATCH",
            "/apis/batch/v1/namespaces/default/jobs/j",
            ["spec": spec],
            contentType: "application/merge-patch+json"
        )
    }

    @Test("an indexed job grows and shrinks with its parallelism, and only so")
    func elastic() async throws {
        let test = try await TestServer()
        #expect(try await create(["parallelism": 3], on: test).status == 201)
        #expect(await patch(test, ["completions": 5, "parallelism": 5]).status == 200)
        let refused = await patch(test, ["completions": 2])
        #expect(
            refused.message
                == "Job.batch \"j\" is invalid: spec.completions: Invalid value: 2: can only be modified in tandem "
                + "with spec.parallelism"
        )
    }

    @Test("where a suspended job's pods go may change until it was started; nothing else of them may")
    func suspendedTemplate() async throws {
        let test = try await TestServer()
        #expect(try await create(["suspend": true], on: test).status == 201)
        #expect(await patch(test, ["template": ["spec": ["nodeSelector": ["disk": "fast"]]]]).status == 200)
        #expect(await patch(test, ["template": ["spec": ["hostname": "h"]]]).status == 422)
        #expect(await patch(test, ["suspend": false]).status == 200)
        #expect(await patch(test, ["template": ["spec": ["nodeSelector": ["disk": "slow"]]]]).status == 422)
    }
}
