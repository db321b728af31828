// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import TestKit
import Testing

@testable import Releases

@Suite("what a cluster says of itself")
struct ClusterStateTests {
    private static func refusal(_ code: Int) -> Failure { Failure(KubeStatus(code: code, reason: "", message: "no")) }

    private func state(_ cluster: ReviewingCluster, version: @Sendable () async throws -> String = { "v1.36.2" }) async
        -> ClusterState
    {
        var state = ClusterState(name: "prod", server: "https://prod")
        await state.ask(cluster, version: version)
        return state
    }

    @Test("version, nodes, who we are and the latency are read")
    func good() async throws {
        let cluster = ReviewingCluster { _ in ["userInfo": ["username": "ci", "groups": ["ops"]]] }
        for (name, status) in [("a", "True"), ("b", "False"), ("c", "True")] {
            var node = KubeObject(.nodes, name: name)
            node["status"] = ["conditions": [["type": "Ready", "status": .string(status)]]]
            _ = try await cluster.fake.create(node, as: .nodes)
        }
        let state = await state(cluster)
        #expect(state.isReachable && state.version == "v1.36.2" && state.latency != nil)
        #expect(state.nodes == ClusterState.Nodes(ready: 2, all: 3))
        #expect(state.user == "ci" && state.groups == ["ops"])
        #expect(state.json["nodes"] == ["ready": 2, "all": 3])
    }

    @Test("what may not be seen stays unknown; a cluster that is away or does not know us is in trouble")
    func refusals() async throws {
        let old = ReviewingCluster { _ in throw Self.refusal(404) }
        old.fake.setFault { if $0.verb == .list { throw Self.refusal(403) } }
        let quiet = await state(old)
        #expect(quiet.isReachable && quiet.nodes == nil && quiet.user == nil)
        let stranger = ReviewingCluster { _ in throw Self.refusal(401) }
        #expect(await state(stranger).trouble == "no")
        let away = await state(ReviewingCluster { _ in [:] }) { throw Failure(.unavailable, "cannot be reached") }
        #expect(away.trouble == "cannot be reached" && away.version == nil)
        #expect(away.json["reachable"] == false)
    }

    @Test(
        "milliseconds have one decimal",
        arguments: [(3_240, "3.2"), (3_250, "3.3"), (40, "0.0"), (1_234_567, "1234.6")]
    )
    func milliseconds(_ microseconds: Int, _ text: String) {
        #expect(ClusterState.milliseconds(.microseconds(microseconds)) == text)
    }

    // MARK: Rights

    /// Answers by the question's words: `create deployments.apps`, with ` in NAMESPACE`.
    private func cluster(_ allows: @escaping @Sendable (String) throws -> Bool) -> ReviewingCluster {
        ReviewingCluster { review in
            let asked = review.spec["resourceAttributes"] ?? [:]
            let group = asked["group"]?.string ?? ""
            let sub = asked["subresource"]?.string.map { "/\($0)" } ?? ""
            let place = asked["namespace"]?.string.map { " in \($0)" } ?? ""
            let words = "\(asked["verb"]?.string ?? "") \(asked["resource"]?.string ?? "")\(sub)"
            return ["allowed": .bool(try allows(words + (group.isEmpty ? "" : ".\(group)") + place))]
        }
    }

    @Test("who may do everything is asked once")
    func admin() async throws {
        let cluster = cluster { _ in true }
        #expect(try await ReleaseRights.missing(on: cluster, namespace: "shop") == [])
        #expect(cluster.reviews == 1)
    }

    @Test("missing rights are named by verb and resource, and told apart from those had in the own namespace")
    func missing() async throws {
        let cluster = cluster { words in
            if words == "* *.*" { return false }
            if words.hasSuffix(" in shop") { return words.contains("deployments") }
            return ![
                "* deployments.apps", "create deployments.apps", "patch deployments.apps", "* pods/log", "get pods/log",
            ]
            .contains(words)
        }
        let missing = try #require(try await ReleaseRights.missing(on: cluster, namespace: "shop"))
        #expect(missing.map(\.description) == ["create, patch deployments.apps", "get pods/log"])
        #expect(missing.map(\.isHadInNamespace) == [true, false])
    }

    @Test("a cluster that does not answer reviews leaves the rights open")
    func silent() async throws {
        let cluster = cluster { _ in throw Self.refusal(403) }
        #expect(try await ReleaseRights.missing(on: cluster, namespace: "shop") == nil)
    }
}
