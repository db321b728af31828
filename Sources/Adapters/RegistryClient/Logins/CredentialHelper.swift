// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Subprocess
import SystemPackage

/// A program `docker-credential-<name>` that keeps or makes logins: asked by a word and an address, it answers with JSON.
struct CredentialHelper: Sendable {
    let name: String
    /// Where programs are looked for.
    let path: String
    var patience = Duration.seconds(30)

    private var program: String { "docker-credential-\(name)" }

    /// `nil` where the helper knows no login for the address. Throws where it is missing, fails or hangs.
    func login(for server: String) async throws -> RegistryCredentials? {
        guard !name.contains("/"), let file = find() else {
            throw Failure(
                .notFound,
                "the credential helper '\(program)' is not on PATH; install it or log in without it"
            )
        }
        let answer = try await run(file, server)
        guard answer.isSuccess else {
            let said = answer.output.isEmpty ? answer.errors : answer.output
            // Helpers tell by these words alone that they have nothing.
            if said.contains("credentials not found") { return nil }
            throw Failure(
                .unavailable,
                "the credential helper '\(program)' failed for '\(server)': \(Self.firstLine(said))"
            )
        }
        guard let json = try? JSON(parsing: Array(answer.output.utf8)), let secret = json["Secret"]?.string else {
            throw Failure(.fault, "the credential helper '\(program)' answered for '\(server)' without a 'Secret'")
        }
        let user = json["Username"]?.string ?? ""
        guard !user.isEmpty || !secret.isEmpty else { return nil }
        // By this name a helper says that what it gives is no password but an identity token.
        guard user != "<token>" else { return RegistryCredentials(username: "", password: "", identityToken: secret) }
        return RegistryCredentials(username: user, password: secret)
    }

    private func find() -> String? {
        path.split(separator: ":").map { "\($0)/\(program)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    private struct Answer: Sendable {
        var isSuccess: Bool
        var output: String
        var errors: String
    }

    private func run(_ file: String, _ server: String) async throws -> Answer {
        try await withThrowingTaskGroup(of: Answer?.self) { group in
            group.addTask {
                // Written before the helper runs, since many end without having read it, and that must not end us.
                let (question, ours) = try FileDescriptor.pipe()
                _ = try ours.closeAfter { try ours.writeAll(server.utf8.prefix(4096)) }
                let result = try await Subprocess.run(
                    .path(FilePath(file)),
                    arguments: ["get"],
                    environment: .inherit.updating(["PATH": path]),
                    input: .fileDescriptor(question, closeAfterSpawningProcess: true),
                    output: .string(limit: 1 << 20),
                    error: .string(limit: 64 << 10)
                )
                return Answer(
                    isSuccess: result.terminationStatus.isSuccess,
                    output: result.standardOutput,
                    errors: result.standardError
                )
            }
            group.addTask { [patience] in
                try await Task.sleep(for: patience)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let answer = first else {
                let limit = patience.components.seconds
                throw Failure(.deadlineExceeded, "the credential helper '\(program)' did not answer within \(limit) s")
            }
            return answer
        }
    }

    private static func firstLine(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).first.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
        return line.isEmpty ? "it said nothing" : line
    }
}
