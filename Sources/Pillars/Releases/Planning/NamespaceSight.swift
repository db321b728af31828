// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// How a namespace stands, as far as we are let to see.
enum NamespaceSight: Sendable {
    case missing
    case found(KubeObject)
    /// We may not look: whose rights end at one namespace mostly may not. It is taken to be there; what is written into it
    /// tells.
    case hidden

    static func of(_ name: String, in cluster: any ClusterAPI) async throws -> NamespaceSight {
        do {
            return try await cluster.find(ObjectReference(.namespaces, name: name)).map { .found($0) } ?? .missing
        } catch let failure as Failure where failure.status?.code == 403 {
            return .hidden
        }
    }

    var isMissing: Bool {
        if case .missing = self { true } else { false }
    }

    /// Creates it, or only asks whether that would be let through.
    static func create(_ name: String, in cluster: any ClusterAPI, isDryRun: Bool = false) async throws {
        do {
            _ = try await cluster.create(
                KubeObject(.namespaces, name: name),
                as: .namespaces,
                options: WriteOptions(isDryRun: isDryRun)
            )
        } catch let failure as Failure where failure.status?.code == 403 {
            throw Failure(
                .denied,
                "the namespace '\(name)' does not exist there and we may not create it, so have it created first: \(failure.message)",
                cause: failure.cause
            )
        }
    }
}
