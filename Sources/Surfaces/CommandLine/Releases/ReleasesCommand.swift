// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import ArgumentParser

/// `ballast releases`: what was released, when, by whom, and what became of it.
struct ReleasesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "releases",
        abstract: "Show the releases of an app.",
        subcommands: [ReleasesListCommand.self, ReleasesShowCommand.self],
        defaultSubcommand: ReleasesListCommand.self
    )
}
