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

    @Argument(help: "Only this app, with its pods.") var app: String?
    @OptionGroup var data: DataFolderOption
    @Option(name: .shortAndLong, help: "Only this namespace.") var namespace: String?
    @Option(name: .shortAndLong, help: "How to print it.") var output: OutputFormat = .table

    func run() async throws {
        let all = try await Compositions.require().withCluster(dataFolder: data.path) { [namespace] cluster in
            try await AppStatus.read(from: cluster, namespace: namespace)
        }
        let rows = all.filter { app == nil || $0.app == app }
        if let app, rows.isEmpty {
            let place = namespace.map { " in the namespace '\($0)'" } ?? ""
            throw Failure(.notFound, "there is no app '\(app)'\(place); 'ballast release' makes one")
        }
        Terminal.result(Self.text(of: rows, as: output, hasPods: app != nil))
    }

    /// What is printed; `hasPods` adds a table of the pods.
    static func text(of rows: [AppStatus], as output: OutputFormat, hasPods: Bool) -> String {
        switch output {
        case .json: return JSON.array(rows.map(\.json)).prettyText
        case .table where rows.isEmpty, .wide where rows.isEmpty:
            return "no apps yet; 'ballast init' writes a first app file"
        case .table, .wide:
            let isWide = output == .wide
            let header = ["NAMESPACE", "APP", "RELEASE", "PHASE", "READY", "IMAGE"]
            let table = TextTable(
                header + (isWide ? ["OWNER", "STARTED"] : []) + ["MESSAGE"],
                rows.map { $0.cells(isWide: isWide) }
            ).text
            let pods = rows.flatMap(\.pods)
            guard hasPods, !pods.isEmpty else { return table }
            let podRows = pods.map { [$0.name, $0.trouble ?? "Ready", "\($0.restarts)"] }
            return table + "\n\n" + TextTable(["POD", "STATE", "RESTARTS"], podRows).text
        }
    }
}

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case table, wide, json
}
