// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Synchronization
import TestKit
import Testing

@testable import PodRuntime

@Suite("how pods end", .serialized, .enabled(if: TestNode.isPossible, "needs root, runc and busybox"))
struct EndingTestsSerial {
    private static let script = "trap 'echo told; exit 0' TERM; echo up; while true; do sleep 0.05; done"

    @Test func aPodIsToldToEndOnlyWhenNobodyAsksItAnyMore() async throws {
        let drain = HeldDrain()
        let node = try TestNode(drain: drain)
        try await node.run { node in
            let pod = try await node.create(
                "asked",
                "/bin/sh",
                "-c",
                Self.script,
                container: [
                    "lifecycle": ["preStop": ["exec": ["command": ["/bin/sh", "-c", "echo hook > /proc/1/fd/1"]]]]
                ],
                spec: ["terminationGracePeriodSeconds": 15]
            )
            _ = try await node.follow(pod, until: "up")
            let address = try await node.waitForReady("asked").status["podIP"]?.string
            async let log = node.follow(pod, until: "told")
            try await node.cluster.delete(ObjectReference(.pods, namespace: "default", name: "asked"))
            let asked = await drain.asked()
            #expect(asked.address == address && asked.limit == .seconds(2))
            #expect(try await node.log(pod) == "up\n", "neither hook nor signal yet")
            drain.release()
            #expect(try await log.contains("up\nhook\ntold\n"))
            try await node.wait(for: "asked") { $0 == nil }
        }
    }

    @Test func whoHasNoTimeIsNotWaitedFor() async throws {
        let drain = HeldDrain()
        let node = try TestNode(drain: drain)
        try await node.run { node in
            let pod = try await node.create(
                "hasty",
                "/bin/sh",
                "-c",
                Self.script,
                spec: ["terminationGracePeriodSeconds": 600]
            )
            _ = try await node.follow(pod, until: "up")
            try await node.cluster.delete(ObjectReference(.pods, namespace: "default", name: "hasty"))
            _ = await drain.asked()
            // Deleted again, with no time left: the wait under way is given up.
            try await node.cluster.delete(
                ObjectReference(.pods, namespace: "default", name: "hasty"),
                options: DeleteOptions(gracePeriod: .zero)
            )
            try await node.wait(for: "hasty") { $0 == nil }
        }
    }
}

/// Says that an address is still in use until it is released.
private final class HeldDrain: EndpointDrain {
    struct Question: Sendable {
        var address: String
        var limit: Duration
    }

    private let (questions, ask) = AsyncStream<Question>.makeStream()
    private let (releases, letGo) = AsyncStream<Void>.makeStream()

    func drained(_ address: String, within limit: Duration) async {
        ask.yield(Question(address: address, limit: limit))
        await releases.first { true }
    }

    func asked() async -> Question { await questions.first { _ in true } ?? Question(address: "", limit: .zero) }
    func release() { letGo.finish() }
}
