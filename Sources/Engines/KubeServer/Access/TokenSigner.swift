// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Signs and checks the tokens of service accounts. The server brings no cryptography of its own.
package protocol TokenSigner: Sendable {
    /// As a token's head names it: `ES256`.
    var algorithm: String { get }
    /// Names the key that signs.
    var keyID: String { get }
    /// The public keys as a JSON Web Key Set, in JSON.
    var keySet: [UInt8] { get }
    /// The signature as it stands in a token; for ES256 64 bytes.
    func sign(_ message: [UInt8]) throws -> [UInt8]
    /// Whether a key of that name made the signature; `nil` for the name tries all keys.
    func accepts(_ signature: [UInt8], of message: [UInt8], keyID: String?) -> Bool
}
