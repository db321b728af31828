// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation

/// Where a registry's API is, and which addresses belong to it.
struct RegistryAddress: Sendable, Hashable {
    /// As image names write it.
    let host: String
    let base: URL

    /// `plainHosts` are spoken to without TLS, and so is this machine.
    init?(host: String, plainHosts: Set<String>) {
        // Docker's registry is not where image names say.
        let authority = host == "docker.io" ? "registry-1.docker.io" : host
        guard let secure = URL(string: "https://\(authority)"), let name = secure.host(), secure.path.isEmpty else {
            return nil
        }
        let isPlain = plainHosts.contains(host) || plainHosts.contains(name) || Self.isLoopback(name)
        guard let base = isPlain ? URL(string: "http://\(authority)") : secure else { return nil }
        self.host = host
        self.base = base
    }

    static func isLoopback(_ name: String) -> Bool {
        if ["localhost", "::1", "[::1]"].contains(name) || name.hasSuffix(".localhost") { return true }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// `path` is below `/v2/`; both are percent-encoded already.
    func url(_ path: String, query: String = "") -> URL? {
        URL(string: "\(base.absoluteString)/v2/\(path)\(query.isEmpty ? "" : "?\(query)")")
    }

    /// Whether an address has this registry's scheme, host and port; only then may it see an authorization.
    func isOrigin(of url: URL) -> Bool {
        url.scheme == base.scheme && url.host() == base.host() && Self.port(url) == Self.port(base)
    }

    private static func port(_ url: URL) -> Int { url.port ?? (url.scheme == "https" ? 443 : 80) }

    /// Where an upload's `Location` leads: absolute or relative, with its own query kept.
    ///
    /// A registry behind a proxy that ends TLS may name itself with `http`; its own host is still spoken to with TLS.
    func location(_ text: String, from request: URL) -> URL? {
        guard let url = URL(string: text, relativeTo: request)?.absoluteURL else { return nil }
        guard base.scheme == "https", url.scheme == "http", url.host() == base.host(), url.port == base.port else {
            return url
        }
        return URL(string: "https" + url.absoluteString.dropFirst(4))
    }

    /// The address to which an upload is finished: the digest joins whatever the query says already.
    static func finishing(_ location: URL, digest: String) -> URL? {
        let text = location.absoluteString
        let encoded = digest.replacing(":", with: "%3A")
        return URL(string: text + (text.contains("?") ? "&" : "?") + "digest=" + encoded)
    }
}
