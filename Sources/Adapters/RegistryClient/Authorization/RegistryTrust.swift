// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model

/// Which hosts beside a registry's own may be asked for tokens, and which of them may see a login.
struct RegistryTrust: Sendable {
    /// Spoken to without TLS though they are not this machine: `host` or `host:port`.
    var plainHosts: Set<String> = []
    /// May see the logins of any registry: `host` or `host:port`.
    var tokenHosts: Set<String> = []

    /// Why a token service must not be asked; `nil` where it may be.
    ///
    /// A login goes to the registry's own host and to hosts of the same site alone, and never over a line that is less safe than
    /// the registry's. Without a login any service may be asked but those that only this machine reaches.
    func refusal(of realm: URL, for registry: URL, hasLogin: Bool) -> String? {
        guard let host = realm.host()?.lowercased(), let own = registry.host()?.lowercased(),
            ["http", "https"].contains(realm.scheme ?? ""), realm.user() == nil
        else { return "names '\(realm)' as its token service, which is no usable address" }
        guard host != own, !names(tokenHosts, realm) else {
            return isAsSafe(realm, as: registry)
                ? nil : "sends logins to '\(realm)', which is not encrypted; none was sent"
        }
        if AddressKind(host).isLocal, !AddressKind(own).isLocal {
            return
                "sends us to '\(realm)' for a token, which is an address of this machine or its link; \(Self.advice(host))"
        }
        guard hasLogin else { return nil }
        guard isAsSafe(realm, as: registry) else {
            return "sends logins to '\(realm)', which is not encrypted; none was sent"
        }
        guard Self.areOneSite(own, host) else {
            return "sends logins to '\(host)', which is none of its own hosts; none was sent; \(Self.advice(host))"
        }
        return nil
    }

    private static func advice(_ host: String) -> String { "if that is right, name '\(host)' in BALLAST_TOKEN_HOSTS" }

    private func isAsSafe(_ realm: URL, as registry: URL) -> Bool {
        realm.scheme == "https" || registry.scheme == "http" || names(plainHosts, realm)
            || RegistryAddress.isLoopback(realm.host() ?? "")
    }

    private func names(_ hosts: Set<String>, _ url: URL) -> Bool {
        guard let host = url.host() else { return false }
        return hosts.contains(host) || hosts.contains("\(host):\(url.port ?? (url.scheme == "https" ? 443 : 80))")
    }

    /// Whether one owner answers for both names, as far as names tell.
    static func areOneSite(_ registry: String, _ other: String) -> Bool {
        if registry == other { return true }
        if AddressKind(registry) == .loopback, AddressKind(other) == .loopback { return true }
        if let alibaba = AlibabaRegistry(host: registry) { return alibaba.isTokenHost(other) }
        guard let site = site(of: registry) else { return false }
        return site == self.site(of: other)
    }

    /// The part of a name that one owner has: `example.com`, `example.co.uk`, `internal`; `nil` for addresses, bare names and
    /// the domains where strangers have names side by side.
    private static func site(of host: String) -> String? {
        let labels = host.split(separator: ".").map(String.init)
        guard AddressKind(host) == .name, labels.count > 1, let last = labels.last else { return nil }
        if privateTops.contains(last) { return last }
        let isCountry = last.count == 2 && labels[labels.count - 2].count <= 3
        let count = isCountry ? 3 : 2
        guard labels.count >= count else { return nil }
        let site = labels.suffix(count).joined(separator: ".")
        return shared.contains(site) ? nil : site
    }

    private static let privateTops: Set<String> = [
        "internal", "local", "lan", "corp", "home", "intranet", "private", "test", "localhost",
    ]
    private static let shared: Set<String> = [
        "aliyuncs.com", "amazonaws.com", "azurewebsites.net", "cloudapp.net", "cloudfront.net", "github.io",
        "gitlab.io", "googleapis.com", "herokuapp.com", "myqcloud.com", "r2.dev", "run.app", "vercel.app", "web.app",
        "windows.net", "workers.dev",
    ]
}

/// What a host's name says of where it is.
enum AddressKind: Equatable {
    case name, loopback
    /// Reached on the same link alone, where clouds keep their metadata services.
    case linkLocal
    case address

    init(_ host: String) {
        let bare = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        let parts = bare.split(separator: ".", omittingEmptySubsequences: false).compactMap { UInt8($0) }
        if RegistryAddress.isLoopback(host) || bare == "::1" || bare == "0.0.0.0" || bare == "::" {
            self = .loopback
        } else if parts.count == 4 {
            self = parts[0] == 169 && parts[1] == 254 ? .linkLocal : .address
        } else if bare.contains(":") {
            let start = bare.lowercased().prefix(3)
            let isMapped = bare.lowercased().hasPrefix("::ffff:")
            self = ["fe8", "fe9", "fea", "feb"].contains(start) || isMapped ? .linkLocal : .address
        } else {
            // Numbers such as 2130706433 or 0x7f000001 are addresses to some resolvers.
            let isNumber = bare.allSatisfy { $0.isHexDigit || $0 == "x" || $0 == "." } && bare.first?.isNumber == true
            self = isNumber && !bare.contains(where: { $0.isLetter && $0 != "x" }) ? .linkLocal : .name
        }
    }

    var isLocal: Bool { self == .loopback || self == .linkLocal }
}
