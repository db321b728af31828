// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import ArgumentParser
import Model
import Releases

/// `ballast clusters list`: which clusters there are, and how they are.
struct ClustersListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Show the clusters: version, nodes, whether they answer and how fast."
    )

    @OptionGroup var home: HomeOptions
    @Option(name: .shortAndLong, help: "How to print it.") var output: ListFormat = .table

    func run() async throws {
        let states = try await Compositions.require().clusterStates(home: home.choice)
        Terminal.result(Self.text(of: states, as: output))
    }

    static func text(of states: [ClusterState], as output: ListFormat) -> String {
        switch output {
        case .json: return JSON.array(states.map(\.json)).prettyText
        case .yaml: return YAMLText.of(.array(states.map(\.json)))
        case .table, .wide:
            let isWide = output == .wide
            let header =
                ["NAME", "VERSION", "NODES", "LATENCY"] + (isWide ? ["SERVER", "USER", "ADDED"] : []) + ["STATUS"]
            return TextTable(header, states.map { cells(of: $0, isWide: isWide) }).text
        }
    }

    private static func cells(of state: ClusterState, isWide: Bool) -> [String] {
        let nodes = state.nodes.map { $0.ready == $0.all ? "\($0.all)" : "\($0.ready)/\($0.all)" } ?? "-"
        let latency = state.latency.map { "\(ClusterState.milliseconds($0)) ms" } ?? "-"
        let wide = [state.server, state.user ?? "-", state.added?.description ?? "-"]
        let status = state.trouble.map { "unreachable: \($0)" } ?? "reachable"
        return [state.name, state.version ?? "-", nodes, latency] + (isWide ? wide : []) + [status]
    }
}

/// How lists are printed.
enum ListFormat: String, ExpressibleByArgument, CaseIterable {
    case table, wide, json, yaml
}
