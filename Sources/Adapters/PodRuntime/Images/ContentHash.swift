// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CLibCrypto
import Model

/// SHA-256 over bytes as they come.
@safe struct ContentHash: ~Copyable {
    /// Owned by this value alone: freed in `deinit`, never handed out.
    private let context: OpaquePointer

    init() {
        guard let context = unsafe EVP_MD_CTX_new(), unsafe EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            fatalError("libcrypto has no SHA-256 or no memory")
        }
        unsafe self.context = context
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    mutating func update(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBytes { unsafe _ = EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
    }

    consuming func digest() -> Digest {
        var sum = [UInt8](repeating: 0, count: 32)
        unsafe sum.withUnsafeMutableBufferPointer { unsafe _ = EVP_DigestFinal_ex(context, $0.baseAddress, nil) }
        let digits = Array("0123456789abcdef".utf8)
        let hex = String(decoding: sum.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
        guard let digest = Digest(hex: hex) else { fatalError("64 hex digits are a digest") }
        return digest
    }

    static func digest(of bytes: [UInt8]) -> Digest {
        var hash = ContentHash()
        hash.update(bytes.span)
        return hash.digest()
    }
}
