// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import ArgumentParser
import Model
import UnixSignals

#if canImport(Glibc)
    import Glibc
#endif

/// Runs one command line and decides the exit code.
package enum CommandLineRunner {
    /// Parses `arguments` (without the program's name) and runs the verb on `composition`.
    ///
    /// Results go to stdout, everything else to stderr. Returns the process's exit code: 0 is success only.
    package static func run(_ arguments: [String], on composition: any Composition) async -> Int32 {
        do {
            var command = try BallastCommand.parseAsRoot(arguments)
            guard command is any AsyncParsableCommand else {
                try command.run()
                return 0
            }
            try await Compositions.$current.withValue(composition) {
                try await untilSignal(arguments, composition)
            }
            return 0
        } catch let failure as Failure {
            Terminal.note("error: \(failure)")
            return failure.code.exitCode
        } catch is CancellationError {
            Terminal.note("interrupted")
            return 130
        } catch {
            let message = BallastCommand.fullMessage(for: error)
            let code = BallastCommand.exitCode(for: error)
            if code.isSuccess { Terminal.result(message) } else { Terminal.note(message) }
            return code.rawValue
        }
    }
}

extension CommandLineRunner {
    /// Runs a verb; the first SIGINT or SIGTERM cancels it, the second hastens its end, and one more ends the process.
    private static func untilSignal(_ arguments: [String], _ composition: any Composition) async throws {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        // A task of its own, so that the signal cancels the verb and nothing else.
        let verb = Task {
            guard var command = try BallastCommand.parseAsRoot(arguments) as? any AsyncParsableCommand else { return }
            try await command.run()
        }
        // It lives as long as the process: the verb's end ends both.
        let listener = Task {
            var count = 0
            for await _ in signals {
                count += 1
                if count == 2, composition.hurry() { continue }
                if count > 1 {
                    Terminal.showCursor()
                    _exit(130)
                }
                verb.cancel()
            }
        }
        defer { listener.cancel() }
        try await verb.value
    }
}
