// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials

/// Base 64 as Secrets carry it.
enum Base64Text {
    static func decode(_ text: String) -> [UInt8]? {
        Data(base64Encoded: text, options: .ignoreUnknownCharacters).map { Array($0) }
    }
}
