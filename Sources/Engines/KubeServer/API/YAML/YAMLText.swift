// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// JSON as YAML text, in the form in which the real server writes it.
///
/// Members are sorted, numbers in names by their worth; lists stand as far left as the member that holds them; a text is
/// quoted where it would be read as something else, and folded at spaces beyond the eightieth column.
struct YAMLText {
    private var output = ""
    private var column = 0

    static func text(_ json: JSON) -> String {
        var writer = YAMLText()
        writer.writeTop(json)
        return writer.output
    }

    private mutating func writeTop(_ json: JSON) {
        switch json {
        case .object(let members) where !members.isEmpty: writeMembers(members, indent: 0, isInline: true)
        case .array(let elements) where !elements.isEmpty: writeElements(elements, indent: 0, isInline: true)
        default:
            writeScalar(json, indent: 0)
            endLine()
        }
    }

    private mutating func put(_ text: String) {
        output += text
        column += text.unicodeScalars.count
    }

    private mutating func endLine() {
        guard column > 0 else { return }
        breakLine()
    }

    private mutating func breakLine() {
        output += "\n"
        column = 0
    }

    private mutating func fill(_ indent: Int) {
        guard column < indent else { return }
        put(String(repeating: " ", count: indent - column))
    }

    /// `isInline`: the first member goes on the line that was begun.
    private mutating func writeMembers(_ members: JSONObject, indent: Int, isInline: Bool) {
        var isFirst = isInline
        for (key, value) in members.sorted(by: { NaturalOrder.precedes($0.key, $1.key) }) {
            if !isFirst {
                endLine()
                fill(indent)
            }
            isFirst = false
            writeKey(key)
            put(":")
            writeValue(value, indent: indent, below: indent)
        }
        endLine()
    }

    private mutating func writeElements(_ elements: [JSON], indent: Int, isInline: Bool) {
        var isFirst = isInline
        for element in elements {
            if !isFirst {
                endLine()
                fill(indent)
            }
            isFirst = false
            put("-")
            switch element {
            case .object(let members) where !members.isEmpty:
                put(" ")
                writeMembers(members, indent: indent + 2, isInline: true)
            case .array(let inner) where !inner.isEmpty:
                put(" ")
                writeElements(inner, indent: indent + 2, isInline: true)
            default:
                put(" ")
                writeScalar(element, indent: indent + 2)
            }
        }
        endLine()
    }

    private mutating func writeValue(_ value: JSON, indent: Int, below: Int) {
        switch value {
        case .object(let members) where !members.isEmpty:
            endLine()
            fill(indent + 2)
            writeMembers(members, indent: indent + 2, isInline: true)
        case .array(let elements) where !elements.isEmpty:
            endLine()
            fill(below)
            writeElements(elements, indent: below, isInline: true)
        default:
            put(" ")
            writeScalar(value, indent: indent + 2)
        }
    }

    private mutating func writeKey(_ key: String) {
        let form = ScalarForm(key)
        switch form.style(isKey: true) {
        case .plain: put(key)
        case .single: put("'\(key.replacing("'", with: "''"))'")
        default: put(ScalarForm.doubleQuoted(key))
        }
    }

    private mutating func writeScalar(_ json: JSON, indent: Int) {
        switch json {
        case .null: put("null")
        case .bool(let flag): put(flag ? "true" : "false")
        case .number(let number): put(number.text)
        case .object: put("{}")
        case .array: put("[]")
        case .string(let text): writeText(text, indent: indent)
        }
    }

    private mutating func writeText(_ text: String, indent: Int) {
        switch ScalarForm(text).style(isKey: false) {
        case .plain: fold(text, indent: indent, isPlain: true) { String($0) }
        case .single:
            put("'")
            fold(text, indent: indent, isPlain: false) { $0 == "'" ? "''" : String($0) }
            put("'")
        case .double:
            put("\"")
            fold(text, indent: indent, isPlain: false, marksSpaces: true) { ScalarForm.escaped($0) }
            put("\"")
        case .literal: writeLiteral(text, indent: indent)
        }
    }

    private static let width = 80

    private mutating func fold(
        _ text: String,
        indent: Int,
        isPlain: Bool,
        marksSpaces: Bool = false,
        _ shown: (Unicode.Scalar) -> String
    ) {
        let scalars = Array(text.unicodeScalars)
        var wasSpace = false
        for (place, scalar) in scalars.enumerated() {
            let next = place + 1 < scalars.count ? scalars[place + 1] : nil
            guard scalar == " " else {
                put(shown(scalar))
                wasSpace = false
                continue
            }
            let isInside = isPlain || place > 0 && place < scalars.count - 1
            if !wasSpace, column > Self.width, isInside, marksSpaces || next != " " {
                breakLine()
                fill(indent)
                if marksSpaces, next == " " { put("\\") }
            } else {
                put(" ")
            }
            wasSpace = true
        }
    }

    /// Line by line; a head says what the ends of the text are like.
    private mutating func writeLiteral(_ text: String, indent: Int) {
        put("|")
        if text.first == " " || text.first == "\n" { put("2") }
        if !text.hasSuffix("\n") {
            put("-")
        } else if text == "\n" || text.hasSuffix("\n\n") {
            put("+")
        }
        breakLine()
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        for line in lines {
            if !line.isEmpty {
                fill(indent)
                put(line)
            }
            breakLine()
        }
    }
}
