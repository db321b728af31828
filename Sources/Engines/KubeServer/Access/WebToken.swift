// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// A signed JSON Web Token in its compact form, taken apart.
struct WebToken: Sendable {
    var head: JSON
    var claims: JSON
    /// What the signature is of.
    var message: [UInt8]
    var signature: [UInt8]

    /// `nil` for what is no such token.
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let head = Self.json(parts[0]), let claims = Self.json(parts[1]),
            let signature = Self.decoded(parts[2])
        else { return nil }
        self.head = head
        self.claims = claims
        self.signature = signature
        message = Array("\(parts[0]).\(parts[1])".utf8)
    }

    static func sign(_ claims: JSON, by signer: any TokenSigner) throws -> String {
        let head: JSON = ["alg": .string(signer.algorithm), "kid": .string(signer.keyID)]
        let message = "\(encoded(head.bytes)).\(encoded(claims.bytes))"
        return "\(message).\(encoded(try signer.sign(Array(message.utf8))))"
    }

    private static func json(_ text: Substring) -> JSON? {
        guard let bytes = decoded(text), let json = try? JSON(parsing: bytes), json.object != nil else { return nil }
        return json
    }

    /// Base64 in the form for addresses, without padding.
    static func encoded(_ bytes: [UInt8]) -> String {
        String(
            Base64.encode(bytes).compactMap { character in
                switch character {
                case "+": "-"
                case "/": "_"
                case "=": nil
                default: character
                }
            }
        )
    }

    static func decoded(_ text: Substring) -> [UInt8]? {
        guard text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "=") })
        else { return nil }
        let plain = text.replacing("-", with: "+").replacing("_", with: "/")
        return Base64.decode(plain + String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4))
    }
}
