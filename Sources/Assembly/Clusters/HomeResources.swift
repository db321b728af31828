// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import KubernetesClient
import Model
import Ports

/// Puts the definitions of Ballast's own resources into a home cluster.
struct HomeResources: Sendable {
    let cluster: any ClusterAPI
    /// What it serves; `nil`: as it says itself.
    var schema: (any ClusterSchema)?

    /// Creates those that are missing, and gives those of an older Ballast what this one knows. Those of a newer one stay.
    func install() async throws {
        for definition in BallastResources.definitions {
            let reference = ObjectReference(.customResourceDefinitions, name: definition.name)
            guard let live = try await cluster.find(reference) else {
                do {
                    _ = try await cluster.create(definition, as: .customResourceDefinitions)
                } catch let failure as Failure where failure.code == .conflict {
                    // Another release was faster.
                }
                continue
            }
            guard Self.revision(of: live) <= BallastResources.revision, live.spec["versions"] != definition.spec["versions"]
            else { continue }
            _ = try await cluster.patch(
                reference,
                .merge,
                [
                    "metadata": ["annotations": JSON(definition.annotations)],
                    "spec": ["versions": definition.spec["versions"] ?? []],
                ]
            )
        }
    }

    /// Lets those who may edit a namespace release there.
    private func installRoles() async throws {
        for role in BallastResources.roles
        where try await cluster.find(ObjectReference(BallastResources.roleType, name: role.name)) == nil {
            do {
                _ = try await cluster.create(role, as: BallastResources.roleType)
            } catch let failure as Failure where failure.code == .conflict {}
        }
    }

    private static func revision(of definition: KubeObject) -> Int {
        definition.annotations[BallastResources.revisionAnnotation].flatMap { Int($0) } ?? 0
    }

    /// Whether it serves all of them. Who may see none of the records may still ask that.
    func areThere() async throws -> Bool {
        let served = try await (schema ?? cluster.schema).catalog(isFresh: true)
        return [ResourceType.apps, .releases, .clusters, .inventories].allSatisfy { type in
            served.resource(apiVersion: "\(type.group)/\(type.version)", kind: type.kind) != nil
        }
    }

    /// Makes a real cluster one that can keep records, and returns once it does.
    ///
    /// Throws `denied` with what an administrator has to run once, where we may not add the definitions.
    func prepare(_ server: String) async throws {
        let areThere = try await areThere()
        do {
            try await install()
            try await installRoles()
        } catch let failure as Failure where failure.code == .denied {
            guard !areThere else { return }
            throw Failure(
                .denied,
                "the home cluster at '\(server)' does not know Ballast's resources yet, and we may not add them; somebody who may has to run once: ballast schema --definitions | kubectl apply --server-side -f -",
                cause: failure
            )
        }
        guard !areThere else { return }
        for _ in 0..<150 {
            if try await self.areThere() { return }
            try await Task.sleep(for: .milliseconds(200))
        }
        throw Failure(.deadlineExceeded, "the home cluster at '\(server)' does not serve Ballast's resources within 30 s")
    }
}
