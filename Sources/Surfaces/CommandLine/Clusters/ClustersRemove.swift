// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import ArgumentParser

/// `ballast clusters remove`: forgets a cluster and its credentials.
struct ClustersRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Forget a cluster and its credentials; what runs there goes on."
    )

    @Argument(help: "Its name.") var name: String
    @Flag(help: "Only say what would be forgotten.") var dryRun = false
    @OptionGroup var home: HomeOptions

    func run() async throws {
        let composition = try Compositions.require()
        let removed = try await composition.removeCluster(name, isDryRun: dryRun, home: home.choice)
        for line in Self.notes(on: removed) { Terminal.note(line) }
        Terminal.result("\(dryRun ? "would remove" : "removed") \(name): \(removed.server), \(removed.secret)")
    }

    static func notes(on removed: RemovedCluster) -> [String] {
        guard !removed.apps.isEmpty else { return [] }
        return [
            "warning: the files of these apps still name '\(removed.name)': \(removed.apps.joined(separator: ", "))"
        ]
    }
}
