// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// What proves to a registry, or to its token service, who asks.
package struct RegistryCredentials: Sendable, Hashable {
    package var username: String
    package var password: String
    /// Exchanged for a token instead of the password (OAuth2's refresh token).
    package var identityToken: String?
    /// A token that is shown as it is.
    package var registryToken: String?

    package init(
        username: String,
        password: String,
        identityToken: String? = nil,
        registryToken: String? = nil
    ) {
        self.username = username
        self.password = password
        self.identityToken = identityToken
        self.registryToken = registryToken
    }
}
