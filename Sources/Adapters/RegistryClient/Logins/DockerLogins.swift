// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
package import Model
import Ports

/// The logins that `docker login`, `podman login` or a CI job left on this machine.
///
/// Files are read anew each time, so that a job that refreshes its login is heard.
package struct DockerLogins: RegistryLogins {
    private let files: [String]
    private let path: String

    /// - Parameter environment: as the process has it; `HOME`, `PATH`, `DOCKER_CONFIG`, `REGISTRY_AUTH_FILE`,
    ///   `XDG_RUNTIME_DIR` and `XDG_CONFIG_HOME` count.
    package init(environment: [String: String]) {
        func folder(_ variable: String, _ rest: String) -> String? {
            environment[variable].flatMap { $0.isEmpty ? nil : "\($0)/\(rest)" }
        }
        path = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        files = [
            environment["REGISTRY_AUTH_FILE"].flatMap { $0.isEmpty ? nil : $0 },
            folder("DOCKER_CONFIG", "config.json"),
            folder("XDG_RUNTIME_DIR", "containers/auth.json"),
            folder("XDG_CONFIG_HOME", "containers/auth.json") ?? folder("HOME", ".config/containers/auth.json"),
            folder("HOME", ".docker/config.json"), folder("HOME", ".dockercfg"),
        ].compactMap(\.self)
    }

    /// The first file that has a login for the repository counts.
    package func login(for host: String, repository: String) async throws -> (RegistryCredentials, origin: String)? {
        for file in files {
            guard let bytes = FileManager.default.contents(atPath: file) else { continue }
            let login: (RegistryCredentials, origin: String)?
            do {
                login = try await self.login(in: DockerConfig(parsing: Array(bytes)), file, host, repository)
            } catch let failure as Failure {
                throw Failure(failure.code, "'\(file)': \(failure.message)", cause: failure.cause)
            } catch let error where error is JSONError {
                throw Failure(.invalidInput, "'\(file)' is no JSON", cause: error)
            }
            if let login { return login }
        }
        return nil
    }

    /// A helper of the registry's own first, then what is written in the file, then the helper of all registries.
    private func login(
        in config: DockerConfig,
        _ file: String,
        _ host: String,
        _ repository: String
    ) async throws -> (RegistryCredentials, origin: String)? {
        if let helper = config.ownHelper(for: host, repository: repository), let login = try await ask(helper) {
            return (login, "docker-credential-\(helper.name)")
        }
        if let login = try config.entry(for: host, repository: repository)?.login() { return (login, "'\(file)'") }
        guard config.store != nil, let helper = config.helper(for: host, repository: repository),
            let login = try await ask(helper)
        else { return nil }
        return (login, "docker-credential-\(helper.name)")
    }

    private func ask(_ helper: DockerConfig.Helper) async throws -> RegistryCredentials? {
        try await CredentialHelper(name: helper.name, path: path).login(for: helper.server)
    }
}
