// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Testing

@testable import Releases

extension RolloutView {
    /// A Deployment with what its controller made of it.
    init(
        deployment: KubeObject,
        replicaSets: [KubeObject],
        pods: [KubeObject],
        events: [String: [Event]] = [:]
    ) {
        let newest = NewestRevision.find(of: deployment, among: replicaSets, pods)
        self.init(
            ObjectReference(.deployments, namespace: "shop", name: deployment.name),
            deployment,
            health: Health.of(deployment, in: Health.Surroundings(now: Timestamp(seconds: 1000))),
            revision: newest.revision,
            pods: newest.pods
        )
        self.events = events
    }
}

@Suite("a rollout's verdict")
struct RolloutMachineTests {
    private static let start = Timestamp(seconds: 1000)

    private func deployment(generation: Int = 2, observed: Int = 2, updated: Int = 0, ready: Int = 0, replicas: Int = 1)
        -> KubeObject
    {
        var object = KubeObject(.deployments, namespace: "shop", name: "cart")
        object.json.set("d-uid", at: ["metadata", "uid"])
        object.json.set(JSON(generation), at: ["metadata", "generation"])
        object.json.set("2", at: ["metadata", "annotations", "deployment.kubernetes.io/revision"])
        object["spec"] = ["replicas": JSON(replicas)]
        object["status"] = [
            "observedGeneration": JSON(observed), "updatedReplicas": JSON(updated), "replicas": JSON(updated),
            "availableReplicas": JSON(ready), "readyReplicas": JSON(ready),
            "conditions": [["type": "Available", "status": ready < replicas ? "False" : "True"]],
        ]
        return object
    }

    private func replicaSet(revision: Int) -> KubeObject {
        var object = KubeObject(.replicaSets, namespace: "shop", name: "cart-\(revision)")
        object.json.set(.string("rs-\(revision)"), at: ["metadata", "uid"])
        object.json.set(.string("\(revision)"), at: ["metadata", "annotations", "deployment.kubernetes.io/revision"])
        object.json.set([["uid": "d-uid", "controller": true]], at: ["metadata", "ownerReferences"])
        return object
    }

    private func pod(_ name: String, revision: Int, status: JSON) -> KubeObject {
        var object = KubeObject(.pods, namespace: "shop", name: name)
        object.json.set([["uid": .string("rs-\(revision)"), "controller": true]], at: ["metadata", "ownerReferences"])
        object["status"] = status
        return object
    }

    private func waiting(_ reason: String, _ message: String = "", restarts: Int = 0, last: JSON = [:]) -> JSON {
        [
            "phase": "Pending",
            "containerStatuses": [
                [
                    "name": "cart", "restartCount": JSON(restarts), "lastState": last,
                    "state": ["waiting": ["reason": .string(reason), "message": .string(message)]],
                ]
            ],
        ]
    }

    private func view(_ pods: [KubeObject], events: [String: [RolloutView.Event]] = [:]) -> RolloutView {
        RolloutView(
            deployment: deployment(),
            replicaSets: [replicaSet(revision: 1), replicaSet(revision: 2)],
            pods: pods,
            events: events
        )
    }

    @Test func succeedsOnceAllReplicasAreNewAndReady() {
        var machine = RolloutMachine(startedAt: Self.start, patience: .seconds(60))
        let done = RolloutView(
            deployment: deployment(updated: 1, ready: 1),
            replicaSets: [replicaSet(revision: 2)],
            pods: []
        )
        #expect(machine.observe(done, at: Self.start) == .succeed)
    }

    @Test func whatNobodyReportsOnIsWaitedForOnlyWhereItChanged() {
        let type = ResourceType(group: "x.y", version: "v1", plural: "widgets", kind: "Widget", isNamespaced: true)
        let object = KubeObject(type, namespace: "shop", name: "w")
        let health = Health(.inProgress, "NoStatus", "its controller has not reported on it yet", isOptional: true)
        let reference = ObjectReference(type, namespace: "shop", name: "w")
        let view = RolloutView(reference, object, health: health)
        var written = RolloutMachine(startedAt: Self.start, patience: .seconds(60))
        #expect(written.observe(view, at: Self.start) == .wait(until: Self.start + .seconds(10), for: view.progress))
        #expect(written.observe(view, at: Self.start + .seconds(10)) == .succeed)
        var unchanged = RolloutMachine(startedAt: Self.start, patience: .seconds(60), isUnchanged: true)
        #expect(unchanged.observe(view, at: Self.start) == .succeed)
    }

    @Test func withoutAReadinessProbeContainersHaveToRunForAMoment() {
        func look(startedAt: String, _ probe: JSON? = nil) -> RolloutView {
            var container: JSON = ["name": "cart"]
            if let probe { container["readinessProbe"] = probe }
            var done = deployment(updated: 1, ready: 1)
            done.json.set([container], at: ["spec", "template", "spec", "containers"])
            let status: JSON = ["name": "cart", "state": ["running": ["startedAt": .string(startedAt)]]]
            let conditions: JSON = [["type": "Ready", "status": "True"]]
            let running = pod(
                "new",
                revision: 2,
                status: ["phase": "Running", "conditions": conditions, "containerStatuses": [status]]
            )
            return RolloutView(deployment: done, replicaSets: [replicaSet(revision: 2)], pods: [running])
        }
        let now = "\(Self.start)"
        var machine = RolloutMachine(startedAt: Self.start, patience: .seconds(60))
        #expect(machine.observe(look(startedAt: now, ["tcpSocket": [:]]), at: Self.start) == .succeed)
        guard case .wait(let until, _) = machine.observe(look(startedAt: now), at: Self.start) else {
            return #expect(Bool(false))
        }
        #expect(until == Self.start + .seconds(2))
        #expect(machine.observe(look(startedAt: now), at: until) == .succeed)
        // It ended meanwhile, was started again and has to last anew.
        machine = RolloutMachine(startedAt: Self.start, patience: .seconds(60))
        _ = machine.observe(look(startedAt: now), at: Self.start)
        _ = machine.observe(crashing(restarts: 0), at: Self.start + .seconds(1))
        let again = look(startedAt: "\(Self.start + .seconds(9))")
        guard case .wait(let next, _) = machine.observe(again, at: Self.start + .seconds(12)) else {
            return #expect(Bool(false), "news may be late")
        }
        // Once it has ended a moment proves nothing: as long as a loop is given.
        #expect(next == Self.start + .seconds(22))
        #expect(machine.observe(again, at: next) == .succeed)
        // What has run for long needs no further proof.
        var other = RolloutMachine(startedAt: Self.start, patience: .seconds(60))
        #expect(other.observe(look(startedAt: "\(Self.start - .seconds(19))"), at: Self.start) == .succeed)
    }

    @Test func aPodThatCrashedCountsBeforeItsDeploymentHasNoticed() {
        var machine = RolloutMachine(startedAt: Self.start, patience: .seconds(60))
        let look = RolloutView(
            deployment: deployment(updated: 1, ready: 1),
            replicaSets: [replicaSet(revision: 2)],
            pods: [pod("new", revision: 2, status: waiting("CrashLoopBackOff", last: ended(1)))]
        )
        guard case .wait = machine.observe(look, at: Self.start) else { return #expect(Bool(false)) }
    }

    @Test func waitsWhileTheControllerHasNotSeenTheNewTemplate() {
        var machine = RolloutMachine(startedAt: Self.start, patience: .seconds(60))
        let stale = RolloutView(
            deployment: deployment(generation: 3, observed: 2, updated: 1, ready: 1),
            replicaSets: [replicaSet(revision: 2)],
            pods: []
        )
        guard case .wait = machine.observe(stale, at: Self.start) else { return #expect(Bool(false)) }
    }

    @Test func whatTheReleaseBeforeGaveUpIsGivenItsTimeAgain() {
        func look(givenUpAt time: String?) -> RolloutView {
            var late = deployment()
            if let time {
                let verdict: JSON = [
                    "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
                    "lastUpdateTime": .string(time),
                ]
                late.json.set([verdict], at: ["status", "conditions"])
            }
            return RolloutView(
                deployment: late,
                replicaSets: [replicaSet(revision: 2)],
                pods: [pod("new", revision: 2, status: waiting("CreateContainerConfigError", #"secret "k" not found"#))]
            )
        }
        // The same template again, after somebody has created the Secret that was missing.
        var machine = RolloutMachine(startedAt: Self.start, patience: .seconds(60))
        let before = "2026-11-24T00:00:00Z"
        guard case .wait(let until, _) = machine.observe(look(givenUpAt: before), at: Self.start) else {
            return #expect(Bool(false), "the old verdict decided")
        }
        #expect(until == Self.start + .seconds(5))
        // A verdict about this one counts.
        guard
            case .fail(let diagnosis) = machine.observe(
                look(givenUpAt: "2026-11-24T00:09:00Z"),
                at: Self.start + .seconds(3)
            )
        else { return #expect(Bool(false), "the new verdict did not decide") }
        #expect(diagnosis.code == .configurationMissing)
    }

    @Test func anOldPodsCrashDoesNotFailTheNewRevision() {
        var machine = RolloutMachine(startedAt: Self.start, patience: .seconds(60))
        let action = machine.observe(
            view([pod("old", revision: 1, status: waiting("CrashLoopBackOff", restarts: 9))]),
            at: Self.start
        )
        guard case .wait = action else { return #expect(Bool(false), "\(action)") }
    }

    private func ended(_ code: Int, _ reason: String = "Error") -> JSON {
        ["terminated": ["exitCode": JSON(code), "reason": .string(reason)]]
    }

    private func crashing(restarts: Int, code: Int = 3, _ reason: String = "Error") -> RolloutView {
        let status = waiting("CrashLoopBackOff", restarts: restarts, last: ended(code, reason))
        return view([pod("new", revision: 2, status: status)])
    }

    private func running(restarts: Int) -> RolloutView {
        let status: JSON = [
            "name": "cart", "restartCount": JSON(restarts), "lastState": ended(3), "state": ["running": [:]],
            "ready": false,
        ]
        return view([pod("new", revision: 2, status: ["phase": "Running", "containerStatuses": [status]])])
    }

    @Test func aContainerThatKeepsEndingFailsWithItsExitCode() {
        var machine = RolloutMachine(startedAt: Self.start, patience: .seconds(60))
        _ = machine.observe(crashing(restarts: 1), at: Self.start)
        guard case .fail(let diagnosis) = machine.observe(crashing(restarts: 2), at: Self.start + .seconds(11)) else {
            return #expect(Bool(false))
        }
        #expect(diagnosis.code == .crashLoop)
        #expect(diagnosis.cause == "the container 'cart' keeps ending with exit code 3 (2 restarts)")
    }

    @Test func anAppMayEndWhileItWaitsForItsDatabase() {
        var machine = RolloutMachine(startedAt: Self.start, patience: .seconds(300))
        // Each state as the kubelet's back-off of 10 s and 20 s shows it.
        let looks: [(Int, RolloutView)] = [
            (1, crashing(restarts: 0)), (2, running(restarts: 1)), (3, crashing(restarts: 1)),
            (13, running(restarts: 2)), (15, crashing(restarts: 2)), (30, crashing(restarts: 2)),
            (35, running(restarts: 3)), (55, running(restarts: 3)),
        ]
        for (second, look) in looks {
            let action = machine.observe(look, at: Self.start + .seconds(second))
            guard case .wait = action else { return #expect(Bool(false), "at \(second) s: \(action)") }
        }
        guard case .fail = machine.observe(crashing(restarts: 3), at: Self.start + .seconds(56)) else {
            return #expect(Bool(false), "four ends in a minute are a loop")
        }
    }

    @Test func aTryUnderWayIsWaitedForUntilTheDeadlineAndThenTheLoopIsTheCause() {
        var machine = RolloutMachine(startedAt: Self.start, patience: .seconds(60))
        for second in 0..<60 {
            let action = machine.observe(running(restarts: 4), at: Self.start + .seconds(second))
            guard case .wait(let until, _) = action else { return #expect(Bool(false), "\(action)") }
            #expect(until == machine.deadline)
        }
        guard case .fail(let diagnosis) = machine.observe(running(restarts: 4), at: machine.deadline) else {
            return #expect(Bool(false))
        }
        #expect(diagnosis.code == .crashLoop)
    }

    @Test func outOfMemoryAndAnEarlyGoodEndAreToldApartFromACrash() {
        for (code, reason, found, words) in [
            (137, "OOMKilled", Diagnosis.Code.outOfMemory, "more memory than its limit (2 restarts)"),
            (0, "Completed", .crashLoop, "exit code 0 (2 restarts)"),
        ] {
            var machine = RolloutMachine(startedAt: Self.start, patience: .seconds(60))
            let look = crashing(restarts: 2, code: code, reason)
            _ = machine.observe(look, at: Self.start)
            guard case .fail(let diagnosis) = machine.observe(look, at: Self.start + .seconds(10)) else {
                return #expect(Bool(false))
            }
            #expect(diagnosis.code == found && diagnosis.cause.contains(words))
        }
    }

    @Test(arguments: [
        ("manifest unknown", Diagnosis.Code.imageMissing), ("pull access denied", .registryDenies),
        ("connection refused", .imagePullFails),
    ])
    func aPullFailureHasAGraceAndThenItsCause(_ message: String, _ code: Diagnosis.Code) {
        var machine = RolloutMachine(startedAt: Self.start, patience: .seconds(300))
        let stuck = view([pod("new", revision: 2, status: waiting("ErrImagePull", message))])
        guard case .wait(let until, _) = machine.observe(stuck, at: Self.start) else { return #expect(Bool(false)) }
        guard case .fail(let diagnosis) = machine.observe(stuck, at: until) else { return #expect(Bool(false)) }
        #expect(diagnosis.code == code)
    }

    @Test func aReadinessProbeThatNeverPassesFailsAtTheDeadlineWithTheProbesWords() {
        var machine = RolloutMachine(startedAt: Self.start, patience: .seconds(20))
        let running: JSON = [
            "phase": "Running",
            "containerStatuses": [["name": "cart", "restartCount": 0, "state": ["running": [:]]]],
        ]
        let look = view(
            [pod("new", revision: 2, status: running)],
            events: [
                "new": [
                    .init(
                        reason: "Unhealthy",
                        message: "Readiness probe failed: HTTP probe failed with statuscode: 500"
                    )
                ]
            ]
        )
        guard case .wait(let until, _) = machine.observe(look, at: Self.start) else { return #expect(Bool(false)) }
        #expect(until == Self.start + .seconds(20))
        guard case .fail(let diagnosis) = machine.observe(look, at: until) else { return #expect(Bool(false)) }
        #expect(diagnosis.code == .readinessFails && diagnosis.cause.contains("statuscode: 500"))
    }

    @Test func aReadinessProbeThatNobodyHeardFromIsNamedAllTheSame() {
        var machine = RolloutMachine(startedAt: Self.start, patience: .seconds(20))
        var waiting = deployment()
        let probe: JSON = ["httpGet": ["path": "/healthz"]]
        waiting.json.set([["name": "cart", "readinessProbe": probe]], at: ["spec", "template", "spec", "containers"])
        let status: JSON = ["name": "cart", "ready": false, "state": ["running": [:]]]
        let running = pod("new", revision: 2, status: ["phase": "Running", "containerStatuses": [status]])
        let look = RolloutView(deployment: waiting, replicaSets: [replicaSet(revision: 2)], pods: [running])
        guard case .fail(let diagnosis) = machine.observe(look, at: machine.deadline) else {
            return #expect(Bool(false))
        }
        #expect(diagnosis.code == .readinessFails && diagnosis.cause.contains("HTTP GET /healthz"))
    }

    @Test func conditionsOfARolloutUnderWayAreNoRefusal() {
        var machine = RolloutMachine(startedAt: Self.start, patience: .seconds(60))
        var surging = deployment(replicas: 2)
        surging.json.set(
            [
                ["type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"],
                ["type": "ReplicaFailure", "status": "False", "message": "long over"],
            ],
            at: ["status", "conditions"]
        )
        let running: JSON = ["phase": "Running", "containerStatuses": [["name": "cart", "state": ["running": [:]]]]]
        let look = RolloutView(
            deployment: surging,
            replicaSets: [replicaSet(revision: 2)],
            pods: [pod("new", revision: 2, status: running)]
        )
        _ = machine.observe(look, at: Self.start)
        guard case .wait = machine.observe(look, at: Self.start + .seconds(30)) else { return #expect(Bool(false)) }
    }

    @Test func refusedPodsAreReportedFromTheDeployment() {
        var machine = RolloutMachine(startedAt: Self.start, patience: .seconds(60))
        var refused = deployment()
        refused.json.set(
            [
                [
                    "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
                    "message": "exceeded quota: small",
                ]
            ],
            at: ["status", "conditions"]
        )
        let look = RolloutView(deployment: refused, replicaSets: [replicaSet(revision: 2)], pods: [])
        _ = machine.observe(look, at: Self.start)
        guard case .fail(let diagnosis) = machine.observe(look, at: Self.start + .seconds(5)) else {
            return #expect(Bool(false))
        }
        #expect(diagnosis.code == .quotaExceeded && diagnosis.cause.contains("exceeded quota"))
    }
}
