// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials

/// Base64 as RFC 4648 defines it, as strict as the API server: padding is required, line breaks are passed over, and
/// nothing else is.
package enum Base64 {
    package static func encode(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    /// `nil` where the text is no base64.
    package static func decode(_ text: String) -> [UInt8]? {
        let letters = text.utf8.filter { $0 != 0x0A && $0 != 0x0D }
        // The library takes padding that nothing asked for.
        guard letters.count % 4 == 0 else { return nil }
        return Data(base64Encoded: Data(letters)).map { Array($0) }
    }
}
