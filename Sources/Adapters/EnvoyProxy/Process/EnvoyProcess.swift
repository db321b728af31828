// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Logging
import Model
import Ports
import Subprocess
import SystemPackage
import Telemetry

/// Keeps one Envoy running until the surrounding task is cancelled; one that ends is started again, later each time.
struct EnvoyProcess: Sendable {
    let configuration: EnvoyConfiguration
    let clock: any Clock<Duration>
    let telemetry: Telemetry
    let state: EnvoyState

    private static let steady = Duration.seconds(30)

    func run() async throws {
        let backoff = BackoffSchedule(first: .milliseconds(100), limit: .seconds(10))
        var failures = 0
        while !Task.isCancelled {
            let start = ContinuousClock.now
            let end = try await runOnce()
            guard !Task.isCancelled else { return }
            failures = ContinuousClock.now - start > Self.steady ? 1 : failures + 1
            let delay = backoff.delay(afterFailures: failures, chance: 0)
            telemetry.emit(EnvoyEnded(how: end, lastWords: state.lastWords, delay: delay))
            state.noteRestart()
            try? await clock.sleep(for: delay)
        }
    }

    /// Runs it once and says how it ended.
    private func runOnce() async throws -> String {
        var options = PlatformOptions()
        // The terminal's Ctrl-C is for us; we end Envoy last.
        options.processGroupID = 0
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(5))]
        let result = try await Subprocess.run(
            .path(FilePath(configuration.program)),
            arguments: Arguments(arguments),
            environment: .inherit,
            platformOptions: options,
            input: .none,
            output: .discarded,
            error: .sequence
        ) { execution in
            for try await line in execution.standardError.strings() { hear(line) }
        }
        return "\(result.terminationStatus)"
    }

    private var arguments: [String] {
        [
            "-c", configuration.bootstrapPath, "--concurrency", "\(configuration.threads)", "--disable-hot-restart",
            "--log-level", "warning", "--log-format", "%l %v", "--drain-time-s", "5", "--drain-strategy", "immediate",
        ]
    }

    /// Passes a line on with the level that Envoy gave it; what carries none is a line of a crash.
    private func hear(_ line: String) {
        let text = line.hasSuffix("\n") ? String(line.dropLast()) : line
        guard !text.isEmpty else { return }
        state.noteWords(text)
        // What is rejected is offered again and again, and Envoy says the same each time.
        guard state.isNews(text) else { return }
        telemetry.log.log(level: Self.level(of: text), "envoy", metadata: ["says": "\(text)"])
    }

    static func level(of line: String) -> Logger.Level {
        switch line.prefix(while: { $0 != " " }) {
        case "trace", "debug", "info": .debug
        case "error", "critical": .warning
        default: .notice
        }
    }
}

/// Envoy ended although nobody asked it to.
struct EnvoyEnded: TelemetryEvent {
    let how: String
    let lastWords: [String]
    let delay: Duration

    func record(on telemetry: Telemetry) {
        telemetry.log.error(
            "envoy ended and is started again",
            metadata: [
                "how": "\(how)", "in": "\(delay)", "lastWords": "\(lastWords.suffix(3).joined(separator: " | "))",
            ]
        )
        telemetry.count("envoy_restarts_total")
    }
}
