// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Why a document is no XML, and where.
struct XMLError: Error, CustomStringConvertible {
    var problem: String
    var offset: Int
    var description: String { "\(problem) at byte \(offset)" }
}

/// Walks the elements of an XML document in UTF-8. Entities that a document defines itself are not expanded.
struct XMLScanner {
    enum Event: Equatable {
        /// An empty element is a start and an end.
        case start(String, attributes: [String: String])
        case end(String)
        case text(String)
    }

    private let bytes: [UInt8]
    private var place = 0
    private var open: [String] = []
    private var hasRoot = false
    /// The end of an element that was empty.
    private var pendingEnd: String?

    init(_ bytes: [UInt8]) {
        self.bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
    }

    /// `nil` at the end of a whole document.
    mutating func next() throws(XMLError) -> Event? {
        if let name = pendingEnd {
            pendingEnd = nil
            open.removeLast()
            return .end(name)
        }
        while place < bytes.count {
            guard bytes[place] == UInt8(ascii: "<") else {
                let text = try readText()
                guard !open.isEmpty else {
                    guard text.allSatisfy(\.isWhitespace) else { throw error("text outside of any element") }
                    continue
                }
                return .text(text)
            }
            if skip("<!--") {
                try skip(past: "-->")
            } else if skip("<![CDATA[") {
                let start = place
                try skip(past: "]]>")
                return .text(String(decoding: bytes[start..<(place - 3)], as: UTF8.self))
            } else if skip("<?") {
                try skip(past: "?>")
            } else if skip("<!") {
                try skipDeclaration()
            } else if skip("</") {
                return try readEnd()
            } else {
                return try readStart()
            }
        }
        guard open.isEmpty else { throw error("the document ends inside of '\(open[open.count - 1])'") }
        guard hasRoot else { throw error("there is no element") }
        return nil
    }

    // MARK: parts

    private mutating func readStart() throws(XMLError) -> Event {
        place += 1
        guard !open.isEmpty || !hasRoot else { throw error("a second root element") }
        hasRoot = true
        let name = try readName()
        var attributes: [String: String] = [:]
        while true {
            skipSpace()
            guard let byte = current else { throw error("the document ends inside of a tag") }
            if byte == UInt8(ascii: ">") {
                place += 1
                open.append(name)
                return .start(name, attributes: attributes)
            }
            if skip("/>") {
                open.append(name)
                pendingEnd = name
                return .start(name, attributes: attributes)
            }
            let key = try readName()
            skipSpace()
            guard skip("=") else { throw error("an attribute without value") }
            skipSpace()
            attributes[key] = try readValue()
        }
    }

    private mutating func readEnd() throws(XMLError) -> Event {
        let name = try readName()
        skipSpace()
        guard skip(">") else { throw error("an end tag that does not end") }
        guard let last = open.popLast(), last == name else { throw error("'</\(name)>' ends nothing") }
        return .end(name)
    }

    /// Without its prefix.
    private mutating func readName() throws(XMLError) -> String {
        let start = place
        while let byte = current, !Self.endsName.contains(byte) { place += 1 }
        guard place > start else { throw error("a name is missing") }
        let name = String(decoding: bytes[start..<place], as: UTF8.self)
        return name.split(separator: ":").last.map(String.init) ?? name
    }

    private static let endsName = Set(" \t\r\n=/><\"'".utf8)

    private mutating func readValue() throws(XMLError) -> String {
        guard let quote = current, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
            throw error("a value without quotes")
        }
        place += 1
        let start = place
        while let byte = current, byte != quote {
            guard byte != UInt8(ascii: "<") else { throw error("'<' inside of a value") }
            place += 1
        }
        guard current == quote else { throw error("a value that does not end") }
        defer { place += 1 }
        return try expanded(bytes[start..<place])
    }

    private mutating func readText() throws(XMLError) -> String {
        let start = place
        while let byte = current, byte != UInt8(ascii: "<") { place += 1 }
        return try expanded(bytes[start..<place])
    }

    private func expanded(_ bytes: ArraySlice<UInt8>) throws(XMLError) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        guard bytes.contains(UInt8(ascii: "&")) else { return text }
        var result = ""
        var rest = Substring(text)
        while let start = rest.firstIndex(of: "&") {
            result += rest[..<start]
            rest = rest[rest.index(after: start)...]
            guard let end = rest.prefix(64).firstIndex(of: ";") else { throw error("'&' begins no entity") }
            result += Self.entity(rest[..<end])
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    private static func entity(_ name: Substring) -> String {
        switch name {
        case "lt": return "<"
        case "gt": return ">"
        case "amp": return "&"
        case "quot": return "\""
        case "apos": return "'"
        default:
            let isHex = name.hasPrefix("#x")
            let number = name.hasPrefix("#") ? UInt32(name.dropFirst(isHex ? 2 : 1), radix: isHex ? 16 : 10) : nil
            return number.flatMap { Unicode.Scalar($0) }.map { String($0) } ?? "\u{FFFD}"
        }
    }

    // MARK: skipping

    private var current: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func skip(_ text: StaticString) -> Bool {
        let wanted = Array("\(text)".utf8)
        guard bytes.count - place >= wanted.count, bytes[place..<(place + wanted.count)].elementsEqual(wanted) else {
            return false
        }
        place += wanted.count
        return true
    }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { place += 1 }
    }

    private mutating func skip(past text: String) throws(XMLError) {
        let wanted = Array(text.utf8)
        while bytes.count - place >= wanted.count {
            if bytes[place] == wanted[0], bytes[place..<(place + wanted.count)].elementsEqual(wanted) {
                place += wanted.count
                return
            }
            place += 1
        }
        throw error("'\(text)' is missing")
    }

    /// A document type, with what stands in its brackets.
    private mutating func skipDeclaration() throws(XMLError) {
        var depth = 1
        while let byte = current {
            place += 1
            if byte == UInt8(ascii: "<") { depth += 1 }
            if byte == UInt8(ascii: ">") { depth -= 1 }
            if depth == 0 { return }
        }
        throw error("a declaration that does not end")
    }

    private func error(_ problem: String) -> XMLError { XMLError(problem: problem, offset: place) }
}
