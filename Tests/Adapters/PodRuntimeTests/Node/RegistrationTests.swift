// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import TestKit
import Testing

@testable import PodRuntime

@Suite("a node's registration", .enabled(if: TestNode.isPossible, "needs root, runc and busybox"))
struct RegistrationTests {
    private let node: TestNode
    private let registration: NodeRegistration
    private static let local = ObjectReference(.nodes, name: "local")

    init() throws {
        node = try TestNode()
        registration = NodeRegistration(services: node.runtime.services, podCIDR: "10.1.0.0/24", runcVersion: "1.1")
    }

    private func setReady(_ status: String) async throws {
        let body: JSON = ["status": ["conditions": [["type": "Ready", "status": .string(status)]]]]
        _ = try await node.cluster.patch(Self.local, subresource: "status", .merge, body, options: WriteOptions())
    }

    private func report() -> NodeRegistration.Report {
        NodeRegistration.Report(
            time: TestNode.wall.now,
            pressures: Pressures.read(node.runtime.services.folders.data)
        )
    }

    private var isReady: Bool {
        node.cluster.all(.nodes).first?.condition("Ready")?["status"] == "True"
    }

    @Test(arguments: ["Unknown", "False"]) func aNodeThatWasWrittenOffSaysThatItIsBack(_ status: String) async throws {
        try await registration.register()
        #expect(isReady)
        try await setReady(status)
        var last = report()
        try await registration.renew(&last)
        #expect(isReady)
        #expect(node.cluster.all(.leases).count == 1)
    }

    @Test func aNodeThatWasDeletedRegistersAnew() async throws {
        try await registration.register()
        try await node.cluster.delete(Self.local, options: DeleteOptions())
        var last = report()
        try await registration.renew(&last)
        #expect(isReady)
    }

    @Test func aStatusThatIsTrueAndYoungIsNotWritten() async throws {
        try await registration.register()
        var last = report()
        try await registration.renew(&last)
        let writes = node.cluster.calls.count { $0.type == .nodes && $0.subresource == "status" }
        try await registration.renew(&last)
        #expect(node.cluster.calls.count { $0.type == .nodes && $0.subresource == "status" } == writes)
    }
}
