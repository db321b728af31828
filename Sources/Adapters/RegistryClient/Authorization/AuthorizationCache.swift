// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// The authorizations that registries have asked for and got, kept while they are good.
actor AuthorizationCache<C: Clock> where C.Duration == Duration {
    /// What a kept authorization is good for.
    struct Key: Sendable, Hashable {
        var registry: String
        var credentials: String
        var scopes: [String]

        /// The same for all scopes.
        var asker: Key { Key(registry: registry, credentials: credentials, scopes: []) }
    }

    private let clock: C
    private var kept: [Key: (header: String, until: C.Instant?)] = [:]
    private var askers: [Key: Asker] = [:]
    private var refreshTokens: [Key: String] = [:]

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

    func note(_ asker: Asker, for key: Key) { askers[key] = asker }
    func asker(for key: Key) -> Asker? { askers[key] }

    /// Refresh tokens belong to a login, not to a scope.
    func refreshToken(for key: Key) -> String? { refreshTokens[key.asker] }
    func keepRefreshToken(_ token: String?, for key: Key) { refreshTokens[key.asker] = token }
}
