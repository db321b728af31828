// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

/// What a pod's status may not say, what its making must agree with, and when a Deployment counts a generation.
@Suite("pod status and admission")
struct PodStatusRuleTests {
    private static let pods = "/api/v1/namespaces/default/pods"

    private func server() async throws -> TestServer {
        try await TestServer {
            $0.requiresServiceAccounts = false
            $0.refusesUnsupportedPods = false
        }
    }

    private func pod(_ spec: JSONObject = [:]) -> JSON {
        var whole: JSON = ["containers": [["name": "c", "image": "i"]]]
        for (member, value) in spec { whole[member] = value }
        return ["metadata": ["name": "p"], "spec": whole]
    }

    @Test(
        "a status that cannot follow the former one is refused",
        arguments: [
            (
                ["observedGeneration": -1],
                "status.observedGeneration: Invalid value: -1: must be a non-negative integer"
            ),
            (["qosClass": "Guaranteed"], #"status.qosClass: Invalid value: "Guaranteed": field is immutable"#),
            (
                ["containerStatuses": [["name": "c", "image": "i", "state": ["running": [:]]]]],
                "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state"
            ),
        ] as [(JSON, String)]
    )
    func refusedStatus(_ status: JSON, _ problem: String) async throws {
        let test = try await server()
        #expect(await test.send("POST", Self.pods, pod(["restartPolicy": "Never"])).status == 201)
        let ended: JSON = ["name": "c", "image": "i", "state": ["terminated": ["exitCode": 0]]]
        let path = "\(Self.pods)/p/status"
        let merge = "application/merge-patch+json"
        let first = await test.send("PATCH", path, ["status": ["containerStatuses": [ended]]], contentType: merge)
        #expect(first.status == 200, "\(first.message)")
        let answer = await test.send("PATCH", path, ["status": status], contentType: merge)
        #expect(answer.status == 422)
        #expect(answer.message == #"Pod "p" is invalid: \#(problem)"#)
    }

    @Test func whatClassesDecideIsNotThePodsToSay() async throws {
        let test = try await server()
        for (spec, words) in [
            (["runtimeClassName": "none"], #"pods "p" is forbidden: pod rejected: RuntimeClass "none" not found"#),
            (
                ["overhead": ["cpu": "1"]],
                #"pods "p" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"#
            ),
            (
                ["preemptionPolicy": "Never"],
                #"pods "p" is forbidden: the string value of PreemptionPolicy (Never) must not be provided in pod spec; "#
                    + "priority admission controller computed PreemptLowerPriority from the given PriorityClass name"
            ),
        ] as [(JSONObject, String)] {
            let answer = await test.send("POST", Self.pods, pod(spec))
            #expect(answer.status == 403)
            #expect(answer.message == words)
        }
    }

    @Test func annotationsOfADeploymentCountAsAGeneration() async throws {
        let test = try await server()
        let path = "/apis/apps/v1/namespaces/default/deployments"
        let template: JSON = [
            "metadata": ["labels": ["a": "b"]], "spec": ["containers": [["name": "c", "image": "i"]]],
        ]
        let spec: JSON = ["selector": ["matchLabels": ["a": "b"]], "template": template]
        #expect(await test.send("POST", path, ["metadata": ["name": "d"], "spec": spec]).status == 201)
        for (member, generation) in [("labels", 1), ("annotations", 2)] {
            let change: JSON = ["metadata": [member: ["k": "v"]]]
            let answer = await test.send("PATCH", "\(path)/d", change, contentType: "application/merge-patch+json")
            #expect(answer.json[path: "metadata", "generation"]?.int == generation)
        }
    }

    @Test func headIsNoWayToReadAnObject() async throws {
        let test = try await server()
        #expect(await test.send("HEAD", "/api/v1/namespaces/default").status == 405)
    }
}
