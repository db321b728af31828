// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Model
import Ports
import TestKit
import Testing

@testable import Releases

@Suite("what is wrong with pods")
struct DiagnosisTests {
    private static let now = Timestamp(seconds: 1_800_000_000)

    private func workload(_ type: ResourceType = .deployments, _ json: JSON = [:]) -> KubeObject {
        var object = KubeObject(type, namespace: "shop", name: "cart")
        object.json.set("uid", at: ["metadata", "uid"])
        for (key, value) in json.object ?? [:] { object[key] = value }
        return object
    }

    private func pod(_ json: JSON) -> KubeObject {
        var pod = KubeObject(.pods, namespace: "shop", name: "cart-x")
        for (key, value) in json.object ?? [:] { pod[key] = value }
        return pod
    }

    private func view(
        _ object: KubeObject? = nil,
        _ type: ResourceType = .deployments,
        pods: [KubeObject] = [],
        events: [RolloutView.Event] = [],
        own: [RolloutView.Event] = []
    ) -> RolloutView {
        let object = object ?? workload(type)
        var view = RolloutView(
            ObjectReference(type, namespace: "shop", name: "cart"),
            object,
            health: Health.of(object, in: Health.Surroundings(now: Self.now)),
            pods: pods
        )
        view.events = ["cart-x": events]
        view.ownEvents = own
        return view
    }

    private func first(_ view: RolloutView) -> Diagnoser.Finding? {
        Diagnoser.findings(in: view, crashGrace: .seconds(10)).first
    }

    private static func waiting(_ reason: String, _ message: String = "", kind: String = "containerStatuses") -> JSON {
        let state: JSON = ["waiting": ["reason": .string(reason), "message": .string(message)]]
        return ["status": ["phase": "Pending", .init(kind): [["name": "web", "restartCount": 0, "state": state]]]]
    }

    @Test(arguments: [
        (waiting("ErrImageNeverPull", "x"), Diagnosis.Code.imageNeverPulled, 0),
        (waiting("SignatureValidationFailed", "x"), .signatureInvalid, 5),
        (waiting("ErrImagePull", "manifest unknown"), .imageMissing, 5),
        (waiting("ErrImagePull", "401 Unauthorized"), .registryDenies, 5),
        (waiting("ErrImagePull", "no matching manifest for linux/arm64"), .wrongArchitecture, 5),
        (waiting("ErrImagePull", "dial tcp: connection refused"), .imagePullFails, 60),
        (waiting("CreateContainerConfigError", #"secret "db" not found"#), .configurationMissing, 5),
        (waiting("RunContainerError", "exec /x: exec format error"), .wrongArchitecture, 0),
        (waiting("CreateContainerError", "no such file"), .cannotStart, 5),
        (waiting("PostStartHookError", "exit 1"), .hookFails, 5),
        (waiting("InvalidImageName", "x"), .imageNameInvalid, 0),
    ])
    func aWaitingContainerSaysWhy(_ status: JSON, _ code: Diagnosis.Code, _ grace: Int) {
        let found = first(view(pods: [pod(status)]))
        #expect(found?.diagnosis.code == code && found?.grace == .seconds(grace), "\(found as Any)")
        #expect(found?.diagnosis.pod == "cart-x" && found?.diagnosis.object?.name == "cart")
    }

    @Test func anInitContainerThatFailsIsNamedAsOne() {
        let ended: JSON = ["terminated": ["exitCode": 1, "reason": "Error"]]
        let status: JSON = [
            "name": "wait", "restartCount": 3, "state": ["waiting": ["reason": "CrashLoopBackOff"]], "lastState": ended,
        ]
        let found = first(view(pods: [pod(["status": ["phase": "Pending", "initContainerStatuses": [status]]])]))
        #expect(found?.diagnosis.code == .initFails)
        #expect(found?.diagnosis.cause == "the init container 'wait' keeps ending with exit code 1 (3 restarts)")
    }

    @Test func aSideCarIsNoInitContainer() {
        let ended: JSON = ["terminated": ["exitCode": 1, "reason": "Error"]]
        let status: JSON = [
            "name": "proxy", "restartCount": 3, "state": ["waiting": ["reason": "CrashLoopBackOff"]],
            "lastState": ended,
        ]
        let spec: JSON = ["initContainers": [["name": "proxy", "restartPolicy": "Always"]]]
        let sidecar = pod(["spec": spec, "status": ["phase": "Pending", "initContainerStatuses": [status]]])
        #expect(first(view(pods: [sidecar]))?.diagnosis.code == .crashLoop)
    }

    // MARK: Events

    @Test(arguments: [
        (
            #"MountVolume.SetUp failed for volume "cfg" : configmap "cart" not found"#, "FailedMount",
            Diagnosis.Code.configurationMissing, 10
        ),
        ("Unable to attach or mount volumes: timed out", "FailedMount", .volumeFails, 30),
        ("Multi-Attach error for volume \"pvc-1\"", "FailedAttachVolume", .volumeFails, 30),
        ("failed to set up sandbox: no addresses left", "FailedCreatePodSandBox", .sandboxFails, 30),
        (
            "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to start sandbox: write: no space left on device",
            "FailedCreatePodSandBox", .nodeDiskFull, 30
        ),
        (
            "network is not ready: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:cni plugin not initialized",
            "NetworkNotReady", .sandboxFails, 30
        ),
    ])
    func anEventTellsWhatKeepsAPodFromBeingSetUp(
        _ message: String,
        _ reason: String,
        _ code: Diagnosis.Code,
        _ grace: Int
    ) {
        let pending = pod(["status": ["phase": "Pending"]])
        let found = first(view(pods: [pending], events: [.init(reason: reason, message: message)]))
        #expect(found?.diagnosis.code == code && found?.grace == .seconds(grace), "\(found as Any)")
        let later: [RolloutView.Event] = [
            .init(reason: reason, message: message), .init(reason: "Pulled", message: ""),
        ]
        #expect(first(view(pods: [pending], events: later)) == nil)
    }

    @Test func aNodeThatDoesNotAnswerIsNamed() {
        let lost = pod(["spec": ["nodeName": "n1"], "status": ["phase": "Running"]])
        let event = RolloutView.Event(reason: "NodeNotReady", message: "Node is not ready")
        let found = first(view(pods: [lost], events: [event]))
        #expect(found?.diagnosis.code == .nodeGone && found?.diagnosis.cause.contains("'n1'") == true)
        #expect(first(view(pods: [lost], events: [event, .init(reason: "Started", message: "")])) == nil)
    }

    @Test func anEvictedPodCountsOnlyWhereItGoesOnAndOn() {
        func evicted(_ name: String) -> KubeObject {
            var pod = pod(["status": ["phase": "Failed", "reason": "Evicted", "message": "low on memory"]])
            pod.json.set(.string(name), at: ["metadata", "name"])
            return pod
        }
        let once = first(view(pods: [evicted("a")]))
        #expect(once?.diagnosis.code == .evicted && once?.grace == Diagnoser.untilTheDeadline)
        #expect(first(view(pods: [evicted("a"), evicted("b"), evicted("c")]))?.grace == .seconds(5))
    }

    // MARK: Refusals

    @Test(arguments: [
        (
            #"pods "cart-x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2"#,
            Diagnosis.Code.quotaExceeded
        ),
        (#"admission webhook "policy.example" denied the request: no latest tags"#, .admissionDenied),
        (#"pods "cart-x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot"#, .admissionDenied),
        (
            #"pods "cart-" is forbidden: error looking up service account shop/x: serviceaccount "x" not found"#,
            .serviceAccountMissing
        ),
        ("the server is not well", .podsRefused),
    ])
    func whyNoPodMayComeIsSortedByItsWords(_ message: String, _ code: Diagnosis.Code) {
        let refused = workload(
            .deployments,
            [
                "status": [
                    "conditions": [["type": "ReplicaFailure", "status": "True", "message": .string(message)]]
                ]
            ]
        )
        #expect(first(view(refused))?.diagnosis.code == code)
        // Stateful sets and Jobs tell by events alone.
        let event = RolloutView.Event(reason: "FailedCreate", message: "Error creating: \(message)")
        for type in [ResourceType.statefulSets, .jobs] {
            let found = first(view(workload(type), type, own: [event]))
            #expect(found?.diagnosis.code == code, "\(type)")
            let later = [event, RolloutView.Event(reason: "SuccessfulCreate", message: "")]
            #expect(first(view(workload(type), type, own: later)) == nil)
        }
    }

    // MARK: Texts of real nodes and servers

    /// A line of `Tests/Corpus/Diagnosis`: what must be found in the text behind the bar.
    private struct Recorded {
        /// Only in `start.txt`.
        var reason: String?
        var code: Int
        var grace: Duration
        var kept: String
        var text: String

        init?(_ line: Substring, hasReason: Bool) {
            guard let bar = line.firstRange(of: " | "), !line.hasPrefix("#") else { return nil }
            var words = line[..<bar.lowerBound].split(separator: " ", maxSplits: hasReason ? 3 : 2)
            if hasReason { reason = String(words.removeFirst()) }
            guard words.count == 3, let code = Int(words[0].dropFirst()), let grace = Int(words[1]) else { return nil }
            self.code = code
            self.grace = .seconds(grace)
            kept = String(words[2])
            text = String(line[bar.upperBound...])
        }
    }

    private static func recorded(_ name: String, hasReason: Bool = false) throws -> [Recorded] {
        let file = URL.ballastProject.appending(path: "Tests/Corpus/Diagnosis/\(name)")
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        let read = lines.compactMap { Recorded($0, hasReason: hasReason) }
        try #require(read.count == lines.count { !$0.hasPrefix("#") })
        return read
    }

    private func expect(_ found: Diagnoser.Finding?, toBe line: Recorded) {
        #expect(found?.diagnosis.code.rawValue == line.code, "\(line.text): \(found?.diagnosis.description ?? "")")
        #expect(found?.grace == line.grace, "\(line.text)")
        #expect(found?.diagnosis.cause.contains(line.kept) == true, "\(found?.diagnosis.cause ?? "")")
        #expect(found?.diagnosis.advice.isEmpty == false)
    }

    @Test func whyAnImageCannotBePulledIsReadOffTheWordsOfEveryRuntime() throws {
        for line in try Self.recorded("pull.txt") {
            for reason in ["ErrImagePull", "ImagePullBackOff", "ImageInspectError"] {
                expect(first(view(pods: [pod(Self.waiting(reason, line.text))])), toBe: line)
            }
        }
    }

    @Test func whyAContainerCannotStartIsReadOffTheWordsOfEveryRuntime() throws {
        for line in try Self.recorded("start.txt", hasReason: true) {
            for kind in ["containerStatuses", "initContainerStatuses"] {
                let found = first(view(pods: [pod(Self.waiting(line.reason ?? "", line.text, kind: kind))]))
                expect(found, toBe: line)
            }
        }
    }

    @Test func whyNoPodMayComeIsReadOffTheServersWords() throws {
        for line in try Self.recorded("refused.txt") {
            let event = RolloutView.Event(reason: "FailedCreate", message: "Error creating: \(line.text)")
            expect(first(view(own: [event])), toBe: line)
        }
    }

    @Test func theNextStepFitsTheWords() {
        func advice(_ message: String, _ reason: String = "ErrImagePull") -> String {
            first(view(pods: [pod(Self.waiting(reason, message))]))?.diagnosis.advice ?? ""
        }
        #expect(advice("denied: Your authorization token has expired.").contains("renew the Secret"))
        #expect(advice("dial tcp: lookup r.internal: no such host").contains("DNS"))
        #expect(advice("dial tcp 127.0.0.1:5000: connect: connection refused").contains("the node itself"))
        #expect(advice("unexpected status: 502 Bad Gateway").contains("look at the registry"))
        #expect(advice("http: server gave HTTP response to HTTPS client").contains("plain HTTP"))
        #expect(advice(#"exec: "/run.sh": permission denied"#, "RunContainerError").contains("executable"))
        #expect(advice("no command specified", "CreateContainerError").contains("entrypoint"))
    }

    @Test(arguments: ["OutOfcpu", "OutOfpods", "UnexpectedAdmissionError", "NodeAffinity"])
    func aNodeThatTakesAPodBackIsNamed(_ reason: String) {
        func refused(_ name: String) -> KubeObject {
            let status: JSON = ["phase": "Failed", "reason": .string(reason), "message": "Pod was rejected"]
            var pod = pod(["spec": ["nodeName": "n1"], "status": status])
            pod.json.set(.string(name), at: ["metadata", "name"])
            return pod
        }
        let found = first(view(pods: ["a", "b", "c"].map(refused)))
        #expect(found?.diagnosis.code == .nodeRefuses && found?.grace == .seconds(5))
        #expect(found?.diagnosis.cause == "the node 'n1' does not take the pod (\(reason)): Pod was rejected")
        #expect(first(view(pods: [refused("a")]))?.grace == Diagnoser.untilTheDeadline)
    }

    @Test func everyCodeStandsInItsTableWithACauseOfItsOwn() throws {
        let page = URL.ballastProject.appending(path: "docs/formats/release-events.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        for code in Diagnosis.Code.allCases {
            #expect(text.contains("| B\(code.rawValue)") || text.contains(", B\(code.rawValue) |"), "B\(code.rawValue)")
        }
    }

    // MARK: Scheduling

    private func unscheduled(_ message: String, volumes: JSON = []) -> KubeObject {
        let condition: JSON = [
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": .string(message),
        ]
        return pod(["spec": ["volumes": volumes], "status": ["phase": "Pending", "conditions": [condition]]])
    }

    @Test func theSchedulersReasonsAreCounted() {
        let message =
            "0/5 nodes are available: 1 Insufficient cpu, 3 node(s) had untolerated taint {a: b, c}, 1 node(s) were unschedulable. no new claims to deallocate, preemption: 0/5 nodes are available: 5 Preemption is not helpful for scheduling."
        let parsed = Unschedulable(message)
        #expect(parsed.nodes == 5)
        #expect(
            parsed.reasons == [
                .init(nodes: 3, text: "had untolerated taint {a: b, c}"), .init(nodes: 1, text: "Insufficient cpu"),
                .init(nodes: 1, text: "were unschedulable"),
            ]
        )
        let found = first(view(pods: [unscheduled(message)]))
        #expect(
            found?.diagnosis.cause
                == "no node takes the pod: of 5 nodes 3 have the taint {a: b, c}, 1 has too little cpu, 1 is closed to new pods"
        )
        #expect(found?.diagnosis.advice == "give the pods a toleration, or add nodes without the taint")
    }

    @Test(arguments: ["", "no nodes available to schedule pods", "0/x nodes are available", "0/2 nodes are available:"])
    func wordsThatAreNoCountAreGivenAsTheyAre(_ message: String) {
        #expect(Unschedulable(message).words == "no node takes the pod: \(message)")
    }

    /// Kubernetes 1.36 counts taints and does not name them.
    @Test func taintsWithoutNamesAndVolumesThatAreMissingAreSaidInWords() {
        let tail = ". no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful"
        let tainted = Unschedulable("0/1 nodes are available: 1 node(s) had untolerated taint(s)\(tail)")
        #expect(tainted.words == "the only node does not take the pod: it has taints that the pod does not tolerate")
        #expect(tainted.advice.contains("kubectl describe nodes"))
        let full = "1 node(s) didn't find available persistent volumes to bind"
        let claims = Unschedulable("0/1 nodes are available: \(full)\(tail)")
        #expect(claims.words == "the only node does not take the pod: it has no free volume that fits the pod's claims")
        #expect(claims.advice.contains("storage class"))
    }

    @Test func aClusterThatAddsANodeIsGivenTheTime() {
        let unscheduled = unscheduled("0/1 nodes are available: 1 Insufficient cpu.")
        #expect(first(view(pods: [unscheduled]))?.grace == .seconds(30))
        let growing = view(pods: [unscheduled], events: [.init(reason: "TriggeredScaleUp", message: "1->2")])
        #expect(first(growing)?.grace == Diagnoser.untilTheDeadline)
    }

    @Test func aClaimThatKeepsAPodFromItsNodeIsTheCause() {
        let volumes: JSON = [["name": "data", "persistentVolumeClaim": ["claimName": "data"]]]
        var unbound = view(
            pods: [
                unscheduled(
                    "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
                    volumes: volumes
                )
            ]
        )
        unbound.openClaims = ["data": "storageclass.storage.k8s.io \"fast\" not found"]
        #expect(first(unbound)?.diagnosis.code == .claimPending)
        #expect(first(unbound)?.diagnosis.cause.contains("\"fast\" not found") == true)
        #expect(first(unbound)?.grace == .seconds(10), "no class can serve it")
        let missing = unscheduled(#"0/1 nodes are available: persistentvolumeclaim "data" not found."#)
        #expect(first(view(pods: [missing]))?.diagnosis.cause == "the claim 'data' that the pod mounts does not exist")
    }

    // MARK: Jobs

    @Test func aJobThatFailedTellsOfItsLastPod() {
        let job = workload(
            .jobs,
            [
                "status": [
                    "startTime": "2027-01-15T08:00:00Z", "failed": 2,
                    "conditions": [["type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"]],
                ]
            ]
        )
        let ended: JSON = ["name": "migrate", "state": ["terminated": ["exitCode": 3, "reason": "Error"]]]
        let found = first(view(job, .jobs, pods: [pod(["status": ["phase": "Failed", "containerStatuses": [ended]]])]))
        #expect(found?.diagnosis.code == .jobFails && found?.grace == .zero)
        #expect(found?.diagnosis.cause == "the Job 'cart' failed after 2 tries: 'migrate' ended with exit code 3")
        #expect(found?.diagnosis.container == "migrate")
    }

    @Test func aJobThatTookTooLongIsNoCrash() {
        let job = workload(
            .jobs,
            [
                "spec": ["activeDeadlineSeconds": 7],
                "status": ["conditions": [["type": "Failed", "status": "True", "reason": "DeadlineExceeded"]]],
            ]
        )
        #expect(first(view(job, .jobs))?.diagnosis.code == .jobTooSlow)
    }

    @Test func aJobMayTryAgainForAsLongAsItSays() {
        let crashing: JSON = [
            "name": "migrate", "restartCount": 4, "state": ["waiting": ["reason": "CrashLoopBackOff"]],
            "lastState": ["terminated": ["exitCode": 3]],
        ]
        let running = workload(.jobs, ["status": ["startTime": "2027-01-15T08:00:00Z"]])
        let pods = [pod(["status": ["phase": "Running", "containerStatuses": [crashing]]])]
        #expect(first(view(running, .jobs, pods: pods))?.grace == Diagnoser.untilTheDeadline)
    }

    @Test func codesAreEachOfTheirOwn() {
        #expect(Set(Diagnosis.Code.allCases.map(\.rawValue)).count == Diagnosis.Code.allCases.count)
        // What was published stays.
        #expect(Diagnosis.Code(rawValue: 204) == .configurationMissing && Diagnosis.Code(rawValue: 502) == .unreachable)
    }
}
