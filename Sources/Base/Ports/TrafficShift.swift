// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// Gives a new revision of an app a share of its traffic in one cluster, beside the old one, which stays whole.
///
/// Both calls may be repeated: they look before they write, so whoever goes on after another was killed calls them too.
package protocol TrafficShift: Sendable {
    /// Runs the new revision beside the stable one with about `percent` of the traffic; returns the share it really has.
    func shift(_ canary: CanaryRevision, toPercent percent: Int) async throws -> Int

    /// Takes the new revision away again; nothing happens where there is none.
    func end(_ app: AppName, _ namespace: NamespaceName) async throws
}

/// A revision that gets a share.
package struct CanaryRevision: Sendable {
    package var app: AppName
    package var namespace: NamespaceName
    /// The release that it belongs to.
    package var release: Int
    /// The stable Deployment as the release would make it.
    package var deployment: KubeObject

    package init(app: AppName, namespace: NamespaceName, release: Int, deployment: KubeObject) {
        self.app = app
        self.namespace = namespace
        self.release = release
        self.deployment = deployment
    }
}
