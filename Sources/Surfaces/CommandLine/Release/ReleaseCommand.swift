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
    @OptionGroup var data: DataFolderOption
    @Option(
        name: .shortAndLong,
        help: "What to print: text, or json (the record on stdout, an event per line on stderr)."
    )
    var output: ReleaseOutput = .text

    func run() async throws {
        let file = try AppFile.load(path)
        let names = clusters.map { ClusterName($0) }
        let record = try await Self.withProgress(output) { progress in
            try await Compositions.require().release(file, to: names, dataFolder: data.path, progress: progress)
        }
        switch output {
        case .text:
            Terminal.result("released \(record.app) \(record.number): \(record.image ?? "")")
            let port = try Compositions.require().edgePort(dataFolder: data.path)
            for line in Self.answers(of: file.app.overridden(for: .local), edgePort: port) { Terminal.note(line) }
        case .json: Terminal.result(record.json.prettyText)
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
