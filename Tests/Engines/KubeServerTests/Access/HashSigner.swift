// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
import Model

@testable import KubeServer

/// Signs with a secret and SHA-256: enough to tell a right token from a wrong one.
struct HashSigner: TokenSigner {
    let algorithm = "ES256"
    let keyID = "test"
    let keySet = Array("{\"keys\":[]}".utf8)

    func sign(_ message: [UInt8]) throws -> [UInt8] {
        Array("\(ContentHash.digest(of: Array("secret".utf8) + message))".utf8)
    }

    func accepts(_ signature: [UInt8], of message: [UInt8], keyID: String?) -> Bool {
        keyID == self.keyID && (try? sign(message)) == signature
    }
}
