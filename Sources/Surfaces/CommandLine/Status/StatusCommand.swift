// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import ArgumentParser
import Model
import Ports
import Releases

/// `ballast status`: what runs, and which release it is of.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the apps, their releases and their pods."
    )

    @Argument(help: "Only this app.") var app: String?
    @OptionGroup var data: DataFolderOption
    @Option(name: .shortAndLong, help: "Only this namespace.") var namespace: String?
    @Option(name: .shortAndLong, help: "table or json.") var output: OutputFormat = .table

    func run() async throws {
        let all = try await Compositions.require().withCluster(dataFolder: data.path) { [namespace] cluster in
            try await AppStatus.read(from: cluster, namespace: namespace)
        }
        let rows = all.filter { app == nil || $0.app == app }
        if let app, rows.isEmpty { throw Failure(.notFound, "there is no app '\(app)'; 'ballast release' makes one") }
        switch output {
        case .json: Terminal.result(JSON.array(rows.map(\.json)).prettyText)
        case .table:
            Terminal.result(
                TextTable(
                    ["NAMESPACE", "APP", "RELEASE", "PHASE", "READY", "IMAGE", "MESSAGE"],
                    rows.map(\.cells)
                ).text
            )
        }
    }
}

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case table, json
}

/// Text in aligned columns, as kubectl prints it.
struct TextTable {
    let text: String

    init(_ header: [String], _ rows: [[String]]) {
        let all = [header] + rows
        let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        text = all.map { row in
            row.enumerated().map { column, cell in
                column == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count + 3)
            }.joined()
        }.joined(separator: "\n")
    }
}
