// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What a token service answered.
struct TokenAnswer: Sendable, Hashable {
    var token: String
    /// How long the token is good for, from when it was asked for.
    var life: Duration

    /// Services say `token` or `access_token`; without `expires_in` a token is good for 60 seconds.
    init?(_ json: JSON) {
        guard let token = json["token"]?.string ?? json["access_token"]?.string, !token.isEmpty else { return nil }
        self.token = token
        life = .seconds(json["expires_in"]?.int ?? 60)
    }
}

/// The authorizations that registries have asked for and got, kept while they are good.
actor AuthorizationCache<C: Clock> where C.Duration == Duration {
    /// What a kept authorization is good for.
    struct Key: Sendable, Hashable {
        var registry: String
        var credentials: String
        var scopes: [String]
    }

    private let clock: C
    private var kept: [Key: (header: String, until: C.Instant?)] = [:]

    init(clock: C) { self.clock = clock }

    /// The value of an `Authorization` header that is good for a while yet.
    func header(for key: Key) -> String? {
        guard let found = kept[key] else { return nil }
        if let until = found.until, clock.now >= until {
            kept[key] = nil
            return nil
        }
        return found.header
    }

    /// Keeps a header until shortly before its life ends, or for ever.
    func keep(_ header: String, for key: Key, life: Duration?) {
        let margin = life.map { min($0 / 2, .seconds(10)) } ?? .zero
        kept[key] = (header, life.map { clock.now.advanced(by: $0 - margin) })
    }

    func forget(_ key: Key) { kept[key] = nil }
}
