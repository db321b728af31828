// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import ArgumentParser
package import Releases

/// `ballast clusters`: the clusters that apps can be released to.
struct ClustersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clusters",
        abstract: "Show, add and remove the clusters that apps are released to.",
        subcommands: [ClustersListCommand.self, ClustersAddCommand.self, ClustersRemoveCommand.self],
        defaultSubcommand: ClustersListCommand.self
    )
}

/// What `ballast clusters add` was asked for.
package struct NewCluster: Sendable, Hashable {
    package var name: String
    package var kubeconfig: String?
    package var context: String?
    /// It is known, and gets other credentials.
    package var replaces: Bool

    package init(name: String, kubeconfig: String? = nil, context: String? = nil, replaces: Bool = false) {
        self.name = name
        self.kubeconfig = kubeconfig
        self.context = context
        self.replaces = replaces
    }
}

/// What was found on a cluster when it was added.
package struct AddedCluster: Sendable {
    package var state: ClusterState
    /// What a release lacks there; `nil` where the cluster does not tell.
    package var missing: [ReleaseRights.Missing]?
    /// The context's.
    package var namespace: String
    /// What to bear in mind.
    package var notes: [String]

    package init(state: ClusterState, missing: [ReleaseRights.Missing]?, namespace: String, notes: [String]) {
        self.state = state
        self.missing = missing
        self.namespace = namespace
        self.notes = notes
    }
}

/// What was forgotten.
package struct RemovedCluster: Sendable, Hashable {
    package var name: String
    package var server: String
    /// Which Secret held its credentials.
    package var secret: String
    /// The apps whose files still name it.
    package var apps: [String]

    package init(name: String, server: String, secret: String, apps: [String]) {
        self.name = name
        self.server = server
        self.secret = secret
        self.apps = apps
    }
}
