// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Subprocess
import SystemPackage

#if canImport(Glibc)
    import Glibc
#endif

extension CredentialPlugin {
    /// Whether the plugin gets the terminal, if there is one.
    var isInteractive: Bool { interaction != .never && isatty(STDIN_FILENO) == 1 }
}

/// Runs a credential plugin; it gets a minute, or five where it talks to a person.
enum PluginProcess {
    private static let outputLimit = 1 << 20

    @Sendable static func run(_ plugin: CredentialPlugin, telling request: JSON) async throws -> [UInt8] {
        if plugin.interaction == .always, !plugin.isInteractive {
            throw Failure(.denied, "the credential plugin '\(plugin.command)' needs a terminal, and there is none")
        }
        let limit = Duration.seconds(plugin.isInteractive ? 300 : 60)
        return try await withThrowingTaskGroup(of: [UInt8].self) { group in
            group.addTask { try await output(of: plugin, request) }
            group.addTask {
                try await Task.sleep(for: limit)
                throw Failure(
                    .deadlineExceeded,
                    "the credential plugin '\(plugin.command)' took longer than \(limit.components.seconds) s"
                )
            }
            defer { group.cancelAll() }
            // The group has two children, so there is a first result.
            return try await group.next() ?? []
        }
    }

    private static func output(of plugin: CredentialPlugin, _ request: JSON) async throws -> [UInt8] {
        let executable: Executable =
            plugin.command.contains("/") ? .path(FilePath(plugin.command)) : .name(plugin.command)
        var variables: [Environment.Key: String?] = ["KUBERNETES_EXEC_INFO": request.text]
        for (name, value) in plugin.environment { variables[Environment.Key(stringLiteral: name)] = value }
        let arguments = Arguments(plugin.arguments)
        let environment = Environment.inherit.updating(variables)
        do {
            // The person sees what the program says, and answers it.
            if plugin.isInteractive {
                let result = try await Subprocess.run(
                    executable,
                    arguments: arguments,
                    environment: environment,
                    input: .fileDescriptor(.standardInput, closeAfterSpawningProcess: false),
                    output: .bytes(limit: outputLimit),
                    error: .fileDescriptor(.standardError, closeAfterSpawningProcess: false)
                )
                return try check(result.terminationStatus, result.standardOutput, said: "", plugin)
            }
            var options = PlatformOptions()
            options.processGroupID = 0
            options.teardownSequence = [
                .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .milliseconds(100))
            ]
            let result = try await Subprocess.run(
                executable,
                arguments: arguments,
                environment: environment,
                platformOptions: options,
                input: .none,
                output: .bytes(limit: outputLimit),
                error: .string(limit: outputLimit)
            )
            return try check(result.terminationStatus, result.standardOutput, said: result.standardError, plugin)
        } catch let error as SubprocessError {
            try Task.checkCancellation()
            throw refusal(plugin, "cannot be run", cause: error)
        }
    }

    private static func check(
        _ status: TerminationStatus,
        _ output: [UInt8],
        said: String,
        _ plugin: CredentialPlugin
    ) throws -> [UInt8] {
        try Task.checkCancellation()
        guard status.isSuccess else {
            let last = said.split(whereSeparator: \.isNewline).last.map { ": \($0.prefix(300))" } ?? ""
            throw refusal(plugin, "failed (\(status))\(last)")
        }
        return output
    }

    private static func refusal(_ plugin: CredentialPlugin, _ what: String, cause: (any Error)? = nil) -> Failure {
        let hint = plugin.installHint.map { "; \($0.split(whereSeparator: \.isNewline).joined(separator: " "))" } ?? ""
        return Failure(.denied, "the credential plugin '\(plugin.command)' \(what)\(hint)", cause: cause)
    }
}
