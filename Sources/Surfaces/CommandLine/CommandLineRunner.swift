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
            try VerbNames.check(arguments)
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
            Terminal.error(failure.description)
            return failure.code.exitCode
        } catch is CancellationError {
            Terminal.note("interrupted")
            return 130
        } catch {
            return end(with: error)
        }
    }
}

extension CommandLineRunner {
    /// The parser's own ends: asked-for help on stdout, or what is wrong with the command line.
    private static func end(with error: any Error) -> Int32 {
        let code = BallastCommand.exitCode(for: error)
        if code.isSuccess {
            Terminal.result(BallastCommand.fullMessage(for: error))
        } else if code == .validationFailure {
            // The usage line of a verb with many flags hides what is wrong: the help shows it better.
            let lines = BallastCommand.fullMessage(for: error).split(separator: "\n").map(String.init)
            let said = BallastCommand.message(for: error).split(separator: "\n").first.map(String.init) ?? ""
            let help = lines.last { $0.contains("--help'") }.map { $0.trimmingPrefix { $0 == " " } } ?? ""
            Terminal.error(said.prefix(1).lowercased() + said.dropFirst())
            if !help.isEmpty { Terminal.note(help.prefix(1).lowercased() + String(help.dropFirst())) }
        } else {
            Terminal.error(ErrorWords.text(of: error))
        }
        return code.rawValue
    }

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
