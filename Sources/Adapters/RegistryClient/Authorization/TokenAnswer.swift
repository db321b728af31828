// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What a token service answered.
struct TokenAnswer: Sendable, Hashable {
    var token: String
    /// How long the token is good for, from when it was asked for.
    var life: Duration
    /// What the next token can be asked for with.
    var refreshToken: String?

    /// Nobody keeps a token longer than this.
    private static let longest = 86_400

    /// Services say `token` or `access_token`; without `expires_in` a token is good for 60 seconds.
    init?(_ json: JSON) {
        let token = [json["token"]?.string, json["access_token"]?.string].compactMap(\.self).first { !$0.isEmpty }
        // It becomes part of a header.
        guard let token, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        self.token = token
        let seconds = json["expires_in"].flatMap { $0.int ?? $0.string.flatMap { Int($0) } } ?? 60
        life = .seconds(min(max(seconds, 0), Self.longest))
        refreshToken = json["refresh_token"]?.string.flatMap { $0.isEmpty ? nil : $0 }
    }
}
