// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import ArgumentParser
import Model

/// The command `ballast`: nouns and verbs, one file per verb.
package struct BallastCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "ballast",
        abstract: "Keeps a fleet of Kubernetes clusters stable.",
        discussion: """
            Start with 'ballast up' as root, which runs a cluster on this machine; then, in an app's folder, \
            'ballast init' and 'ballast release'.
            """,
        version: "ballast \(Version.text)",
        subcommands: [
            UpCommand.self, DownCommand.self, ReleaseCommand.self, RollbackCommand.self, ReleasesCommand.self,
            StatusCommand.self, InitCommand.self, ClustersCommand.self, SchemaCommand.self, VersionCommand.self,
        ]
    )

    package init() {}
}
