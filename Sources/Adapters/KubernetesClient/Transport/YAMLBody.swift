// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// JSON for servers that read it as YAML 1.1, as they do with server-side apply.
///
/// There some characters end a line even inside quotes (and become a space), and some must not stand there at all. JSON lets
/// each be written as an escape that YAML knows too. All of them can only stand inside of texts.
enum YAMLBody {
    static func bytes(of json: JSON) -> [UInt8] {
        let bytes = json.bytes
        guard bytes.contains(where: { $0 == 0x7F || $0 == 0xC2 || $0 == 0xE2 || $0 == 0xEF }) else { return bytes }
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count + 16)
        var place = 0
        while place < bytes.count {
            guard let (length, code) = special(bytes[place...]) else {
                output.append(bytes[place])
                place += 1
                continue
            }
            output += "\\u\(String(repeating: "0", count: 4 - code.count))\(code)".utf8
            place += length
        }
        return output
    }

    /// How many bytes the special character at the start has, and its number in hexadecimal.
    private static func special(_ bytes: ArraySlice<UInt8>) -> (length: Int, code: String)? {
        let first = bytes[bytes.startIndex]
        if first == 0x7F { return (1, "7f") }
        guard first >= 0xC2, bytes.count > 1 else { return nil }
        let second = bytes[bytes.startIndex + 1]
        // The second half of the control characters, with the next-line one among them.
        if first == 0xC2 { return second < 0xA0 ? (2, String(second, radix: 16)) : nil }
        guard bytes.count > 2 else { return nil }
        switch (first, second, bytes[bytes.startIndex + 2]) {
        case (0xE2, 0x80, 0xA8): return (3, "2028")
        case (0xE2, 0x80, 0xA9): return (3, "2029")
        case (0xEF, 0xBB, 0xBF): return (3, "feff")
        case (0xEF, 0xBF, 0xBE): return (3, "fffe")
        case (0xEF, 0xBF, 0xBF): return (3, "ffff")
        default: return nil
        }
    }
}
