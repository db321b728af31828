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

    @Flag(help: "Print the CustomResourceDefinitions and roles of Ballast's resources instead, for 'kubectl apply'.")
    var definitions = false

    func run() {
        guard definitions else { return Terminal.result(BallastResources.fileSchema.prettyText) }
        let objects = BallastResources.definitions + BallastResources.roles
        Terminal.result(objects.map { YAMLText.of($0.json) }.joined(separator: "\n---\n"))
    }
}

/// `ballast version`.
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    func run() { Terminal.result("ballast \(Version.text)") }
}
