// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import ArgumentParser
import Model
import Releases

/// `ballast release`: an app from its source into its clusters.
struct ReleaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Test an app, build its image and roll it out."
    )

    @Argument(help: "A folder with a ballast.yaml, or the file itself.") var path = "."
    @Option(name: .customLong("to"), help: "Only into this cluster of the file; may be repeated.") var clusters:
        [String] = []
    @OptionGroup var home: HomeOptions
    @Option(
        name: .shortAndLong,
        help: "What to print: text, or json (the record on stdout, an event per line on stderr)."
    )
    var output: ReleaseOutput = .text

    @Flag(help: "Print what would change in the clusters, and change nothing.") var dryRun = false
    @Option(
        help:
            "Take over what belongs to somebody else: 'all', a field, an object such as deployment/cart, or object:field."
    )
    var take: [String] = []

    func run() async throws {
        var file = try AppFile.load(path)
        _ = try TakenFields(take)
        file.app.takenFields = take
        if dryRun { return try await printPlan(of: file) }
        let names = clusters.map { ClusterName($0) }
        let record = try await Self.withProgress(output) { [file] progress in
            try await Compositions.require().release(file, to: names, home: home.choice, progress: progress)
        }
        switch output {
        case .text:
            Terminal.result("released \(record.app) \(record.number): \(record.image ?? "")")
            // Only what runs in the embedded cluster is behind its edge.
            let isHere = record.clusters.contains { $0.cluster == .local && $0.phase == .succeeded }
            let port = isHere ? try Compositions.require().edgePort(home: home.choice) : nil
            for line in Self.answers(of: file.app.overridden(for: .local), edgePort: port) { Terminal.note(line) }
        case .json: Terminal.result(record.json.prettyText)
        }
    }

    private func printPlan(of file: AppFile) async throws {
        let names = clusters.map { ClusterName($0) }
        let plans = try await Compositions.require().withClusters(home: home.choice) { home, clusters in
            try await ReleaseDryRun(home: home, clusters: clusters).plan(file, to: names)
        }
        switch output {
        case .text: Terminal.result(PlanTable.text(of: plans))
        case .json: Terminal.result(JSON.array(plans.map(\.json)).prettyText)
        }
    }

    /// How to ask the app at the edge, a line for each host; a few are enough.
    static func answers(of app: App, edgePort: Int?) -> [String] {
        guard let edgePort else { return [] }
        let places = app.routes.flatMap { route in route.hosts.map { (host: $0, path: route.paths.first ?? "/") } }
        return places.prefix(3).map { host, path in
            let name = host.hasPrefix("*.") ? "any" + host.dropFirst() : host
            return "try: curl -H 'Host: \(name)' http://127.0.0.1:\(edgePort)\(path)"
        }
    }

    /// A live view on a terminal, JSON where that is what is asked for, plain lines elsewhere; the terminal is as it was
    /// when this returns.
    static func withProgress<Value: Sendable>(
        _ output: ReleaseOutput,
        _ work: (any ReleaseProgress) async throws -> Value
    ) async throws -> Value {
        if output == .json { return try await work(EventLines()) }
        guard let size = Terminal.size else { return try await work(PlainProgress()) }
        let live = LiveProgress(size: size)
        do {
            let value = try await work(live)
            await live.end()
            return value
        } catch {
            await live.end()
            throw error
        }
    }
}

enum ReleaseOutput: String, ExpressibleByArgument, CaseIterable {
    case text, json
}
