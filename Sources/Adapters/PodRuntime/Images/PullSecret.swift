// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// The logins of one `kubernetes.io/dockerconfigjson` (or older `dockercfg`) Secret.
package struct PullSecret: Sendable {
    private struct Login {
        var host: String
        var port: String
        var path: String
        var credentials: RegistryCredentials

        /// `nil` where the entry says no name and password: it spoils only itself.
        init?(_ entry: DockerConfig.Entry) {
            guard let login = try? entry.login(), !login.username.isEmpty else { return nil }
            var rest = Substring(entry.address)
            for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) { rest = rest.dropFirst(scheme.count) }
            let parts = rest.split(separator: "/", maxSplits: 1)
            guard let authority = parts.first else { return nil }
            (host, port) = PullSecret.split(String(authority))
            path = parts.count > 1 ? String(parts[1]) : ""
            if ["v1", "v1/", "v2", "v2/"].contains(path) { path = "" }
            // Docker's own login names its index, not its registry.
            if ["index.docker.io", "registry-1.docker.io"].contains(host) { host = "docker.io" }
            if port == "443" { port = "" }
            credentials = RegistryCredentials(username: login.username, password: login.password)
        }
    }

    private var logins: [Login] = []

    /// Reads the Secret's data; `nil` where it is no pull secret or is damaged.
    package init?(_ secret: KubeObject) {
        let data = secret["data"] ?? [:]
        guard let text = (data[".dockerconfigjson"] ?? data[".dockercfg"])?.string, let bytes = Base64.decode(text),
            let config = try? DockerConfig(parsing: bytes)
        else { return nil }
        logins = config.entries.compactMap(Login.init)
    }

    /// The logins that fit the image, the longest path first, as the kubelet matches them: same port, the same number of
    /// host labels (`*` stands for any part of one), and a path that is a prefix.
    package func credentials(for image: ImageReference) -> [RegistryCredentials] {
        let (host, port) = Self.split(image.registry)
        return logins.filter { login in
            login.port == port && HostPattern.fits(host, login.host)
                && Self.isPath(image.repository, below: login.path)
        }
        .sorted { ($0.path.utf8.count, $1.host) > ($1.path.utf8.count, $0.host) }
        .map(\.credentials)
    }

    private static func split(_ authority: String) -> (host: String, port: String) {
        guard let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") else {
            return (authority, "")
        }
        return (String(authority[..<colon]), String(authority[authority.index(after: colon)...]))
    }

    private static func isPath(_ repository: String, below prefix: String) -> Bool { repository.hasPrefix(prefix) }
}
