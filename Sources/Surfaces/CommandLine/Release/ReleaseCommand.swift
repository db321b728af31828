// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import ArgumentParser
import Model
package import Releases

/// `ballast release`: an app from its source into its clusters.
struct ReleaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Test an app, build its image and roll it out."
    )

    @Argument(help: "A folder with a ballast.yaml, or the file itself.") var path = "."
    @OptionGroup var data: DataFolderOption

    func run() async throws {
        let file = try AppFile.load(path)
        let record = try await Compositions.require().release(
            file,
            dataFolder: data.path,
            progress: PlainProgress()
        )
        Terminal.result("released \(record.app) \(record.number): \(record.image ?? "")")
    }
}

/// Progress as plain lines on stderr.
package struct PlainProgress: ReleaseProgress {
    package init() {}

    package func report(_ event: ReleaseEvent) async {
        switch event {
        case .started(let app, let number): Terminal.note("release \(app) \(number)")
        case .stageStarted(let stage): Terminal.note("\(stage.rawValue):")
        case .output(let step, let line): Terminal.note("  [\(step)] \(line)")
        case .note(let text): Terminal.note("  \(text)")
        case .stageEnded(let stage, let took):
            let milliseconds = took.components.seconds * 1000 + took.components.attoseconds / 1_000_000_000_000_000
            Terminal.note("\(stage.rawValue): done in \(milliseconds) ms")
        }
    }
}
