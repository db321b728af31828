// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What a request carries to say who asks.
struct Credential: Sendable, Hashable {
    /// PEM texts.
    struct Identity: Sendable, Hashable {
        var certificate: String
        var key: String
    }

    /// The header's value.
    var authorization: String?
    var identity: Identity?

    static func bearer(_ token: String) -> String { "Bearer \(token)" }
}

extension KubeUser.Basic {
    var authorization: String { "Basic " + Base64.encode(Array("\(username):\(password)".utf8)) }
}

extension KubeUser.Identity {
    func read() throws -> Credential.Identity {
        Credential.Identity(certificate: try certificate.read(), key: try key.read())
    }

    /// Whether it can change under us.
    var isInFiles: Bool {
        if case .file = certificate { return true }
        if case .file = key { return true }
        return false
    }
}

/// A token kept in a file that somebody else rotates.
enum TokenFile {
    static func read(_ path: String) throws -> String {
        let token = try Material.file(path).read().split(whereSeparator: \.isWhitespace).joined()
        guard !token.isEmpty else { throw Failure(.invalidInput, "the token file '\(path)' is empty") }
        return token
    }
}
