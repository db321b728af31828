// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Keeps inventories in the home cluster.
struct InventoryBook: Sendable {
    let home: any ClusterAPI
    let retry: CallRetry

    /// What is on record; `nil` where nothing is.
    func read(_ app: App, _ cluster: ClusterName) async throws -> Inventory? {
        let empty = Inventory(app: app.name, namespace: app.namespace, cluster: cluster)
        let stored = try await retry("read the inventory of '\(app.name)'") { try await home.find(empty.reference) }
        return stored.flatMap { Inventory($0) }
    }

    /// The inventories of all apps in that cluster; those of `namespaces` alone where we may not see more, since then we may
    /// not delete anything elsewhere either.
    func all(_ cluster: ClusterName, near namespaces: Set<NamespaceName>) async throws -> [Inventory] {
        let labels = LabelSelector(matching: [Inventory.clusterLabel: cluster.text])
        func list(_ namespace: String?) async throws -> [KubeObject] {
            try await retry("read the inventories") {
                try await home.records(ListQuery(.inventories, namespace: namespace, labelSelector: labels))
            }
        }
        var objects: [KubeObject] = []
        do {
            objects = try await list(nil)
        } catch let failure as Failure where failure.code == .denied {
            for namespace in namespaces.map(\.text).sorted() { objects += try await list(namespace) }
        }
        return objects.compactMap { Inventory($0) }
    }

    /// Writes what differs from `stored`, which is what was read before.
    func write(_ inventory: Inventory, over stored: Inventory?) async throws {
        guard inventory != stored else { return }
        try await retry("write the inventory of '\(inventory.app)'") {
            do {
                if try await home.find(inventory.reference) != nil {
                    let body: JSON = ["spec": inventory.object.spec]
                    _ = try await home.patch(inventory.reference, .merge, body)
                } else {
                    _ = try await home.create(inventory.object, as: .inventories)
                }
            }
        }
    }

    func remove(_ inventory: Inventory) async throws {
        try await retry("remove the inventory of '\(inventory.app)'") {
            guard try await home.find(inventory.reference) != nil else { return }
            try await home.delete(inventory.reference)
        }
    }
}
