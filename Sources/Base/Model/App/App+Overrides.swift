// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

extension App {
    /// The app as that cluster gets it: `spec.deploy` with `spec.deploy.overrides.<cluster>` laid over it.
    ///
    /// Mappings merge key by key; a list or a single value replaces what was there. ``object`` stays as written.
    package func overridden(for cluster: ClusterName) -> App {
        guard var deploy = object.spec["deploy"], let overrides = deploy["overrides"]?[cluster.text] else {
            return self
        }
        deploy["overrides"] = nil
        var app = self
        app.deploy = Deploy(deploy.overlaid(with: overrides))
        return app
    }
}

extension JSON {
    fileprivate func overlaid(with other: JSON) -> JSON {
        guard case .object(let members) = other, object != nil else { return other }
        var result = self
        for (key, value) in members { result[key] = result[key]?.overlaid(with: value) ?? value }
        return result
    }
}
