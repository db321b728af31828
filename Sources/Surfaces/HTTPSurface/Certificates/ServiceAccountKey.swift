// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Crypto
import Foundation
import KubeServer
import Model

/// The key with which the embedded cluster signs the tokens of its service accounts, as ES256.
package struct ServiceAccountKey: TokenSigner {
    package let algorithm = "ES256"
    package let keyID: String
    package let keySet: [UInt8]
    private let key: P256.Signing.PrivateKey

    private init(_ key: P256.Signing.PrivateKey) {
        self.key = key
        let name = Self.encoded(SHA256.hash(data: key.publicKey.derRepresentation))
        let point = key.publicKey.rawRepresentation
        let entry: JSON = [
            "use": "sig", "kty": "EC", "kid": .string(name), "crv": "P-256", "alg": .string(algorithm),
            "x": .string(Self.encoded(point.prefix(32))), "y": .string(Self.encoded(point.suffix(32))),
        ]
        let set: JSON = ["keys": [entry]]
        keyID = name
        keySet = set.bytes
    }

    /// A key that is kept nowhere.
    package init() { self.init(P256.Signing.PrivateKey()) }

    /// Reads the key in `folder`, or makes one there, with mode 0600. Throws `fault` where that cannot be done.
    package static func prepare(in folder: String) throws -> ServiceAccountKey {
        let file = URL(fileURLWithPath: folder, isDirectory: true).appendingPathComponent("service-accounts.key")
        do {
            if FileManager.default.fileExists(atPath: file.path) {
                let text = try String(contentsOf: file, encoding: .utf8)
                return ServiceAccountKey(try P256.Signing.PrivateKey(pemRepresentation: text))
            }
            let key = P256.Signing.PrivateKey()
            try ClusterCertificates.write(key.pemRepresentation, to: file)
            return ServiceAccountKey(key)
        } catch {
            throw Failure(
                .fault,
                "the key of the service accounts, '\(file.path)', cannot be prepared; remove it to make a new one",
                cause: error
            )
        }
    }

    package func sign(_ message: [UInt8]) throws -> [UInt8] {
        [UInt8](try key.signature(for: message).rawRepresentation)
    }

    package func accepts(_ signature: [UInt8], of message: [UInt8], keyID: String?) -> Bool {
        guard keyID == nil || keyID == self.keyID,
            let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature)
        else { return false }
        return key.publicKey.isValidSignature(signature, for: message)
    }

    private static func encoded(_ bytes: some Sequence<UInt8>) -> String {
        Base64.encode(Array(bytes)).replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
