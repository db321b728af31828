// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// How to reach a cluster and as whom: one context of a kubeconfig, or a pod's own service account.
package struct KubeConfig: Sendable {
    /// The context's name; empty in a pod.
    package var context = ""
    /// Without a trailing slash, perhaps with a path: `https://127.0.0.1:6443`.
    package var server: String
    /// PEM; `nil` trusts the system's authorities.
    package var authority: Material?
    package var skipsVerification = false
    /// The name to verify and to ask for (SNI) instead of the server's host.
    package var serverName: String?
    package var proxy: ProxyAddress?
    package var user = KubeUser()
    package var namespace = "default"
    /// What the cluster's entry holds for an exec plugin: its extension `client.authentication.k8s.io/exec`.
    package var pluginConfiguration: JSON?

    package init(server: String) { self.server = server }
}

/// As whom a cluster is asked.
package struct KubeUser: Sendable {
    package struct Basic: Sendable, Hashable {
        package var username: String
        package var password: String
    }

    /// PEM certificate and key.
    package struct Identity: Sendable, Hashable {
        package var certificate: Material
        package var key: Material
    }

    package var name = ""
    package var identity: Identity?
    package var token: String?
    /// Read again as it changes; goes before `token`.
    package var tokenFile: String?
    package var basic: Basic?
    package var plugin: CredentialPlugin?
    package var impersonation: Impersonation?

    package init() {}
}

/// Another user in whose name the requests are made.
package struct Impersonation: Sendable, Hashable {
    package var user: String
    package var uid: String?
    package var groups: [String]
    package var extra: [String: [String]]

    package init(user: String, uid: String? = nil, groups: [String] = [], extra: [String: [String]] = [:]) {
        self.user = user
        self.uid = uid
        self.groups = groups
        self.extra = extra
    }
}

/// A program that hands out credentials: `users[].user.exec` of a kubeconfig.
package struct CredentialPlugin: Sendable, Hashable {
    /// Whether the program may talk to the person at the terminal.
    package enum Interaction: String, Sendable, CaseIterable {
        case never = "Never"
        case ifAvailable = "IfAvailable"
        case always = "Always"
    }

    package static let versions = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"]

    package var apiVersion: String
    /// A path, or a name to be found in PATH.
    package var command: String
    package var arguments: [String] = []
    /// Added to this process's own.
    package var environment: [String: String] = [:]
    package var installHint: String?
    package var providesClusterInfo = false
    package var interaction = Interaction.ifAvailable

    package init(apiVersion: String, command: String) {
        self.apiVersion = apiVersion
        self.command = command
    }
}
