// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import ArgumentParser
import Model
import Releases

/// `ballast releases APP`: the newest first.
struct ReleasesListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "The releases of an app.")

    @Argument(help: "The app's name.") var app: String
    @Option(name: .shortAndLong, help: "The app's namespace.") var namespace: String?
    @OptionGroup var home: HomeOptions
    @Option(name: .shortAndLong, help: "How to print it: table, wide, json or yaml.") var output: RecordFormat = .table

    func run() async throws {
        let records = try await Compositions.require().withCluster(home: home.choice) { [app, namespace] cluster in
            try await ReleaseHistory.read(AppName(app), namespace, from: cluster)
        }
        Terminal.result(ReleaseTable.text(of: records, as: output))
    }
}

/// How records are printed.
enum RecordFormat: String, ExpressibleByArgument, CaseIterable {
    case table, wide, json, yaml
}
