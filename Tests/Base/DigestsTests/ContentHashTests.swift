// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import Digests

@Suite("content hashes")
struct ContentHashTests {
    @Test("the digest of 'abc' is the one in FIPS 180-2")
    func knownAnswer() {
        let digest = ContentHash.digest(of: Array("abc".utf8))
        #expect(digest.hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }
}
