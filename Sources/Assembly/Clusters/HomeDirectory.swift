// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import KubernetesClient
import Model
import Ports
import Releases

/// The clusters that the home cluster knows, each connected when it is first asked for, and anew when its credentials have
/// changed since.
///
/// `shutdown()` closes what it has opened; the home cluster's connection is its owner's.
actor HomeDirectory: ClusterDirectory {
    typealias Connect = @Sendable (KubeConfig) throws -> KubernetesClient
    typealias Approval = @Sendable (_ cluster: String, _ kubeconfig: String) -> Bool

    private struct Connection {
        var kubeconfig: String
        var client: KubernetesClient
    }

    private let home: KubernetesClient
    private let book: ClusterBook
    private let approves: Approval?
    private let isAttended: Bool
    private let connect: Connect
    private var connections: [String: Connection] = [:]
    /// Replaced, but perhaps still in somebody's hands.
    private var retired: [KubernetesClient] = []

    /// `approves`: whether a program that hands out credentials may run. It comes from an object and runs as this process, so
    /// only the person at the terminal may say yes; without it every program may. `isAttended`: that person is there.
    init(
        home: KubernetesClient,
        userAgent: String = "ballast",
        approves: Approval? = nil,
        isAttended: Bool = false,
        book: ClusterBook? = nil,
        connect: Connect? = nil
    ) {
        self.home = home
        self.approves = approves
        self.isAttended = isAttended
        self.book = book ?? ClusterBook(home: home)
        self.connect = connect ?? { try KubernetesClient($0, userAgent: userAgent) }
    }

    func names() async throws -> [String] { try await book.names() }

    func cluster(named name: String) async throws -> any ClusterAPI { try await client(named: name) }

    func client(named name: String) async throws -> KubernetesClient {
        if name == ClusterName.local.text { return home }
        let kubeconfig: String
        do {
            kubeconfig = try await book.kubeconfig(of: try await book.cluster(named: name))
        } catch let failure as Failure where [.unavailable, .deadlineExceeded].contains(failure.code) {
            // A home that is silent for a moment must not cut us off from the others.
            guard let known = connections[name] else { throw failure }
            return known.client
        }
        if let known = connections[name] {
            if known.kubeconfig == kubeconfig { return known.client }
            retired.append(known.client)
        }
        let client = try connect(config(kubeconfig, of: name))
        connections[name] = Connection(kubeconfig: kubeconfig, client: client)
        return client
    }

    private func config(_ text: String, of name: String) throws -> KubeConfig {
        var config = try KubeConfigSet(text: text, name: "the kubeconfig of the cluster '\(name)'").config()
        guard let plugin = config.user.plugin, let approves else { return config }
        let program = "the cluster '\(name)' takes its credentials from the program '\(plugin.command)'"
        let orByHand = "or release or roll back from the command line"
        guard approves(name, text) else {
            let who = isAttended ? "which runs" : "which 'ballast up' runs"
            throw Failure(
                .denied,
                "\(program), \(who) only as it was added on this machine; 'ballast clusters add \(name) --replace' lets it\(isAttended ? "" : ", \(orByHand)")"
            )
        }
        guard !isAttended else { return config }
        guard plugin.interaction != .always else {
            throw Failure(.denied, "\(program), which talks to a person; \(orByHand)")
        }
        // The terminal that it may be started from is not there to answer.
        config.user.plugin?.interaction = .never
        return config
    }

    func shutdown() async {
        let open = connections.values.map(\.client) + retired
        (connections, retired) = ([:], [])
        for client in open { await client.shutdown() }
    }
}
