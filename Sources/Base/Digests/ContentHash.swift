// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CLibCrypto
package import Model

/// SHA-256 over a stream of bytes, with libcrypto's code for the processor at hand.
@safe
package final class ContentHash {
    private let context: OpaquePointer
    /// How many bytes went in.
    package private(set) var count = 0

    package init() {
        guard let context = unsafe EVP_MD_CTX_new(), unsafe EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            fatalError("libcrypto has no SHA-256")
        }
        unsafe self.context = unsafe context
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    package func update(_ bytes: Span<UInt8>) {
        let result = unsafe bytes.withUnsafeBytes { unsafe EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
        precondition(result == 1, "libcrypto refused bytes")
        count += bytes.count
    }

    /// The digest of all bytes so far; the hash must not be used after it.
    package func finish() -> Digest {
        var output = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        let result = unsafe output.withUnsafeMutableBufferPointer { buffer in
            unsafe EVP_DigestFinal_ex(context, buffer.baseAddress, &length)
        }
        precondition(result == 1 && length == 32, "libcrypto gave no digest")
        let digits = Array("0123456789abcdef".utf8)
        let hex = output.prefix(32).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        guard let digest = Digest(hex: String(decoding: hex, as: UTF8.self)) else { fatalError("hex is no hex") }
        return digest
    }

    /// The digest of bytes in memory.
    package static func digest(of bytes: [UInt8]) -> Digest {
        let hash = ContentHash()
        hash.update(bytes.span)
        return hash.finish()
    }
}
