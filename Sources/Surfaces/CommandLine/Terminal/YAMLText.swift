// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// JSON as YAML for people: block style, text in quotes only where it would be read as something else.
enum YAMLText {
    static func of(_ json: JSON) -> String { lines(of: json).joined(separator: "\n") }

    private static func lines(of json: JSON) -> [String] {
        switch json {
        case .object(let object) where !object.isEmpty:
            return object.flatMap { key, value in entry("\(scalar(.string(key))):", value, indent: "  ") }
        case .array(let elements) where !elements.isEmpty:
            return elements.flatMap { element -> [String] in
                let inner = lines(of: element)
                return ["- \(inner[0])"] + inner.dropFirst().map { "  \($0)" }
            }
        default: return [scalar(json)]
        }
    }

    private static func entry(_ head: String, _ value: JSON, indent: String) -> [String] {
        switch value {
        case .object(let object) where !object.isEmpty: [head] + lines(of: value).map { indent + $0 }
        case .array(let elements) where !elements.isEmpty: [head] + lines(of: value)
        default: ["\(head) \(scalar(value))"]
        }
    }

    private static func scalar(_ json: JSON) -> String {
        guard case .string(let text) = json else { return json.text }
        return isPlain(text) ? text : json.text
    }

    /// Whether the text is read as this very text by old and new readers alike.
    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last, last != 0x20, last != UInt8(ascii: ":") else {
            return false
        }
        let isLetter = (0x41...0x5A).contains(first) || (0x61...0x7A).contains(first) || first == UInt8(ascii: "/")
        let words: Set = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        guard isLetter, !words.contains(text.lowercased()) else { return false }
        return !text.contains(": ") && !text.contains(" #")
            && text.utf8.allSatisfy { (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "\\") }
    }
}
