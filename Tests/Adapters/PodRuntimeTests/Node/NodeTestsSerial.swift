// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import TestKit
import Testing

@testable import PodRuntime

@Suite("a node", .serialized, .enabled(if: TestNode.isPossible, "needs root, runc and busybox"))
struct NodeTestsSerial {
    @Test func aPodRunsAndItsOutputIsItsLog() async throws {
        let node = try TestNode()
        try await node.run { node in
            let created = try await node.create("hello", "/bin/sh", "-c", "echo hello; echo oops >&2; exec sleep 100")
            let pod = try await node.waitForReady("hello")
            #expect(pod.status["phase"] == "Running")
            let status = try #require(pod.status["containerStatuses"]?[0])
            #expect(status["ready"] == true && status["started"] == true && status["restartCount"] == 0)
            #expect(status["containerID"]?.string?.hasPrefix("runc://") == true)
            #expect(status["imageID"]?.string?.hasPrefix("r.test/a@sha256:") == true)
            #expect(pod.status["podIP"]?.string != nil)
            let log = try await node.follow(created, until: "hello", "oops")
            #expect(log.split(separator: "\n").sorted() == ["hello", "oops"])
        }
    }
}
