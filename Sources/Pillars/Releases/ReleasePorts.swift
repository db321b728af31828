// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model
package import Ports

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

    /// The files in a folder that fit one of the patterns (`build/**/*.xml`), in order of their paths.
    func reports(matching patterns: [String], in folder: String) async throws -> [ReportFile]

    /// A file's bytes. Throws `invalidInput` where it is gone, or too large for a report.
    func contents(of report: ReportFile) async throws -> [UInt8]
}

/// A file that a command wrote for others to read.
package struct ReportFile: Sendable, Hashable {
    /// As a person would write it: relative to the folder.
    package var name: String
    package var path: String
    /// Differs whenever the file was written anew.
    package var stamp: String

    package init(name: String, path: String, stamp: String) {
        self.name = name
        self.path = path
        self.stamp = stamp
    }
}

/// Makes images from Containerfiles by a program of this machine.
package protocol ContainerfileBuilder: Sendable {
    /// Readies a build. Throws `invalidInput` where the program or the file is missing, with what to do.
    func prepare(_ plan: ContainerfilePlan) async throws -> ContainerfileBuild
}

/// What is built from a Containerfile.
package struct ContainerfilePlan: Sendable {
    /// Absolute.
    package var file: String
    /// The folder that its `COPY`s read.
    package var context: String
    /// Tells this app's builds from those of others.
    package var name: String
    package var labels: [String: String]
    package var architecture: String
    /// A login, and the registry that it is for.
    package var credentials: (registry: String, login: RegistryCredentials)?

    package init(
        file: String,
        context: String,
        name: String,
        labels: [String: String],
        architecture: String,
        credentials: (registry: String, login: RegistryCredentials)?
    ) {
        self.file = file
        self.context = context
        self.name = name
        self.labels = labels
        self.architecture = architecture
        self.credentials = credentials
    }
}

/// A build that is ready: a shell command, and what is there once it has succeeded.
package struct ContainerfileBuild: Sendable {
    package var command: String
    package var result: @Sendable () async throws -> BuiltImage

    package init(command: String, result: @escaping @Sendable () async throws -> BuiltImage) {
        self.command = command
        self.result = result
    }
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
