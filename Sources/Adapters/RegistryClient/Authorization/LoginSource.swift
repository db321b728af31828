// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
import Model
import Ports

/// As whom a registry is asked.
enum LoginSource: Sendable {
    case nobody
    case fixed(RegistryCredentials)
    /// Whoever is logged in on this machine.
    case asked(any RegistryLogins)

    /// Tells sources apart without holding a password.
    var key: String {
        switch self {
        case .nobody: ""
        case .asked: "asked"
        case .fixed(let login):
            ContentHash.digest(
                of: Array(
                    [login.username, login.password, login.identityToken ?? "", login.registryToken ?? ""]
                        .joined(separator: "\u{0}").utf8
                )
            ).hex
        }
    }
}

/// Who asked in the end, for the words of a refusal.
struct Asker: Sendable {
    var credentials: RegistryCredentials?
    /// Where the login comes from; `nil` for one that was handed in.
    var origin: String?
    /// Why a login that should be there is not.
    var trouble: String?

    /// "'ada' (of '/root/.docker/config.json')"
    private var name: String {
        let user = credentials.map { $0.username.isEmpty ? "the token" : "'\($0.username)'" } ?? "nobody"
        return user + (origin.map { " (of \($0))" } ?? "")
    }

    /// What a person can do about a login that is not good, or not good enough.
    func advice(_ call: RegistryCall, host: String, isKnown: Bool) -> String {
        if let trouble { return "the login could not be had: \(trouble)" }
        guard let credentials else {
            return
                "log in by 'docker login \(host)', or name a Secret with a user name and a password in spec.image.credentials"
        }
        let rights = "ask for the right to \(call.purpose) for \(name)"
        guard !isKnown else { return rights }
        if let life = Self.lives[credentials.username]
            ?? (credentials.username.hasPrefix("cr_temp_user") ? "1 hour" : nil)
        {
            return "a login of \(name) is good for \(life): get a new one"
        }
        return "check the password of \(name), which may be wrong or expired, and what that user may do"
    }

    /// Users of clouds whose passwords end soon.
    private static let lives = [
        "AWS": "12 hours", "oauth2accesstoken": "1 hour", "00000000-0000-0000-0000-000000000000": "3 hours",
    ]
}
