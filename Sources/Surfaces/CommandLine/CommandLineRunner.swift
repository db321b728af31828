// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import ArgumentParser
import Model

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
            return try await Compositions.$current.withValue(composition) {
                if var asynchronous = command as? any AsyncParsableCommand {
                    try await asynchronous.run()
                } else {
                    try command.run()
                }
                return 0
            }
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

/// Where text for a person goes.
package enum Terminal {
    /// One result line on stdout.
    package static func result(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

    /// One line of progress or trouble on stderr.
    package static func note(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard written > 0 else { return }
            rest = rest.dropFirst(written)
        }
    }
}
