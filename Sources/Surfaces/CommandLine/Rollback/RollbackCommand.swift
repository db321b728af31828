// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import ArgumentParser
package import Model
import Releases

/// `ballast rollback`: an app back to an earlier release, from its record alone.
struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Go back to an earlier release of an app.",
        discussion: "Needs no source: what a release declared and its image's digest are on record."
    )

    @Argument(help: "The app's name.") var app: String
    @Option(help: "The number of the release (default: the good one before the one that serves).") var to: Int?
    @Option(name: .shortAndLong, help: "The app's namespace, where several have an app of that name.")
    var namespace: String?
    @OptionGroup var home: HomeOptions
    @Option(name: .shortAndLong, help: "What to print on stdout: a line of text, or the record as json.")
    var output: ReleaseOutput = .text

    func run() async throws {
        let order = RollbackOrder(app: AppName(app), namespace: namespace.map { NamespaceName($0) }, number: to)
        let record = try await ReleaseCommand.withProgress(output) { progress in
            try await Compositions.require().rollback(order, home: home.choice, progress: progress)
        }
        switch output {
        case .text:
            let target = record.rollbackTo.map { "\($0)" } ?? "?"
            Terminal.result(
                "rolled \(record.app) back to release \(target) as release \(record.number): \(record.message)"
            )
        case .json: Terminal.result(record.json.prettyText)
        }
    }
}

/// What `ballast rollback` was asked for.
package struct RollbackOrder: Sendable, Hashable {
    package var app: AppName
    package var namespace: NamespaceName?
    package var number: Int?
}
