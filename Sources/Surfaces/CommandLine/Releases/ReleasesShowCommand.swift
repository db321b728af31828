// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import ArgumentParser
import Model
import Releases

/// `ballast releases show APP N`: one release with its stages and clusters.
struct ReleasesShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "One release of an app.")

    @Argument(help: "The app's name.") var app: String
    @Argument(help: "The release's number (default: the newest).") var number: Int?
    @Option(name: .shortAndLong, help: "The app's namespace.") var namespace: String?
    @OptionGroup var home: HomeOptions
    @Option(name: .shortAndLong, help: "How to print it: table, wide, json or yaml.") var output: RecordFormat = .table

    func run() async throws {
        let records = try await Compositions.require().withCluster(home: home.choice) { [app, namespace] cluster in
            try await ReleaseHistory.read(AppName(app), namespace, from: cluster)
        }
        guard let record = number.map({ number in records.first { $0.number == number } }) ?? records.first else {
            throw Failure(.notFound, "there is no release \(app)-\(number ?? 0); 'ballast releases \(app)' lists them")
        }
        Terminal.result(ReleaseTable.details(of: record, as: output))
    }
}
