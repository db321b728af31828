// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import ArgumentParser
import Model

/// `ballast schema`: the JSON Schema of the app file, for editors.
struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the JSON Schema of ballast.yaml."
    )

    func run() { Terminal.result(BallastResources.fileSchema.prettyText) }
}

/// `ballast version`.
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    func run() { Terminal.result("ballast \(Version.text)") }
}
