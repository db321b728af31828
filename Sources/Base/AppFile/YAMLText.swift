// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// Writes JSON values as YAML that people like to read and that every parser reads the same.
package enum YAMLText {
    /// A document in block style, with a line break at its end.
    package static func document(_ value: JSON) -> String {
        switch value {
        case .object(let members) where !members.isEmpty: block(members, 0)
        case .array(let elements) where !elements.isEmpty: block(elements, 0)
        default: scalar(value) + "\n"
        }
    }

    private static func block(_ members: JSONObject, _ indent: Int) -> String {
        members.map { key, value in pad(indent) + text(key) + ":" + tail(value, indent) }.joined()
    }

    private static func block(_ elements: [JSON], _ indent: Int) -> String {
        elements.map { element in
            guard case .object(let members) = element, !members.isEmpty else {
                if case .array(let inner) = element, !inner.isEmpty {
                    return pad(indent) + "-\n" + block(inner, indent + 2)
                }
                return pad(indent) + "- " + scalar(element) + "\n"
            }
            // The first member stands beside the dash.
            return pad(indent) + "- " + block(members, indent + 2).dropFirst(indent + 2)
        }.joined()
    }

    private static func tail(_ value: JSON, _ indent: Int) -> String {
        switch value {
        case .object(let members) where !members.isEmpty: "\n" + block(members, indent + 2)
        case .array(let elements) where !elements.isEmpty: "\n" + block(elements, indent + 2)
        case .string(let text) where text.contains("\n"): " " + literal(text, indent + 2)
        default: " " + scalar(value) + "\n"
        }
    }

    /// A block scalar where its rules keep every character, else a quoted one.
    private static func literal(_ text: String, _ indent: Int) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let isPlain = text.unicodeScalars.allSatisfy { $0 == "\n" || (0x20..<0x7F).contains($0.value) }
        let body = text.hasSuffix("\n") ? lines.dropLast() : lines[...]
        guard isPlain, let first = body.first, !first.isEmpty, first.first != " ", body.last?.isEmpty == false else {
            return scalar(.string(text)) + "\n"
        }
        let head = text.hasSuffix("\n") ? "|\n" : "|-\n"
        return head + body.map { ($0.isEmpty ? "" : pad(indent) + $0) + "\n" }.joined()
    }

    private static func pad(_ indent: Int) -> String { String(repeating: " ", count: indent) }

    private static func scalar(_ value: JSON) -> String {
        switch value {
        case .string(let string): text(string)
        case .object: "{}"
        case .array: "[]"
        default: value.text
        }
    }

    /// Plain where nothing could take it for something else, in either dialect.
    private static func text(_ text: String) -> String {
        let isSimple =
            !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || "-_./".utf8.contains(byte)
            }
        let first = text.utf8.first ?? 0
        let startsAsWord = (0x41...0x5A).contains(first) || (0x61...0x7A).contains(first) || first == UInt8(ascii: "/")
        if isSimple, startsAsWord, !reserved.contains(text.lowercased()) { return text }
        // JSON's strings are YAML's double-quoted ones, but that YAML breaks lines at more characters.
        return JSON.string(text).text.unicodeScalars.map { scalar in
            guard breaks.contains(scalar.value) || (0x7F...0x9F).contains(scalar.value) else { return String(scalar) }
            let digits = String(scalar.value, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }.joined()
    }

    private static let breaks: Set<UInt32> = [0x2028, 0x2029, 0xFEFF]

    private static let reserved: Set<String> = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf",
    ]
}
