// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
import Model

/// The `storageVersionHash` of discovery: the first 8 bytes of SHA-256 over `group/version/kind`, in base64.
enum StorageVersionHash {
    static func text(group: String, version: String, kind: String) -> String {
        let hex = Array(ContentHash.digest(of: Array("\(group)/\(version)/\(kind)".utf8)).hex.utf8)
        let bytes = (0..<8).compactMap { UInt8(String(decoding: hex[$0 * 2..<$0 * 2 + 2], as: UTF8.self), radix: 16) }
        return Base64.encode(bytes)
    }
}
