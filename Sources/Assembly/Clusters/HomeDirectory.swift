// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import KubernetesClient
import Model
import Ports
import Releases

/// The clusters that the home cluster knows, each connected when it is first asked for.
///
/// `shutdown()` closes what it has opened; the home cluster's connection is its owner's.
actor HomeDirectory: ClusterDirectory {
    private let home: KubernetesClient
    private let book: ClusterBook
    private let userAgent: String
    private var clients: [String: KubernetesClient] = [:]

    init(home: KubernetesClient, userAgent: String = "ballast") {
        self.home = home
        self.userAgent = userAgent
        book = ClusterBook(home: home)
    }

    func names() async throws -> [String] { try await book.names() }

    func cluster(named name: String) async throws -> any ClusterAPI { try await client(named: name) }

    func client(named name: String) async throws -> KubernetesClient {
        if name == ClusterName.local.text { return home }
        if let client = clients[name] { return client }
        let known = try await book.cluster(named: name)
        let text = try await book.kubeconfig(of: known)
        // Two who ask at once must share one.
        if let client = clients[name] { return client }
        let set = try KubeConfigSet(text: text, name: "the kubeconfig of the cluster '\(name)'")
        let client = try KubernetesClient(set.config(), userAgent: userAgent)
        clients[name] = client
        return client
    }

    func shutdown() async {
        let open = clients.values
        clients = [:]
        for client in open { await client.shutdown() }
    }
}
