// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import PodRuntime

@Suite("the machine of a pod")
struct PodMachineTests {
    private static let start = Timestamp(seconds: 1_800_000_000)

    private func pod(_ spec: JSON, status: JSON = [:]) -> PodSpec {
        var object = KubeObject(.pods, namespace: "shop", name: "web")
        object.json.set("u-1", at: ["metadata", "uid"])
        object["spec"] = spec
        object["status"] = status
        return PodSpec(object)
    }

    private func container(_ name: String, _ more: JSON = [:]) -> JSON {
        var container: JSON = ["name": .string(name), "image": "r.test/a:1"]
        for (key, value) in more.object ?? [:] { container[key] = value }
        return container
    }

    private func at(_ seconds: Int64) -> Timestamp { Self.start + .seconds(seconds) }

    private func launch(_ id: String, at seconds: Int64 = 0, hook: Bool = false) -> Launch {
        Launch(id: ContainerID(id), imageID: "r.test/a@sha256:1", startedAt: at(seconds), hasPostStart: hook)
    }

    private func end(_ id: String, _ code: Int, at seconds: Int64) -> Termination {
        Termination(
            id: ContainerID(id),
            exitCode: code,
            reason: code == 0 ? "Completed" : "Error",
            message: nil,
            startedAt: nil,
            finishedAt: at(seconds)
        )
    }

    /// A machine whose sandbox is there.
    private func ready(_ spec: JSON, status: JSON = [:]) -> (machine: PodMachine, actions: [PodMachine.Action]) {
        var machine = PodMachine(pod(spec, status: status), at: Self.start)
        _ = machine.handle(.tick, at: Self.start)
        let actions = machine.handle(.setUpFinished, at: Self.start)
        return (machine, actions)
    }

    private func state(_ machine: PodMachine, _ index: Int = 0, in list: String = "containerStatuses") -> JSON {
        machine.status(addresses: ["10.0.0.2"], host: "10.0.0.1", previous: [:], at: Self.start)[list]?[index] ?? [:]
    }

    @Test func containersStartOneAfterTheOther() {
        let spec: JSON = ["containers": .array([container("a"), container("b")])]
        var machine = PodMachine(pod(spec), at: Self.start)
        #expect(machine.handle(.tick, at: at(0)) == [.setUp])
        #expect(state(machine)[path: "state", "waiting", "reason"] == "ContainerCreating")
        #expect(machine.handle(.setUpFinished, at: at(0)) == [.launch(0, attempt: 0)])
        #expect(
            machine.handle(.launched(0, launch("a")), at: at(1)) == [
                .probe(0, ContainerID("a")), .launch(1, attempt: 0),
            ]
        )
        #expect(machine.phase == "Pending")
        #expect(machine.handle(.launched(1, launch("b")), at: at(2)) == [.probe(1, ContainerID("b"))])
        #expect(machine.phase == "Running" && machine.deadline == nil)
    }

    @Test func aPostStartHookHoldsTheNextContainerBack() {
        var (machine, _) = ready(["containers": .array([container("a"), container("b")])])
        #expect(machine.handle(.launched(0, launch("a", hook: true)), at: at(1)) == [.probe(0, ContainerID("a"))])
        #expect(machine.handle(.hookFinished(0, ContainerID("a"), failure: nil), at: at(2)) == [.launch(1, attempt: 0)])
    }

    @Test func initialContainersRunToTheirEndsInOrder() {
        let spec: JSON = [
            "initContainers": .array([container("one"), container("two")]), "containers": .array([container("main")]),
        ]
        var (machine, actions) = ready(spec)
        #expect(actions == [.launch(0, attempt: 0)])
        #expect(state(machine)[path: "state", "waiting", "reason"] == "PodInitializing")
        _ = machine.handle(.launched(0, launch("1")), at: at(0))
        #expect(machine.handle(.exited(0, end("1", 0, at: 1)), at: at(1)) == [.launch(1, attempt: 0)])
        _ = machine.handle(.launched(1, launch("2")), at: at(1))
        #expect(!machine.isInitialized && machine.phase == "Pending")
        #expect(machine.handle(.exited(1, end("2", 0, at: 2)), at: at(2)) == [.launch(2, attempt: 0)])
        #expect(machine.isInitialized)
    }

    @Test func aFailedInitialContainerFailsAPodThatNeverRestarts() {
        let spec: JSON = [
            "restartPolicy": "Never", "initContainers": .array([container("one")]),
            "containers": .array([container("main")]),
        ]
        var (machine, _) = ready(spec)
        _ = machine.handle(.launched(0, launch("1")), at: at(0))
        #expect(machine.handle(.exited(0, end("1", 2, at: 1)), at: at(1)) == [.tearDown])
        #expect(machine.phase == "Failed")
    }

    @Test func aSidecarStartsBeforeTheMainContainerAndEndsAfterIt() {
        let spec: JSON = [
            "restartPolicy": "Never",
            "initContainers": .array([container("proxy", ["restartPolicy": "Always"])]),
            "containers": .array([container("main")]),
        ]
        var (machine, _) = ready(spec)
        #expect(
            machine.handle(.launched(0, launch("p")), at: at(0)) == [
                .probe(0, ContainerID("p")), .launch(1, attempt: 0),
            ]
        )
        _ = machine.handle(.launched(1, launch("m")), at: at(1))
        let actions = machine.handle(.exited(1, end("m", 0, at: 5)), at: at(5))
        #expect(actions == [.stop(0, ContainerID("p"), grace: .seconds(30), because: .podStops)])
        #expect(machine.handle(.exited(0, end("p", 143, at: 6)), at: at(6)) == [.tearDown])
        #expect(machine.phase == "Succeeded")
    }

    @Test func restartsAreImmediateThenDelayedByTenSecondsDoubledUpToFiveMinutes() {
        var (machine, _) = ready(["containers": .array([container("a")])])
        var now: Int64 = 0
        var delays: [Int64] = []
        for attempt in 0..<8 {
            let id = "c\(attempt)"
            _ = machine.handle(.launched(0, launch(id, at: now)), at: at(now))
            let actions = machine.handle(.exited(0, end(id, 1, at: now)), at: at(now))
            if actions.contains(.launch(0, attempt: attempt + 1)) {
                delays.append(0)
                continue
            }
            let wait = (machine.deadline ?? Self.start) - at(now)
            delays.append(wait.components.seconds)
            #expect(state(machine)[path: "state", "waiting", "reason"] == "CrashLoopBackOff")
            #expect(state(machine)[path: "lastState", "terminated", "exitCode"] == 1)
            now += wait.components.seconds
            #expect(machine.handle(.tick, at: at(now)) == [.launch(0, attempt: attempt + 1)])
        }
        #expect(delays == [0, 10, 20, 40, 80, 160, 300, 300])
        #expect(machine.phase == "Running")
    }

    @Test func aContainerThatRanForTenMinutesStartsOver() {
        var backoff = RestartBackoff()
        #expect(backoff.fail(at: at(0)) == .zero)
        #expect(backoff.fail(at: at(5)) == .seconds(10))
        #expect(backoff.fail(at: at(20)) == .seconds(20))
        #expect(backoff.fail(at: at(20 + 20 + 601)) == .zero)
        #expect(backoff.fail(at: at(650)) == .seconds(10))
    }

    @Test func restartPoliciesDecideByExitCode() {
        for (policy, code, phase, restarts) in [
            ("Never", 0, "Succeeded", false), ("Never", 1, "Failed", false), ("OnFailure", 0, "Succeeded", false),
            ("OnFailure", 1, "Running", true), ("Always", 0, "Running", true),
        ] {
            var (machine, _) = ready(["restartPolicy": .string(policy), "containers": .array([container("a")])])
            _ = machine.handle(.launched(0, launch("a")), at: at(0))
            let actions = machine.handle(.exited(0, end("a", code, at: 1)), at: at(1))
            #expect(machine.phase == phase, "\(policy) \(code)")
            #expect(actions == (restarts ? [.launch(0, attempt: 1)] : [.tearDown]), "\(policy) \(code)")
        }
    }

    @Test func imagesThatCannotBePulledAreTriedEverLessOften() {
        var (machine, _) = ready(["containers": .array([container("a"), container("b")])])
        let failure = LaunchFailure(stage: .image, reason: "ErrImagePull", message: "no such tag")
        let actions = machine.handle(.launchFailed(0, failure), at: at(0))
        let image = ContainerSpec(container("a"), isInitial: false)
        #expect(
            actions == [
                .record(
                    PodEvent(.warning, "Failed", "Failed to pull image \"r.test/a:1\": no such tag", container: image)
                ),
                .record(PodEvent(.warning, "Failed", "Error: ErrImagePull", container: image)), .launch(1, attempt: 0),
            ]
        )
        #expect(state(machine)[path: "state", "waiting", "reason"] == "ErrImagePull")
        _ = machine.handle(.launched(1, launch("b")), at: at(1))
        #expect(machine.phase == "Pending")
        _ = machine.handle(.tick, at: at(2))
        #expect(state(machine)[path: "state", "waiting", "reason"] == "ImagePullBackOff")
        #expect(
            state(machine)[path: "state", "waiting", "message"]
                == "Back-off pulling image \"r.test/a:1\": ErrImagePull: no such tag"
        )
        #expect(machine.deadline == at(10))
        #expect(machine.handle(.tick, at: at(10)) == [.launch(0, attempt: 0)])
        _ = machine.handle(.launchFailed(0, failure), at: at(10))
        _ = machine.handle(.tick, at: at(12))
        #expect(machine.deadline == at(30))
        #expect(state(machine)["restartCount"] == 0)
    }

    @Test func aMissingReferenceIsTriedAgainWhenSomethingChanges() {
        var (machine, _) = ready(["containers": .array([container("a")])])
        let failure = LaunchFailure(
            stage: .configuration,
            reason: "CreateContainerConfigError",
            message: "secret \"x\" not found"
        )
        _ = machine.handle(.launchFailed(0, failure), at: at(0))
        #expect(machine.deadline == at(10) && machine.phase == "Pending")
        #expect(machine.handle(.referencesChanged, at: at(1)) == [.launch(0, attempt: 0)])
    }

    @Test func aProgramThatCannotBeStartedCountsAsARun() {
        var (machine, _) = ready(["containers": .array([container("a")])])
        let failure = LaunchFailure(
            stage: .start,
            reason: "RunContainerError",
            message: "no such file",
            id: ContainerID("x")
        )
        let actions = machine.handle(.launchFailed(0, failure), at: at(0))
        #expect(actions.last == .launch(0, attempt: 1))
        #expect(state(machine)[path: "state", "waiting", "reason"] == "RunContainerError")
        _ = machine.handle(.launchFailed(0, failure), at: at(1))
        #expect(state(machine)[path: "state", "waiting", "reason"] == "CrashLoopBackOff")
        #expect(state(machine)[path: "lastState", "terminated", "reason"] == "StartError")
        #expect(state(machine)[path: "lastState", "terminated", "exitCode"] == 128)
        #expect(state(machine)["restartCount"] == 1)
    }

    @Test func probesDecideReadinessAndRestarts() {
        let probes: JSON = [
            "readinessProbe": [:], "livenessProbe": ["terminationGracePeriodSeconds": 3], "startupProbe": [:],
        ]
        var (machine, _) = ready(["containers": .array([container("a", probes)])])
        let id = ContainerID("a")
        _ = machine.handle(.launched(0, launch("a")), at: at(0))
        #expect(state(machine)["started"] == false && state(machine)["ready"] == false)
        _ = machine.handle(.probed(0, id, .startup, succeeds: true), at: at(1))
        #expect(state(machine)["started"] == true && state(machine)["ready"] == false)
        _ = machine.handle(.probed(0, id, .readiness, succeeds: true), at: at(2))
        #expect(state(machine)["ready"] == true)
        #expect(machine.handle(.probed(0, ContainerID("old"), .readiness, succeeds: false), at: at(3)) == [])
        #expect(state(machine)["ready"] == true)
        #expect(
            machine.handle(.probed(0, id, .liveness, succeeds: false), at: at(4))
                == [.stop(0, id, grace: .seconds(3), because: .probeFailed(.liveness))]
        )
        #expect(machine.handle(.exited(0, end("a", 137, at: 5)), at: at(5)) == [.launch(0, attempt: 1)])
        #expect(state(machine)["ready"] == false)
    }

    @Test func deletionStopsWhatRunsAndCutsShortWhatStarts() {
        var (machine, _) = ready(["containers": .array([container("a"), container("b")])])
        _ = machine.handle(.launched(0, launch("a")), at: at(0))
        let actions = machine.handle(.deletionRequested(grace: .seconds(30)), at: at(1))
        #expect(actions == [.cancelLaunch(1), .stop(0, ContainerID("a"), grace: .seconds(30), because: .podStops)])
        #expect(
            machine.handle(.deletionRequested(grace: .seconds(1)), at: at(2))
                == [.stop(0, ContainerID("a"), grace: .seconds(1), because: .podStops)]
        )
        #expect(machine.handle(.deletionRequested(grace: .seconds(20)), at: at(2)) == [])
        #expect(machine.handle(.exited(0, end("a", 0, at: 3)), at: at(3)) == [])
        // The launch was too far to be cut short: the container is stopped at once.
        #expect(
            machine.handle(.launched(1, launch("b")), at: at(3))
                == [.stop(1, ContainerID("b"), grace: .seconds(1), because: .podStops)]
        )
        #expect(machine.handle(.exited(1, end("b", 137, at: 4)), at: at(4)) == [.tearDown])
        #expect(machine.phase == "Failed")
        #expect(machine.handle(.tornDown, at: at(5)) == [.deleteObject])
        #expect(machine.handle(.tick, at: at(5)) == [])
        #expect(machine.handle(.objectDeleted, at: at(6)) == [.leave])
    }

    @Test func aPodWithoutAnObjectIsClearedAwayQuietly() {
        var (machine, _) = ready(["containers": .array([container("a")])])
        _ = machine.handle(.launched(0, launch("a")), at: at(0))
        _ = machine.handle(.vanished(grace: .zero), at: at(1))
        #expect(machine.handle(.exited(0, end("a", 137, at: 2)), at: at(2)) == [.tearDown])
        #expect(machine.handle(.tornDown, at: at(3)) == [.leave])
    }

    @Test func aPodThatEndedWaitsForItsDeletion() {
        var (machine, _) = ready(["restartPolicy": "Never", "containers": .array([container("a")])])
        _ = machine.handle(.launched(0, launch("a")), at: at(0))
        _ = machine.handle(.exited(0, end("a", 0, at: 1)), at: at(1))
        #expect(machine.handle(.tornDown, at: at(2)) == [])
        #expect(machine.handle(.deletionRequested(grace: .zero), at: at(9)) == [.deleteObject])
        #expect(machine.handle(.shutDown(grace: .zero), at: at(9)) == [.leave])
    }

    @Test func aContainerWithAnotherImageStartsAgainWhateverThePolicy() {
        var (machine, _) = ready(["restartPolicy": "Never", "containers": .array([container("a")])])
        _ = machine.handle(.launched(0, launch("a")), at: at(0))
        let changed = pod(["restartPolicy": "Never", "containers": .array([container("a", ["image": "r.test/a:2"])])])
        #expect(
            machine.handle(.changed(changed), at: at(1))
                == [.stop(0, ContainerID("a"), grace: .seconds(30), because: .definitionChanged)]
        )
        #expect(machine.handle(.changed(changed), at: at(1)) == [])
        #expect(machine.handle(.exited(0, end("a", 143, at: 2)), at: at(2)) == [.launch(0, attempt: 1)])
        #expect(machine.containers[0].spec.image == "r.test/a:2")
    }

    @Test func theActiveDeadlineFailsThePod() {
        var (machine, _) = ready(["activeDeadlineSeconds": 60, "containers": .array([container("a")])])
        _ = machine.handle(.launched(0, launch("a")), at: at(0))
        #expect(machine.deadline == at(60))
        let actions = machine.handle(.tick, at: at(60))
        #expect(actions.last == .stop(0, ContainerID("a"), grace: .seconds(30), because: .podStops))
        #expect(machine.handle(.exited(0, end("a", 143, at: 61)), at: at(61)) == [.tearDown])
        let status = machine.status(addresses: [], host: "h", previous: [:], at: at(62))
        #expect(status["phase"] == "Failed" && status["reason"] == "DeadlineExceeded")
    }

    @Test func aPodThatKeepsTooMuchOnDiskIsEvicted() {
        var (machine, _) = ready(["containers": .array([container("a")])])
        _ = machine.handle(.launched(0, launch("a")), at: at(0))
        let message = "Usage of EmptyDir volume \"x\" exceeds the limit \"1Mi\". "
        #expect(
            machine.handle(.exceeded(message: message), at: at(10)) == [
                .record(PodEvent(.warning, "Evicted", message)),
                .stop(0, ContainerID("a"), grace: .seconds(1), because: .podStops),
            ]
        )
        #expect(machine.handle(.exceeded(message: message), at: at(20)) == [])
        #expect(machine.handle(.exited(0, end("a", 137, at: 21)), at: at(21)) == [.tearDown])
        let status = machine.status(addresses: [], host: "h", previous: [:], at: at(22))
        #expect(status["phase"] == "Failed" && status["reason"] == "Evicted")
        #expect(status["message"] == .string(message))
    }

    @Test func setUpIsRetriedWithGrowingDelays() {
        var machine = PodMachine(pod(["containers": .array([container("a")])]), at: Self.start)
        _ = machine.handle(.tick, at: at(0))
        let failure = PodMachine.Event.setUpFailed(reason: "FailedMount", message: "no")
        #expect(machine.handle(failure, at: at(0)) == [.record(PodEvent(.warning, "FailedMount", "no"))])
        #expect(machine.deadline == at(1))
        #expect(machine.handle(.tick, at: at(1)) == [.setUp])
        _ = machine.handle(failure, at: at(1))
        #expect(machine.deadline == at(3))
        #expect(machine.handle(.deletionRequested(grace: .zero), at: at(2)) == [.tearDown])
    }

    @Test func whatRanBeforeTheNodeStoppedStartsAgain() {
        let status: JSON = [
            "phase": "Running", "startTime": "2027-01-01T00:00:00Z",
            "initContainerStatuses": [
                ["name": "one", "restartCount": 0, "containerID": "runc://1", "state": ["terminated": ["exitCode": 0]]]
            ],
            "containerStatuses": [
                [
                    "name": "a", "restartCount": 4, "containerID": "runc://2",
                    "state": ["running": ["startedAt": "2027-01-01T00:00:01Z"]],
                ]
            ],
        ]
        let spec: JSON = ["initContainers": .array([container("one")]), "containers": .array([container("a")])]
        var (machine, actions) = ready(spec, status: status)
        #expect(actions == [.launch(0, attempt: 1)])
        #expect(machine.startTime.description == "2027-01-01T00:00:00Z")
        _ = machine.handle(.launched(0, launch("i")), at: at(1))
        #expect(machine.handle(.exited(0, end("i", 0, at: 2)), at: at(2)) == [.launch(1, attempt: 5)])
        _ = machine.handle(.launched(1, launch("b")), at: at(3))
        #expect(state(machine)["restartCount"] == 5)
        #expect(state(machine)[path: "lastState", "terminated", "reason"] == "Unknown")
    }

    @Test func aJobsPodThatWasLostHasFailedAndOneThatEndedStaysEnded() {
        let lost: JSON = [
            "phase": "Running",
            "containerStatuses": [
                ["name": "a", "restartCount": 0, "containerID": "runc://2", "state": ["running": [:]]]
            ],
        ]
        let spec: JSON = ["restartPolicy": "Never", "containers": .array([container("a")])]
        let machine = PodMachine(pod(spec, status: lost), at: Self.start)
        #expect(machine.isTerminal && machine.phase == "Failed")
        let ended: JSON = [
            "phase": "Failed", "reason": "DeadlineExceeded",
            "containerStatuses": [
                ["name": "a", "restartCount": 0, "containerID": "runc://2", "state": ["terminated": ["exitCode": 143]]]
            ],
        ]
        var other = PodMachine(pod(["containers": .array([container("a")])], status: ended), at: Self.start)
        #expect(other.handle(.tick, at: at(0)) == [] && other.phase == "Failed")
    }

    @Test func conditionsKeepTheTimesOfWhatDidNotChange() {
        var (machine, _) = ready([
            "containers": .array([container("a")]), "readinessGates": [["conditionType": "x/gate"]],
        ])
        let scheduled: JSON = ["type": "PodScheduled", "status": "True", "lastTransitionTime": "2020-01-01T00:00:00Z"]
        let first = machine.status(addresses: [], host: "h", previous: ["conditions": [scheduled]], at: at(0))
        _ = machine.handle(.launched(0, launch("a")), at: at(5))
        let second = machine.status(addresses: [], host: "h", previous: first, at: at(5))
        func time(_ status: JSON, _ type: String) -> JSON? {
            status["conditions"]?.array?.first { $0["type"]?.string == type }?["lastTransitionTime"]
        }
        #expect(time(second, "PodScheduled") == "2020-01-01T00:00:00Z")
        #expect(time(second, "Initialized") == time(first, "Initialized"))
        #expect(time(second, "ContainersReady") == .string(at(5).description))
        let ready = second["conditions"]?.array?.first { $0["type"]?.string == "Ready" }
        #expect(ready?["reason"] == "ReadinessGatesNotReady")
        #expect(second["conditions"]?.array?.count == 5)
    }
}
