// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import RegistryClient

/// How the person or the job that runs a command reaches registries.
enum RegistryAccess {
    /// With the logins of this machine. `BALLAST_PLAIN_REGISTRIES` names registries without TLS, `BALLAST_TOKEN_HOSTS` hosts
    /// beside a registry's own that may see its login: `host` or `host:port`, with commas between.
    static func ofThisPerson(
        _ environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> HTTPImageRegistries {
        registries(environment, DockerLogins(environment: environment))
    }

    /// The same without the logins: pods bring their own.
    static func ofTheNode(
        _ environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> HTTPImageRegistries { registries(environment, nil) }

    private static func registries(_ environment: [String: String], _ logins: DockerLogins?) -> HTTPImageRegistries {
        func hosts(_ variable: String) -> Set<String> {
            Set((environment[variable] ?? "").split { $0 == "," || $0.isWhitespace }.map(String.init))
        }
        return HTTPImageRegistries(
            plainHosts: hosts("BALLAST_PLAIN_REGISTRIES"),
            tokenHosts: hosts("BALLAST_TOKEN_HOSTS"),
            logins: logins
        )
    }
}
