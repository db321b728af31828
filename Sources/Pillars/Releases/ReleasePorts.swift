// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// Runs commands of the person at the terminal, on this machine.
package protocol CommandRunner: Sendable {
    /// Runs a shell command in a folder and hands its output over line by line, both streams in the order of arrival.
    ///
    /// Returns the exit code (128 + signal where it was killed). After `timeout` the command and all it started are
    /// killed and `deadlineExceeded` is thrown; on cancellation they are killed too.
    func run(
        _ command: String,
        in folder: String,
        timeout: Duration,
        output: @escaping @Sendable (String) async -> Void
    ) async throws -> Int32
}

/// Where a release tells what it is doing.
package protocol ReleaseProgress: Sendable {
    func report(_ event: ReleaseEvent) async
}

/// One thing that happened during a release.
package enum ReleaseEvent: Sendable {
    case started(app: AppName, number: Int)
    case stageStarted(Stage)
    /// A line of a command's output.
    case output(step: String, line: String)
    /// Something done or awaited, for a person: "pushed 3 layers, 41 MiB".
    case note(String)
    /// What is awaited now, in a few words; the next such event replaces it: "0 of 2 new pods ready".
    case waiting(String)
    /// How all that is awaited in one cluster stands; the next of that cluster replaces it.
    case health(HealthReport)
    /// Why what was awaited in a cluster does not come, and what the container at fault said last.
    case diagnosed(cluster: String, Diagnosis, lastLines: [String])
    case stageEnded(Stage, took: Duration)
    /// Why is thrown; what was changed is being put back.
    case stageFailed(Stage, took: Duration)
}

/// The three stages of a release.
package enum Stage: String, Sendable, CaseIterable {
    case test, image, pods
}
