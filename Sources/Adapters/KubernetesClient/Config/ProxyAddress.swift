// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model

/// A proxy on the way to a cluster: `proxy-url` of a kubeconfig, or the environment's.
package struct ProxyAddress: Sendable, Hashable, CustomStringConvertible {
    package enum Scheme: String, Sendable {
        /// By CONNECT.
        case http
        case socks5
    }

    package var scheme: Scheme
    package var host: String
    package var port: Int
    package var login: KubeUser.Basic?

    /// For people: without its login.
    package var description: String { "\(scheme.rawValue)://\(host):\(port)" }

    /// As it is written in a kubeconfig, login and all.
    package var text: String {
        var parts = URLComponents()
        (parts.scheme, parts.host, parts.port) = (scheme.rawValue, host.contains(":") ? "[\(host)]" : host, port)
        (parts.user, parts.password) = (login?.username, login?.password)
        return parts.string ?? description
    }

    /// Throws `invalidInput` naming what is wrong; secrets in the text are not repeated.
    package init(_ text: String) throws {
        guard let parts = URLComponents(string: text.contains("://") ? text : "http://\(text)"),
            let host = parts.host, !host.isEmpty
        else { throw Failure(.invalidInput, "is no address such as 'http://proxy.example:3128'") }
        switch parts.scheme {
        case "http": scheme = .http
        case "socks5", "socks5h": scheme = .socks5
        case "https":
            throw Failure(
                .invalidInput,
                "names a proxy that is itself reached by TLS, which is not supported; use http://"
            )
        default: throw Failure(.invalidInput, "has the scheme '\(parts.scheme ?? "")'; known are http and socks5")
        }
        self.host = host.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        port = parts.port ?? (scheme == .http ? 80 : 1080)
        guard let user = parts.user else { return }
        guard scheme == .http else {
            throw Failure(.invalidInput, "has a login, which is supported for http proxies only")
        }
        login = KubeUser.Basic(username: user, password: parts.password ?? "")
    }

    /// The proxy that the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`, upper or lower case) names for a server.
    package static func ofEnvironment(_ environment: [String: String], for server: String) throws -> ProxyAddress? {
        guard let parts = URLComponents(string: server), let host = parts.host?.lowercased() else { return nil }
        let isPlain = parts.scheme == "http"
        let names = isPlain ? ["HTTP_PROXY", "http_proxy"] : ["HTTPS_PROXY", "https_proxy"]
        guard let name = names.first(where: { environment[$0]?.isEmpty == false }), let text = environment[name] else {
            return nil
        }
        let exceptions = environment["NO_PROXY"] ?? environment["no_proxy"] ?? ""
        let port = parts.port ?? (isPlain ? 80 : 443)
        if isDirect(host.trimmingCharacters(in: CharacterSet(charactersIn: "[]")), port, exceptions) { return nil }
        do {
            return try ProxyAddress(text)
        } catch let failure as Failure {
            throw Failure(.invalidInput, "the environment's \(name) \(failure.message)")
        }
    }

    private static func isDirect(_ host: String, _ port: Int, _ exceptions: String) -> Bool {
        if host == "localhost" || host.hasPrefix("127.") || host == "::1" { return true }
        return exceptions.split(whereSeparator: { $0 == "," || $0 == " " }).contains { rule in
            var rule = rule.lowercased()
            if rule == "*" { return true }
            if let colon = rule.lastIndex(of: ":"), rule.count(where: { $0 == ":" }) == 1 {
                guard Int(rule[rule.index(after: colon)...]) == port else { return false }
                rule = String(rule[..<colon])
            }
            if rule.contains("/") { return IPv4Block(rule)?.contains(host) ?? false }
            if rule.hasPrefix("*.") { rule.removeFirst() }
            if rule.hasPrefix(".") { return host.hasSuffix(rule) }
            return host == rule || host.hasSuffix(".\(rule)")
        }
    }
}

/// `10.0.0.0/8`.
private struct IPv4Block {
    private let network: UInt32
    private let mask: UInt32

    init?(_ text: String) {
        let parts = text.split(separator: "/")
        guard parts.count == 2, let bits = Int(parts[1]), (0...32).contains(bits), let base = Self.number(parts[0])
        else {
            return nil
        }
        mask = bits == 0 ? 0 : UInt32.max << (32 - UInt32(bits))
        network = base & mask
    }

    func contains(_ host: String) -> Bool { Self.number(host).map { $0 & mask == network } ?? false }

    private static func number(_ text: some StringProtocol) -> UInt32? {
        let bytes = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        guard bytes.count == 4, !bytes.contains(nil) else { return nil }
        return bytes.reduce(0) { $0 << 8 | UInt32($1 ?? 0) }
    }
}
