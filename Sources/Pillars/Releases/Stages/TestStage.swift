// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports

/// Stage 1: the app's own tests, on this machine, one after the other.
struct TestStage: Sendable {
    let runner: any CommandRunner
    let output: OutputKeeper

    /// Throws `invalidInput` naming the first step that fails, with its last lines.
    func run(_ file: AppFile) async throws {
        for step in file.app.tests {
            try await output.run("test \(step.name)", step.run, in: file.folder, timeout: step.timeout, by: runner)
        }
    }
}
