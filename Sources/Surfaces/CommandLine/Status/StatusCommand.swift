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
    @OptionGroup var home: HomeOptions
    @Option(name: .shortAndLong, help: "Only this namespace.") var namespace: String?
    @Option(name: .shortAndLong, help: "How to print it.") var output: OutputFormat = .table

    func run() async throws {
        let all = try await Compositions.require().withClusters(home: home.choice) { [namespace] home, clusters in
            try await AppStatus.read(from: home, clusters: clusters, namespace: namespace)
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
            let header = ["NAMESPACE", "APP", "RELEASE", "PHASE", "READY", "DRIFT", "IMAGE"]
            let table = TextTable(
                header + (isWide ? ["OWNER", "STARTED"] : []) + ["MESSAGE"],
                rows.map { $0.cells(isWide: isWide) }
            ).text
            guard hasPods else { return table }
            return ([table] + details(of: rows)).joined(separator: "\n\n")
        }
    }
}

extension StatusCommand {
    /// A table of the pods, and one of what differs from the last release.
    private static func details(of rows: [AppStatus]) -> [String] {
        var parts: [String] = []
        let pods = rows.flatMap(\.pods)
        let isElsewhere = pods.contains { $0.cluster != .local }
        let lines = pods.map {
            (isElsewhere ? [$0.cluster.text] : []) + [$0.name, $0.trouble ?? "Ready", "\($0.restarts)"]
        }
        let header = (isElsewhere ? ["CLUSTER"] : []) + ["POD", "STATE", "RESTARTS"]
        if !lines.isEmpty { parts.append(TextTable(header, lines).text) }
        let drift = rows.flatMap(\.drift).flatMap { drift in
            (drift.trouble.map { ["does not answer: \($0)"] } ?? drift.lines).map { [drift.cluster.text, $0] }
        }
        if !drift.isEmpty { parts.append(TextTable(["CLUSTER", "DRIFT (FOUND -> RELEASED)"], drift).text) }
        return parts
    }
}

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case table, wide, json
}
