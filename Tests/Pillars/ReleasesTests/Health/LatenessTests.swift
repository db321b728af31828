// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import Releases

@Suite("pods that are late")
struct LatenessTests {
    private func late(_ pod: JSON, events: [RolloutView.Event] = []) -> Diagnosis {
        var object = KubeObject(.pods, namespace: "shop", name: "cart-x")
        for (key, value) in pod.object ?? [:] { object[key] = value }
        let reference = ObjectReference(.deployments, namespace: "shop", name: "cart")
        var workload = KubeObject(.deployments, namespace: "shop", name: "cart")
        workload["spec"] = ["replicas": 1]
        var view = RolloutView(reference, workload, health: .inProgress("LessReady", "none is ready"), pods: [object])
        view.events = ["cart-x": events]
        let diagnosis = Lateness(view: view, patience: .seconds(60)).diagnosis
        #expect(diagnosis.pod == "cart-x" && diagnosis.object == reference)
        #expect(diagnosis.code.failure == (diagnosis.code == .unschedulable ? .fault : .deadlineExceeded))
        return diagnosis
    }

    private static func initialising(_ policy: JSON? = nil) -> JSON {
        var container: JSON = ["name": "wait"]
        if let policy { container["restartPolicy"] = policy }
        return [
            "spec": ["initContainers": [container]],
            "status": ["phase": "Pending", "initContainerStatuses": [["name": "wait", "state": ["running": [:]]]]],
        ]
    }

    @Test func anInitContainerThatStillRunsIsAskedForItsLastLines() {
        let found = late(Self.initialising())
        #expect(found.code == .initTooSlow && found.container == "wait" && found.code.isOfAProgram)
        #expect(found.cause == "the init container 'wait' still runs after 60 s")
        // A side-car is meant to.
        let sidecar = late(Self.initialising("Always"))
        #expect(sidecar.code == .deadline, "\(sidecar)")
    }

    @Test func aPullThatStillGoesOnIsNoFailingOne() {
        let pulling = RolloutView.Event(reason: "Pulling", message: #"Pulling image "registry.internal/big:1""#)
        let found = late(["status": ["phase": "Pending"]], events: [pulling])
        #expect(found.code == .pullTooSlow && found.cause.hasSuffix(pulling.message), "\(found)")
        let done = late(["status": ["phase": "Pending"]], events: [pulling, .init(reason: "Pulled", message: "")])
        #expect(done.code == .deadline)
    }

    @Test func aProbeThatFailsWithoutAWordIsSaidToHaveNone() {
        func said(_ message: String) -> String {
            let event = RolloutView.Event(reason: "Unhealthy", message: message)
            return late(["status": ["phase": "Running"]], events: [event]).cause
        }
        #expect(said("Readiness probe failed: ").hasSuffix("within 60 s: Readiness probe failed without a word"))
        #expect(said("Readiness probe failed: no such file").hasSuffix(": Readiness probe failed: no such file"))
    }

    @Test func gatesAreNamedWithWhoeverSetsThem() {
        let held = late(["spec": ["schedulingGates": [["name": "example.org/quota"]]], "status": ["phase": "Pending"]])
        #expect(held.code == .unschedulable && held.cause.contains("'example.org/quota'"))
        func waiting(_ isMet: Bool) -> Diagnosis {
            let conditions: [JSON] = [
                ["type": "ContainersReady", "status": "True"],
                ["type": "lb.example.org/target", "status": .string(isMet ? "True" : "False")],
            ]
            return late([
                "spec": ["readinessGates": [["conditionType": "lb.example.org/target"]]],
                "status": ["phase": "Running", "conditions": .array(conditions)],
            ])
        }
        #expect(waiting(false).code == .readinessGateOpen && waiting(false).cause.contains("'lb.example.org/target'"))
        #expect(waiting(true).code == .deadline)
    }
}
