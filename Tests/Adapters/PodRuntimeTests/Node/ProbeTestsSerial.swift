// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import TestKit
import Testing

@testable import PodRuntime

@Suite("probes of running pods", .serialized, .enabled(if: TestNode.isPossible, "needs root, runc and busybox"))
struct ProbeTestsSerial {
    @Test func readinessFollowsAnHTTPServer() async throws {
        let node = try TestNode()
        try await node.run { node in
            let script = "sleep 0.3; touch /tmp/ok; httpd -p 8080 -h /tmp; exec sleep 100"
            try await node.create(
                "server",
                "/bin/sh",
                "-c",
                script,
                container: [
                    "ports": [["name": "web", "containerPort": 8080]],
                    "readinessProbe": ["httpGet": ["path": "/ok", "port": "web"], "periodSeconds": 5],
                ]
            )
            let start = ContinuousClock.now
            let pod = try await node.waitForReady("server")
            // Found by the eager tries, not a period later.
            #expect(ContinuousClock.now - start < .seconds(4))
            #expect(pod.condition("ContainersReady")?["status"] == "True")
        }
    }

    @Test func aFailingReadinessProbeIsReportedAndKeepsThePodUnready() async throws {
        let node = try TestNode()
        try await node.run { node in
            try await node.create(
                "unready",
                "/bin/sh",
                "-c",
                "httpd -p 8080 -h /tmp; exec sleep 100",
                container: ["readinessProbe": ["httpGet": ["path": "/missing", "port": 8080], "periodSeconds": 1]]
            )
            try await node.create(
                "closed",
                "/bin/sleep",
                "100",
                container: ["readinessProbe": ["tcpSocket": ["port": 81], "periodSeconds": 1]]
            )
            let words = "Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 404"
            try await node.eventually { node.events("unready").contains(words) }
            try await node.eventually {
                node.events("closed").contains { event in
                    event.hasPrefix("Unhealthy: Readiness probe failed: dial tcp 10.")
                        && event.hasSuffix(":81: connect: connection refused")
                }
            }
            let pod = try await node.cluster.get(ObjectReference(.pods, namespace: "default", name: "unready"))
            #expect(pod.condition("Ready")?["reason"] == "ContainersNotReady")
            #expect(pod.condition("Ready")?["message"] == "containers with unready status: [main]")
            #expect(pod.status["containerStatuses"]?[0]?["started"] == true)
        }
    }

    @Test func aFailingLivenessProbeRestartsTheContainer() async throws {
        let node = try TestNode()
        try await node.run { node in
            let probe: JSON = [
                "exec": ["command": ["/bin/cat", "/tmp/alive"]], "periodSeconds": 1, "failureThreshold": 1,
            ]
            try await node.create(
                "sick",
                "/bin/sh",
                "-c",
                "touch /tmp/alive; sleep 1; rm /tmp/alive 2>/dev/null; exec sleep 100",
                container: ["livenessProbe": probe]
            )
            let found = try await node.wait(for: "sick") {
                ($0?.status["containerStatuses"]?[0]?["restartCount"]?.int ?? 0) >= 1
            }
            #expect(found?.status["containerStatuses"]?[0]?[path: "lastState", "terminated", "exitCode"] == 137)
            let killing = "Killing: Container main failed liveness probe, will be restarted"
            try await node.eventually { node.events("sick").contains(killing) }
            let events = node.events("sick")
            #expect(events.contains { $0.hasPrefix("Unhealthy: Liveness probe failed: cat: can't open '/tmp/alive'") })
        }
    }

    @Test func theStartupProbeHoldsTheOthersBack() async throws {
        let node = try TestNode()
        try await node.run { node in
            let pod = try await node.create(
                "slow",
                "/bin/sh",
                "-c",
                "sleep 1; touch /tmp/started; echo up; exec sleep 100",
                container: [
                    "startupProbe": [
                        "exec": ["command": ["/bin/ls", "/tmp/started"]], "periodSeconds": 1, "failureThreshold": 10,
                    ],
                    "livenessProbe": [
                        "exec": ["command": ["/bin/ls", "/tmp/started"]], "periodSeconds": 1, "failureThreshold": 1,
                    ],
                ]
            )
            let early = try await node.wait(for: "slow") { $0?.status["phase"] == "Running" }
            #expect(early?.status["containerStatuses"]?[0]?["started"] == false)
            let ready = try await node.waitForReady("slow")
            #expect(ready.status["containerStatuses"]?[0]?["restartCount"] == 0)
            #expect(try await node.log(pod) == "up\n")
        }
    }

    @Test func aHookThatFailsEndsTheContainer() async throws {
        let node = try TestNode()
        try await node.run { node in
            let hook: JSON = ["postStart": ["exec": ["command": ["/bin/sh", "-c", "echo no; exit 7"]]]]
            try await node.create(
                "hooked",
                "/bin/sleep",
                "100",
                container: ["lifecycle": hook],
                spec: ["restartPolicy": "Never"]
            )
            _ = try await node.waitForPhase("Failed", of: "hooked")
            try await node.eventually { node.events("hooked").contains { $0.hasPrefix("FailedPostStartHook: ") } }
            let events = node.events("hooked")
            #expect(
                events.contains {
                    $0.hasPrefix(
                        "FailedPostStartHook: PostStartHook failed: command '/bin/sh -c echo no; exit 7' exited with 7: no"
                    )
                }
            )
            #expect(events.contains("Killing: FailedPostStartHook"))
        }
    }

    @Test func aCommandThatTakesTooLongIsKilled() async throws {
        let node = try TestNode()
        try await node.run { node in
            try await node.create(
                "stuck",
                "/bin/sleep",
                "100",
                container: [
                    "readinessProbe": [
                        "exec": ["command": ["/bin/sleep", "50"]], "periodSeconds": 1, "timeoutSeconds": 1,
                    ]
                ]
            )
            let words = "Unhealthy: Readiness probe failed: command timed out: \"/bin/sleep 50\" timed out after 1s"
            try await node.eventually { node.events("stuck").contains(words) }
        }
    }
}
