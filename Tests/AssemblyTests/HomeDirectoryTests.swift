// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import KubernetesClient
import Model
import Ports
import Releases
import Synchronization
import TestKit
import Testing

@testable import Assembly

@Suite("the way from a cluster's name to the cluster")
struct HomeDirectoryTests {
    private let fake = FakeCluster()
    private let connected = Connections()

    private final class Connections: Sendable {
        private let all = Mutex<[String]>([])
        var servers: [String] { all.withLock { $0 } }

        @Sendable func connect(_ config: KubeConfig) throws -> KubernetesClient {
            all.withLock { $0.append(config.server) }
            return try KubernetesClient(config)
        }
    }

    private func kubeconfig(_ server: String, user: JSON = ["token": "t"]) -> JSON {
        [
            "current-context": "c", "contexts": [["name": "c", "context": ["cluster": "c", "user": "u"]]],
            "clusters": [["name": "c", "cluster": ["server": .string(server)]]],
            "users": [["name": "u", "user": user]],
        ]
    }

    private func withDirectory(
        approves: HomeDirectory.Approval? = nil,
        _ work: (HomeDirectory, KubernetesClient) async throws -> Void
    ) async throws {
        let home = try KubernetesClient(KubeConfig(server: "https://home"))
        let directory = HomeDirectory(
            home: home,
            approves: approves,
            book: ClusterBook(home: fake),
            connect: connected.connect
        )
        do {
            try await work(directory, home)
        } catch {
            Issue.record(error)
        }
        await directory.shutdown()
        await home.shutdown()
    }

    private func add(_ name: String, _ kubeconfig: JSON) async throws {
        try await ClusterBook(home: fake).add(KnownCluster(name: name, server: ""), kubeconfig: kubeconfig)
    }

    @Test("'local' is the home cluster; another is connected once, and anew when its credentials change")
    func connections() async throws {
        try await add("prod", kubeconfig("https://prod-1"))
        try await withDirectory { directory, home in
            #expect(try await directory.names() == ["local", "prod"])
            #expect(try await directory.client(named: "local").server == "https://home")
            for _ in 0..<3 { #expect(try await directory.client(named: "prod").server == "https://prod-1") }
            #expect(connected.servers == ["https://prod-1"])
            let book = ClusterBook(home: fake)
            try await book.remove(try await book.cluster(named: "prod"))
            let gone = await #expect(throws: Failure.self) { try await directory.client(named: "prod") }
            #expect(gone?.code == .notFound)
            try await add("prod", kubeconfig("https://prod-2"))
            #expect(try await directory.client(named: "prod").server == "https://prod-2")
            #expect(connected.servers == ["https://prod-1", "https://prod-2"])
        }
    }

    @Test("a home that is silent does not cut us off from a cluster that is connected")
    func silentHome() async throws {
        try await add("prod", kubeconfig("https://prod"))
        try await withDirectory { directory, _ in
            _ = try await directory.client(named: "prod")
            fake.setFault { _ in throw Failure(.unavailable, "away") }
            #expect(try await directory.client(named: "prod").server == "https://prod")
            let other = await #expect(throws: Failure.self) { try await directory.client(named: "dev") }
            #expect(other?.code == .unavailable)
        }
    }

    @Test("a program that hands out credentials runs only where the person at the terminal allows it")
    func plugins() async throws {
        let user: JSON = ["exec": ["apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/login"]]
        try await add("eks", kubeconfig("https://eks", user: user))
        let folder = FileManager.default.temporaryDirectory.appending(path: "ballast-plugins-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let approved = ApprovedPlugins(path: folder.appending(path: "plugins.json").path)
        func refused(_ words: String) async throws {
            try await withDirectory(approves: { approved.holds($0, kubeconfig: $1) }) { directory, _ in
                let failure = await #expect(throws: Failure.self) { try await directory.client(named: "eks") }
                #expect(
                    failure?.code == .denied && failure?.message.contains(words) == true,
                    "\(failure?.message ?? "")"
                )
            }
        }
        try await refused("the program '/bin/login', which 'ballast up' runs only as it was added on this machine")
        let book = ClusterBook(home: fake)
        let stored = try await book.kubeconfig(of: try await book.cluster(named: "eks"))
        try approved.approve("eks", kubeconfig: stored)
        try await withDirectory(approves: { approved.holds($0, kubeconfig: $1) }) { directory, _ in
            let plugin = try await directory.client(named: "eks").config.user.plugin
            #expect(plugin?.command == "/bin/login" && plugin?.interaction == .never)
        }
        // Whoever may write the Secret may not send the token elsewhere, nor run another program.
        try await book.replace(
            KnownCluster(name: "eks", server: ""),
            kubeconfig: kubeconfig("https://elsewhere", user: user)
        )
        try await refused("--replace")
        try approved.approve("eks", kubeconfig: stored)
        try approved.forget("eks")
        try await book.replace(KnownCluster(name: "eks", server: ""), kubeconfig: kubeconfig("https://eks", user: user))
        try await refused("--replace")
        let asking: JSON = user["exec"].map { ["exec": $0.adding("Always", at: "interactiveMode")] } ?? [:]
        try await book.replace(
            KnownCluster(name: "eks", server: ""),
            kubeconfig: kubeconfig("https://eks", user: asking)
        )
        try approved.approve("eks", kubeconfig: try await book.kubeconfig(of: try await book.cluster(named: "eks")))
        try await refused("which talks to a person")
        try await book.replace(KnownCluster(name: "eks", server: ""), kubeconfig: kubeconfig("https://eks", user: user))
        try await withDirectory { directory, _ in
            let client = try await directory.client(named: "eks")
            #expect(client.server == "https://eks")
        }
    }
}

extension JSON {
    fileprivate func adding(_ value: JSON, at key: String) -> JSON {
        var copy = self
        copy[key] = value
        return copy
    }
}
