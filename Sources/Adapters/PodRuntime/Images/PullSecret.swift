// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model
package import Ports

/// The logins of one `kubernetes.io/dockerconfigjson` (or older `dockercfg`) Secret.
package struct PullSecret: Sendable {
    private struct Login {
        var host: String
        var port: String
        var path: String
        var credentials: RegistryCredentials
    }

    private var logins: [Login] = []

    /// Reads the Secret's data; `nil` where it is no pull secret or is damaged.
    package init?(_ secret: KubeObject) {
        let data = secret["data"] ?? [:]
        if let text = data[".dockerconfigjson"]?.string {
            guard let json = Self.decoded(text), let auths = json["auths"]?.object else { return nil }
            read(auths)
        } else if let text = data[".dockercfg"]?.string {
            guard let auths = Self.decoded(text)?.object else { return nil }
            read(auths)
        } else {
            return nil
        }
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

    private mutating func read(_ auths: JSONObject) {
        for (address, value) in auths {
            guard let credentials = Self.credentials(value) else { continue }
            var rest = Substring(address)
            for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) { rest = rest.dropFirst(scheme.count) }
            let parts = rest.split(separator: "/", maxSplits: 1)
            guard let authority = parts.first else { continue }
            var (host, port) = Self.split(String(authority))
            var path = parts.count > 1 ? String(parts[1]) : ""
            if ["v1", "v1/", "v2", "v2/"].contains(path) { path = "" }
            // Docker's own login names its index, not its registry.
            if ["index.docker.io", "registry-1.docker.io"].contains(host) { host = "docker.io" }
            if port == "443" { port = "" }
            logins.append(Login(host: host, port: port, path: path, credentials: credentials))
        }
    }

    private static func credentials(_ json: JSON) -> RegistryCredentials? {
        if let auth = json["auth"]?.string, let bytes = Base64.decode(auth) {
            let parts = String(decoding: bytes, as: UTF8.self).split(
                separator: ":",
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            guard parts.count == 2 else { return nil }
            return RegistryCredentials(username: String(parts[0]), password: String(parts[1].prefix { $0 != "\0" }))
        }
        guard let username = json["username"]?.string, let password = json["password"]?.string else { return nil }
        return RegistryCredentials(username: username, password: password)
    }

    private static func decoded(_ text: String) -> JSON? {
        Base64.decode(text).flatMap { try? JSON(parsing: $0) }
    }

    private static func split(_ authority: String) -> (host: String, port: String) {
        guard let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") else {
            return (authority, "")
        }
        return (String(authority[..<colon]), String(authority[authority.index(after: colon)...]))
    }

    private static func isPath(_ repository: String, below prefix: String) -> Bool { repository.hasPrefix(prefix) }
}
