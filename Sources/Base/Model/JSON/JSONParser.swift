// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Why a text is no JSON, and where.
package struct JSONError: Error, Equatable, CustomStringConvertible {
    package enum Reason: String, Sendable {
        case unexpectedEnd = "unexpected end of JSON input"
        case unexpectedByte = "unexpected character"
        case badNumber = "invalid number"
        case badEscape = "invalid escape in string"
        case badUTF8 = "invalid UTF-8 in string"
        case controlCharacter = "control character in string"
        case tooDeep = "nested too deeply"
        case trailing = "unexpected data after top-level value"
    }

    package var reason: Reason
    /// Byte offset into the input.
    package var offset: Int

    package var description: String { "\(reason.rawValue) at offset \(offset)" }
}

extension JSON {
    /// Parses one value by RFC 8259, at most 1000 levels deep; a repeated key keeps its last value.
    package init(parsing bytes: some Sequence<UInt8>) throws(JSONError) {
        var parser = JSONParser(bytes)
        self = try parser.parseDocument()
    }

    package init(parsing text: String) throws(JSONError) { try self.init(parsing: text.utf8) }
}

/// A recursive-descent JSON reader that also remembers repeated keys, which strict field validation reports.
package struct JSONParser {
    /// Paths of members that occurred more than once, such as `spec.replicas`, in order of discovery.
    package private(set) var duplicates: [String] = []

    private let bytes: [UInt8]
    private var offset = 0
    private static let depthLimit = 1000

    package init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

    /// Reads the whole input as one value.
    package mutating func parseDocument() throws(JSONError) -> JSON {
        let value = try parseValue(depth: 0)
        skipSpace()
        guard offset == bytes.count else { throw JSONError(reason: .trailing, offset: offset) }
        return value
    }

    private func failure(_ reason: JSONError.Reason) -> JSONError { JSONError(reason: reason, offset: offset) }

    private mutating func skipSpace() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x09, 0x0A, 0x0D: offset += 1
            default: return
            }
        }
    }

    private mutating func peek() throws(JSONError) -> UInt8 {
        skipSpace()
        guard offset < bytes.count else { throw failure(.unexpectedEnd) }
        return bytes[offset]
    }

    private mutating func parseValue(depth: Int) throws(JSONError) -> JSON {
        guard depth < Self.depthLimit else { throw failure(.tooDeep) }
        switch try peek() {
        case UInt8(ascii: "{"): return try parseObject(depth: depth)
        case UInt8(ascii: "["): return try parseArray(depth: depth)
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "t"): return try take("true", as: .bool(true))
        case UInt8(ascii: "f"): return try take("false", as: .bool(false))
        case UInt8(ascii: "n"): return try take("null", as: .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try parseNumber())
        default: throw failure(.unexpectedByte)
        }
    }

    private mutating func take(_ word: String, as value: JSON) throws(JSONError) -> JSON {
        for byte in word.utf8 {
            guard offset < bytes.count else { throw failure(.unexpectedEnd) }
            guard bytes[offset] == byte else { throw failure(.unexpectedByte) }
            offset += 1
        }
        return value
    }

    private mutating func parseObject(depth: Int) throws(JSONError) -> JSON {
        offset += 1
        var object = JSONObject()
        guard try peek() != UInt8(ascii: "}") else {
            offset += 1
            return .object(object)
        }
        while true {
            guard try peek() == UInt8(ascii: "\"") else { throw failure(.unexpectedByte) }
            let key = try parseString()
            guard try peek() == UInt8(ascii: ":") else { throw failure(.unexpectedByte) }
            offset += 1
            let known = duplicates.count
            let value = try parseValue(depth: depth + 1)
            if duplicates.count > known { prefixDuplicates(since: known, with: key) }
            if !object.insert(key, value) { duplicates.append(key) }
            guard try nextElement(closing: UInt8(ascii: "}")) else { return .object(object) }
        }
    }

    private mutating func parseArray(depth: Int) throws(JSONError) -> JSON {
        offset += 1
        var elements: [JSON] = []
        guard try peek() != UInt8(ascii: "]") else {
            offset += 1
            return .array(elements)
        }
        while true {
            let known = duplicates.count
            elements.append(try parseValue(depth: depth + 1))
            if duplicates.count > known { prefixDuplicates(since: known, with: "[\(elements.count - 1)]") }
            guard try nextElement(closing: UInt8(ascii: "]")) else { return .array(elements) }
        }
    }

    /// Paths grow from their end, so that texts without repeated keys cost nothing.
    private mutating func prefixDuplicates(since start: Int, with step: String) {
        for place in duplicates[start...].indices {
            let tail = duplicates[place]
            duplicates[place] = tail.hasPrefix("[") ? step + tail : "\(step).\(tail)"
        }
    }

    /// Moves past `,` and says true, or past the closing byte and says false.
    private mutating func nextElement(closing: UInt8) throws(JSONError) -> Bool {
        let byte = try peek()
        guard byte == UInt8(ascii: ",") || byte == closing else { throw failure(.unexpectedByte) }
        offset += 1
        return byte != closing
    }

    private mutating func parseNumber() throws(JSONError) -> JSONNumber {
        let start = offset
        func isDigit(_ at: Int) -> Bool { at < bytes.count && bytes[at] &- 0x30 < 10 }
        if bytes[offset] == UInt8(ascii: "-") { offset += 1 }
        guard isDigit(offset) else { throw failure(.badNumber) }
        if bytes[offset] == UInt8(ascii: "0") {
            offset += 1
        } else {
            while isDigit(offset) { offset += 1 }
        }
        if offset < bytes.count, bytes[offset] == UInt8(ascii: ".") {
            offset += 1
            guard isDigit(offset) else { throw failure(.badNumber) }
            while isDigit(offset) { offset += 1 }
        }
        if offset < bytes.count, bytes[offset] | 0x20 == UInt8(ascii: "e") {
            offset += 1
            if offset < bytes.count, bytes[offset] == UInt8(ascii: "+") || bytes[offset] == UInt8(ascii: "-") {
                offset += 1
            }
            guard isDigit(offset) else { throw failure(.badNumber) }
            while isDigit(offset) { offset += 1 }
        }
        return JSONNumber(text: String(decoding: bytes[start..<offset], as: UTF8.self))
    }

    private mutating func parseString() throws(JSONError) -> String {
        let start = offset + 1
        var cursor = start
        var seen: UInt8 = 0
        while cursor < bytes.count {
            let byte = bytes[cursor]
            if byte == UInt8(ascii: "\"") {
                offset = cursor + 1
                return try text(start..<cursor, isASCII: seen < 0x80)
            }
            if byte == UInt8(ascii: "\\") {
                offset = cursor
                return try parseEscapedString(from: start)
            }
            guard byte >= 0x20 else {
                offset = cursor
                throw failure(.controlCharacter)
            }
            seen |= byte
            cursor += 1
        }
        offset = cursor
        throw failure(.unexpectedEnd)
    }

    /// Plain ASCII, the common case, needs no validation.
    private func text(_ range: Range<Int>, isASCII: Bool) throws(JSONError) -> String {
        if isASCII { return String(decoding: bytes[range], as: UTF8.self) }
        guard let text = String(validating: bytes[range], as: UTF8.self) else {
            throw JSONError(reason: .badUTF8, offset: range.lowerBound)
        }
        return text
    }

    private mutating func parseEscapedString(from start: Int) throws(JSONError) -> String {
        var text = Array(bytes[start..<offset])
        while offset < bytes.count {
            let byte = bytes[offset]
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw JSONError(reason: .badUTF8, offset: start)
                }
                offset += 1
                return string
            case UInt8(ascii: "\\"):
                offset += 1
                try parseEscape(into: &text)
            case 0..<0x20: throw failure(.controlCharacter)
            default:
                text.append(byte)
                offset += 1
            }
        }
        throw failure(.unexpectedEnd)
    }

    private mutating func parseEscape(into text: inout [UInt8]) throws(JSONError) {
        guard offset < bytes.count else { throw failure(.unexpectedEnd) }
        let byte = bytes[offset]
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): try parseUnicodeEscape(into: &text)
        default: throw JSONError(reason: .badEscape, offset: offset - 1)
        }
    }

    /// A lone surrogate becomes U+FFFD, as Go and browsers read it.
    private mutating func parseUnicodeEscape(into text: inout [UInt8]) throws(JSONError) {
        var code = UInt32(try parseHex())
        if code & 0xFC00 == 0xD800, offset + 1 < bytes.count, bytes[offset] == UInt8(ascii: "\\"),
            bytes[offset + 1] == UInt8(ascii: "u")
        {
            let mark = offset
            offset += 2
            let low = UInt32(try parseHex())
            if low & 0xFC00 == 0xDC00 {
                code = 0x10000 + (code & 0x3FF) << 10 + low & 0x3FF
            } else {
                offset = mark
            }
        }
        text.append(contentsOf: Array(String(Unicode.Scalar(code) ?? "\u{FFFD}").utf8))
    }

    private mutating func parseHex() throws(JSONError) -> UInt16 {
        guard offset + 4 <= bytes.count else { throw failure(.unexpectedEnd) }
        var code: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(bytes[offset])).hexDigitValue, bytes[offset] < 0x80 else {
                throw failure(.badEscape)
            }
            code = code << 4 | UInt16(digit)
            offset += 1
        }
        return code
    }
}
