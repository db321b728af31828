// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What Go's JSON decoder says about a text that is no JSON; clients show these words.
enum GoJSONErrors {
    /// The complaint for `bytes`, which our own parser refused with `error`.
    static func text(_ error: JSONError, in bytes: [UInt8]) -> String {
        guard error.offset < bytes.count, error.reason != .unexpectedEnd else {
            return "unexpected end of JSON input"
        }
        let byte = quotedByte(bytes[error.offset])
        switch error.reason {
        case .trailing: return "invalid character \(byte) after top-level value"
        case .controlCharacter: return "invalid character \(byte) in string literal"
        case .badEscape: return "invalid character \(byte) in string escape code"
        case .badNumber: return "invalid character \(byte) in numeric literal"
        case .tooDeep: return "exceeded max depth"
        default: return literal(at: error.offset, in: bytes) ?? context(at: error.offset, in: bytes, byte)
        }
    }

    /// A word that starts like `null`, `true` or `false` and goes on otherwise.
    private static func literal(at offset: Int, in bytes: [UInt8]) -> String? {
        for word in ["null", "true", "false"] {
            let letters = Array(word.utf8)
            for matched in stride(from: letters.count - 1, to: 0, by: -1) {
                let start = offset - matched
                guard start >= 0, Array(bytes[start..<offset]) == Array(letters[..<matched]) else { continue }
                let wanted = quotedByte(letters[matched])
                return "invalid character \(quotedByte(bytes[offset])) in literal \(word) (expecting \(wanted))"
            }
        }
        return nil
    }

    private static func context(at offset: Int, in bytes: [UInt8], _ byte: String) -> String {
        let before = bytes[..<offset].last { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        switch before {
        case UInt8(ascii: "{"): return "invalid character \(byte) looking for beginning of object key string"
        case nil, UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: ","):
            return "invalid character \(byte) looking for beginning of value"
        default: return "invalid character \(byte) after object key:value pair"
        }
    }

    /// Go's `'%c'` for printable ASCII, else an escape.
    private static func quotedByte(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "'"): return "'\\''"
        case UInt8(ascii: "\""): return "'\"'"
        case 0x0A: return "'\\n'"
        case 0x0D: return "'\\r'"
        case 0x09: return "'\\t'"
        case 0x20..<0x7F: return "'\(Character(Unicode.Scalar(byte)))'"
        case 0x80...: return "'\\u00\(String(byte, radix: 16))'"
        default: return "'\\x\(byte < 16 ? "0" : "")\(String(byte, radix: 16))'"
        }
    }
}
