// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

struct TableTests {
    @Test(
        "ages are shown in at most two units",
        arguments: [
            (-5, "<invalid>"), (-1, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (190, "3m10s"), (600, "10m"),
            (10_799, "179m"), (10_800, "3h"), (11_100, "3h5m"), (28_800, "8h"), (172_799, "47h"), (172_800, "2d"),
            (187_200, "2d4h"), (691_200, "8d"), (63_071_999, "729d"), (63_072_000, "2y"), (63_936_000, "2y10d"),
            (315_360_000, "10y"),
        ]
    )
    func ages(seconds: Int, text: String) {
        #expect(Age.text(.seconds(seconds)) == text)
    }

    private func summary(
        _ status: JSON,
        spec: JSON = ["containers": [["name": "a"], ["name": "b"]]],
        leaving: Bool = false
    ) -> PodSummary {
        var pod: JSON = ["metadata": [:], "spec": spec, "status": status]
        if leaving { pod.set("2027-01-01T00:00:00Z", at: ["metadata", "deletionTimestamp"]) }
        return PodSummary(pod)
    }

    @Test("a pod's status is what its containers are at")
    func podStatus() {
        let running: JSON = ["running": [:]]
        func container(_ name: String, _ state: JSON, ready: Bool = false) -> JSON {
            ["name": .string(name), "state": state, "ready": .bool(ready), "restartCount": 0]
        }
        let crashing = container("b", ["waiting": ["reason": "CrashLoopBackOff"]])
        let mixed = summary([
            "phase": "Running", "containerStatuses": [container("a", running, ready: true), crashing],
        ])
        #expect(mixed.reason == "CrashLoopBackOff")
        #expect(mixed.ready == 1)
        #expect(mixed.total == 2)
        let exited = container("b", ["terminated": ["exitCode": 3]])
        #expect(summary(["phase": "Running", "containerStatuses": [exited]]).reason == "ExitCode:3")
        let killed = container("b", ["terminated": ["signal": 9, "exitCode": 137]])
        #expect(summary(["phase": "Running", "containerStatuses": [killed]]).reason == "Signal:9")
        let done = container("b", ["terminated": ["exitCode": 0, "reason": "Completed"]])
        #expect(
            summary(["phase": "Running", "containerStatuses": [container("a", running, ready: true), done]]).reason
                == "NotReady"
        )
        #expect(summary(["phase": "Running"], leaving: true).reason == "Terminating")
        #expect(summary(["phase": "Failed", "reason": "Evicted"]).reason == "Evicted")
    }

    @Test("init containers say how far they are")
    func initContainers() {
        let spec: JSON = ["initContainers": [["name": "i"], ["name": "j"]], "containers": [["name": "a"]]]
        let first: JSON = ["name": "i", "state": ["terminated": ["exitCode": 0]], "restartCount": 0]
        let second: JSON = ["name": "j", "state": ["waiting": ["reason": "PodInitializing"]], "restartCount": 0]
        #expect(
            summary(["phase": "Pending", "initContainerStatuses": [first, second]], spec: spec).reason == "Init:1/2"
        )
        let failing: JSON = ["name": "j", "state": ["waiting": ["reason": "CrashLoopBackOff"]], "restartCount": 4]
        let state: JSON = ["phase": "Pending", "initContainerStatuses": [first, failing]]
        #expect(summary(state, spec: spec).reason == "Init:CrashLoopBackOff")
        #expect(summary(state, spec: spec).restartText(Timestamp(seconds: 0)) == "4")
    }

    @Test("printer columns follow their paths")
    func printerColumns() throws {
        let object: JSON = [
            "metadata": ["name": "x", "labels": ["a.b/c": "d"]],
            "status": ["conditions": [["type": "Ready", "status": "True"], ["type": "Other", "status": "False"]]],
            "spec": ["sizes": [1, 2, 3]],
        ]
        func values(_ path: String) throws -> [JSON] { try #require(JSONPath(path)).values(in: object) }
        #expect(try values(".status.conditions[?(@.type==\"Ready\")].status") == ["True"])
        #expect(try values(".spec.sizes[*]") == [1, 2, 3])
        #expect(try values(".spec.sizes[-1]") == [3])
        #expect(try values(".metadata.labels['a.b/c']") == ["d"])
        #expect(try values(".nothing.here") == [])
        #expect(JSONPath("no dot") == nil)
        #expect(JSONPath(".a[") == nil)
    }

    @Test("only pods that the node can grant are accepted, each refusal names its field")
    func refusals() async throws {
        let test = try await TestServer()
        let pods = "/api/v1/namespaces/default/pods"
        func send(_ spec: JSON) async -> APIResponse {
            await test.send("POST", pods, ["metadata": ["generateName": "p-"], "spec": spec])
        }
        let plain: JSON = ["name": "c", "image": "x"]
        func with(_ member: String, _ value: JSON) -> JSON {
            var container = plain
            container.set(value, at: ["securityContext", member])
            return ["containers": [container]]
        }
        let refused: [(JSON, String)] = [
            (with("privileged", true), "securityContext.privileged"),
            (with("capabilities", ["add": ["NET_ADMIN"]]), "NET_ADMIN"),
            (with("seccompProfile", ["type": "Unconfined"]), "seccomp profile Unconfined"),
            (["containers": [plain], "hostNetwork": true], "spec.hostNetwork"),
            (
                ["containers": [plain], "volumes": [["name": "v", "hostPath": ["path": "/"]]]],
                "hostPath volumes (volume \"v\")"
            ),
            (["containers": [plain], "shareProcessNamespace": true], "spec.shareProcessNamespace"),
            (["containers": [plain], "os": ["name": "windows"]], "operating system windows"),
            (["containers": [plain], "priorityClassName": "high"], "no PriorityClass with name high was found"),
        ]
        for (spec, reason) in refused {
            let answer = await send(spec)
            #expect(answer.status == 403)
            #expect(answer.message.contains(reason), "\(answer.message)")
        }
        #expect(await send(with("capabilities", ["add": ["CHOWN"], "drop": ["ALL"]])).status == 201)
        // What the scheduler heeds needs no warning.
        let terms: JSON = ["nodeSelectorTerms": [["matchExpressions": [["key": "a", "operator": "Exists"]]]]]
        let rule = ["requiredDuringSchedulingIgnoredDuringExecution": terms] as JSON
        let gates: JSON = [["name": "x.io/y"]]
        let heeded = await send(["containers": [plain], "affinity": ["nodeAffinity": rule], "schedulingGates": gates])
        #expect(heeded.status == 201)
        #expect(heeded.warnings == [])
        let apart: JSON = [
            "requiredDuringSchedulingIgnoredDuringExecution": [["labelSelector": [:], "topologyKey": "zone"]]
        ]
        let ignored = await send(["containers": [plain], "affinity": ["podAntiAffinity": apart]])
        #expect(ignored.status == 201)
        #expect(
            ignored.warnings == ["spec.affinity.podAntiAffinity: has no effect on this cluster's node"]
        )
    }
}
