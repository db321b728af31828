// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// The `App` object in the home cluster, which every pillar reads.
struct AppDeclaration: Sendable {
    let home: any ClusterAPI
    let retry: CallRetry

    /// Whether it had to be created.
    func store(_ app: App) async throws -> Bool {
        var object = app.object
        object.json.set(.string(app.namespace.text), at: ["metadata", "namespace"])
        let reference = ObjectReference(.apps, namespace: app.namespace.text, name: app.name.text)
        return try await retry("store the App '\(app.namespace)/\(app.name)'") { [home, object] in
            guard let live = try await home.find(reference) else {
                _ = try await home.create(object, as: .apps)
                return true
            }
            var next = live
            next["spec"] = object.spec
            for key in ["labels", "annotations"] {
                if let value = object.metadata[key] { next.json.set(value, at: ["metadata", key]) }
            }
            if next != live { _ = try await home.update(next, as: .apps) }
            return false
        }
    }

    func remove(_ app: App) async throws {
        let reference = ObjectReference(.apps, namespace: app.namespace.text, name: app.name.text)
        try await retry("remove the App '\(app.namespace)/\(app.name)'") { [home] in
            guard try await home.find(reference) != nil else { return }
            try await home.delete(reference)
        }
    }
}
