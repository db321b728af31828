// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import TestKit
import Testing

@testable import Releases

@Suite("clusters that are known")
struct ClusterBookTests {
    private let home = FakeCluster()
    private var book: ClusterBook { ClusterBook(home: home) }
    private let prod = KnownCluster(
        name: "prod",
        server: "https://prod:6443",
        context: "p",
        user: "ci",
        plugin: "login"
    )

    private func failure(_ work: () async throws -> some Any) async throws -> Failure {
        try #require(await #expect(throws: Failure.self) { _ = try await work() })
    }

    @Test("a cluster is stored with its kubeconfig in a Secret, found by name, and forgotten without a trace")
    func life() async throws {
        try await book.add(prod, kubeconfig: ["kind": "Config"])
        try await book.add(KnownCluster(name: "dev", server: "https://dev"), kubeconfig: ["kind": "Config"])
        #expect(try await book.names() == ["local", "dev", "prod"])
        let found = try await book.cluster(named: "prod")
        #expect(
            (found.server, found.context, found.user) == ("https://prod:6443", "p", "ci") && found.plugin == "login"
        )
        #expect(try await book.kubeconfig(of: found) == #"{"kind":"Config"}"#)
        let secret = try #require(home.all(.secrets).last)
        #expect(secret.namespace == "ballast-system" && secret.name == "cluster-prod")
        #expect(secret.labels["app.kubernetes.io/managed-by"] == "ballast")
        try await book.remove(found)
        #expect(try await book.names() == ["local", "dev"])
        #expect(home.all(.secrets).map(\.name) == ["cluster-dev"])
    }

    @Test("an unknown name is told with the nearest one")
    func unknown() async throws {
        try await book.add(prod, kubeconfig: [:])
        let failure = try await failure { try await book.cluster(named: "prdo") }
        #expect(failure.code == .notFound)
        #expect(failure.message == "there is no cluster 'prdo'; did you mean 'prod'?")
    }

    @Test("a name that is taken, 'local', or none is refused before anything is stored")
    func refusals() async throws {
        try await book.add(prod, kubeconfig: ["a": 1])
        #expect(try await failure { try await book.add(prod, kubeconfig: ["a": 2]) }.code == .conflict)
        #expect(try await book.kubeconfig(of: prod) == #"{"a":1}"#)
        for name in ["local", "Prod", "a.b", "", "-a", String(repeating: "a", count: 51)] {
            let cluster = KnownCluster(name: name, server: "https://x")
            #expect(try await failure { try await book.add(cluster, kubeconfig: [:]) }.code == .invalidInput, "\(name)")
        }
        #expect(home.all(.secrets).count == 1)
    }

    @Test("an addition that breaks off leaves nothing, and what a killed one left does not hinder the next")
    func brokenAddition() async throws {
        home.setFault { call in
            if call.verb == .create, call.type == .clusters { throw Failure(.unavailable, "away") }
        }
        #expect(try await failure { try await book.add(prod, kubeconfig: [:]) }.code == .unavailable)
        #expect(home.all(.secrets).isEmpty && home.all(.clusters).isEmpty)
        home.setFault(nil)
        _ = try await home.create(prod.secretObject(["old": true]), as: .secrets)
        try await book.add(prod, kubeconfig: ["new": true])
        #expect(try await book.kubeconfig(of: prod) == #"{"new":true}"#)
    }

    @Test("a removal that broke off after the Secret can be finished; a cluster without Secret says what to do")
    func brokenRemoval() async throws {
        try await book.add(prod, kubeconfig: ["a": 1])
        try await home.delete(prod.secret)
        let found = try await book.cluster(named: "prod")
        let failure = try await failure { try await book.kubeconfig(of: found) }
        #expect(failure.message.hasSuffix("add it again with --replace"))
        try await book.remove(found)
        #expect(try await book.names() == ["local"])
    }

    @Test("new credentials take the place of the old ones, and the cluster stays the same object")
    func replaced() async throws {
        try await book.add(prod, kubeconfig: ["a": 1])
        let before = try await book.cluster(named: "prod")
        let next = KnownCluster(name: "prod", server: "https://new:6443", context: "q", user: "ci2")
        try await book.replace(next, kubeconfig: ["a": 2])
        let after = try await book.cluster(named: "prod")
        #expect(after.server == "https://new:6443" && after.user == "ci2" && after.context == "q")
        #expect(after.plugin == nil && after.uid == before.uid)
        #expect(try await book.kubeconfig(of: after) == #"{"a":2}"#)
        // Also where the Secret is gone.
        try await home.delete(prod.secret)
        try await book.replace(next, kubeconfig: ["a": 3])
        #expect(try await book.kubeconfig(of: after) == #"{"a":3}"#)
        let unknown = KnownCluster(name: "prdo", server: "https://x")
        let failure = try await failure { try await book.replace(unknown, kubeconfig: [:]) }
        #expect(failure.message == "there is no cluster 'prdo'; did you mean 'prod'?")
    }

    @Test("apps are found whose files name a cluster, alone or in a wave")
    func apps() async throws {
        let waves: [(String, JSON)] = [
            ("a", ["prod"]), ("b", [["staging"], ["prod", "dev"]]), ("c", ["dev"]), ("d", [["production"]]),
        ]
        for (name, clusters) in waves {
            var app = KubeObject(.apps, namespace: "shop", name: name)
            app["spec"] = ["deploy": ["clusters": clusters]]
            _ = try await home.create(app, as: .apps)
        }
        #expect(try await book.apps(on: "prod") == ["shop/a", "shop/b"])
    }
}
