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
    @OptionGroup var data: DataFolderOption
    @Option(name: .shortAndLong, help: "What to print on stdout: a line of text, or the record as json.")
    var output: ReleaseOutput = .text

    func run() async throws {
        let file = try AppFile.load(path)
        let record = try await withProgress { progress in
            try await Compositions.require().release(file, dataFolder: data.path, progress: progress)
        }
        switch output {
        case .text: Terminal.result("released \(record.app) \(record.number): \(record.image ?? "")")
        case .json: Terminal.result(record.json.prettyText)
        }
    }

    /// A live view on a terminal, plain lines elsewhere; the terminal is as it was when this returns.
    private func withProgress<Value: Sendable>(
        _ work: (any ReleaseProgress) async throws -> Value
    ) async throws -> Value {
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
