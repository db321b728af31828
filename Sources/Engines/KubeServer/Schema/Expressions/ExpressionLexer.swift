// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Splits an expression's text into tokens.
struct ExpressionLexer {
    enum Token: Equatable {
        case int(String), uint(String), double(Double), string(String), bytes([UInt8])
        case identifier(String)
        /// A name between backquotes, which only a field can have.
        case quotedField(String)
        case symbol(String)
        case end
    }

    private let scalars: [Unicode.Scalar]
    private(set) var place = 0

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    private func peek(_ ahead: Int = 0) -> Unicode.Scalar? {
        place + ahead < scalars.count ? scalars[place + ahead] : nil
    }

    private func problem(_ message: String, at place: Int? = nil) -> ExpressionProblem {
        ExpressionProblem(message: "Syntax error: \(message)", place: place ?? self.place)
    }

    /// The next token and where it starts.
    mutating func next() throws(ExpressionProblem) -> (token: Token, place: Int) {
        skipSpace()
        let start = place
        guard let first = peek() else { return (.end, start) }
        if first.isDigit || first == "." && peek(1)?.isDigit == true { return (try number(), start) }
        if first == "\"" || first == "'" { return (.string(try text(isRaw: false)), start) }
        if first.isLetter {
            if let literal = try prefixedText() { return (literal, start) }
            return (.identifier(word()), start)
        }
        if first == "`" { return (try quotedField(), start) }
        return (.symbol(try symbol()), start)
    }

    private mutating func skipSpace() {
        while let scalar = peek() {
            if scalar == "/", peek(1) == "/" {
                while let other = peek(), other != "\n" { place += 1 }
            } else if scalar.properties.isWhitespace {
                place += 1
            } else {
                return
            }
        }
    }

    private mutating func word() -> String {
        var name = String.UnicodeScalarView()
        while let scalar = peek(), scalar.isLetter || scalar.isDigit {
            name.append(scalar)
            place += 1
        }
        return String(name)
    }

    private mutating func quotedField() throws(ExpressionProblem) -> Token {
        let start = place
        place += 1
        var name = String.UnicodeScalarView()
        while let scalar = peek(), scalar != "`" {
            guard scalar.isLetter || scalar.isDigit || "-./ ".unicodeScalars.contains(scalar) else { break }
            name.append(scalar)
            place += 1
        }
        guard peek() == "`", !name.isEmpty else { throw problem("token recognition error at: '`'", at: start) }
        place += 1
        return .quotedField(String(name))
    }

    private static let symbols = [
        "<=", ">=", "==", "!=", "&&", "||", ".?", "[?", "{?", "+", "-", "*", "/", "%", "<", ">", "!", "?", ":", ".",
        ",", "(",
        ")", "[", "]", "{", "}",
    ]

    private mutating func symbol() throws(ExpressionProblem) -> String {
        for symbol in Self.symbols {
            let wanted = Array(symbol.unicodeScalars)
            guard wanted.enumerated().allSatisfy({ peek($0.offset) == $0.element }) else { continue }
            place += wanted.count
            // `{?` and `[?` are two signs to everybody else; `a ? [?b] : c` is told apart by the parser.
            return symbol
        }
        throw problem("token recognition error at: '\(peek().map { String(Character($0)) } ?? "")'")
    }

    // MARK: Numbers

    private mutating func digits(_ isDigit: (Unicode.Scalar) -> Bool) -> String {
        var text = String.UnicodeScalarView()
        while let scalar = peek(), isDigit(scalar) {
            text.append(scalar)
            place += 1
        }
        return String(text)
    }

    private mutating func number() throws(ExpressionProblem) -> Token {
        let start = place
        if peek() == "0", peek(1) == "x" || peek(1) == "X" {
            place += 2
            let text = digits { $0.properties.isASCIIHexDigit }
            guard let value = UInt64(text, radix: 16) else { throw problem("invalid int literal", at: start) }
            return wholeNumber("\(value)")
        }
        var text = digits(\.isDigit)
        var isDouble = false
        if peek() == ".", peek(1)?.isDigit == true {
            isDouble = true
            place += 1
            text += "." + digits(\.isDigit)
        }
        if peek() == "e" || peek() == "E" {
            let sign = peek(1) == "+" || peek(1) == "-" ? 1 : 0
            if peek(1 + sign)?.isDigit == true {
                isDouble = true
                text += "e" + (peek(1) == "-" ? "-" : "")
                place += 1 + sign
                text += digits(\.isDigit)
            }
        }
        guard isDouble else { return wholeNumber(text) }
        guard let value = Double(text.hasPrefix(".") ? "0\(text)" : text) else {
            throw problem("invalid double literal", at: start)
        }
        return .double(value)
    }

    private mutating func wholeNumber(_ text: String) -> Token {
        guard peek() == "u" || peek() == "U" else { return .int(text) }
        place += 1
        return .uint(text)
    }

    // MARK: Text

    /// Text with `r` or `b` before it.
    private mutating func prefixedText() throws(ExpressionProblem) -> Token? {
        var ahead = 0
        var (isRaw, isBytes) = (false, false)
        while let scalar = peek(ahead), ahead < 2 {
            if "rR".unicodeScalars.contains(scalar), !isRaw {
                isRaw = true
            } else if "bB".unicodeScalars.contains(scalar), !isBytes {
                isBytes = true
            } else {
                break
            }
            ahead += 1
        }
        guard ahead > 0, peek(ahead) == "\"" || peek(ahead) == "'" else { return nil }
        place += ahead
        guard isBytes else { return .string(try text(isRaw: isRaw)) }
        return .bytes(try bytes(isRaw: isRaw))
    }

    private mutating func text(isRaw: Bool) throws(ExpressionProblem) -> String {
        var output = String.UnicodeScalarView()
        try quoted(isRaw: isRaw) { (scalar, _) in output.append(scalar) }
        return String(output)
    }

    private mutating func bytes(isRaw: Bool) throws(ExpressionProblem) -> [UInt8] {
        var output: [UInt8] = []
        try quoted(isRaw: isRaw) { (scalar, isByte) in
            if isByte {
                output.append(UInt8(truncatingIfNeeded: scalar.value))
            } else {
                output += Array(String(scalar).utf8)
            }
        }
        return output
    }

    /// Reads what stands between quotes, one or three; `isByte` marks what an escape gave by its number.
    private mutating func quoted(
        isRaw: Bool,
        _ add: (Unicode.Scalar, _ isByte: Bool) -> Void
    ) throws(ExpressionProblem) {
        let start = place
        guard let quote = peek() else { return }
        let isTriple = peek(1) == quote && peek(2) == quote
        place += isTriple ? 3 : 1
        while true {
            guard let scalar = peek(), isTriple || scalar != "\n" && scalar != "\r" else {
                throw problem("token recognition error at: '\(Character(quote))'", at: start)
            }
            if scalar == quote, !isTriple || (peek(1) == quote && peek(2) == quote) {
                place += isTriple ? 3 : 1
                return
            }
            place += 1
            guard scalar == "\\", !isRaw else {
                add(scalar, false)
                continue
            }
            let (value, isByte) = try escape()
            add(value, isByte)
        }
    }

    private static let escapes: [Unicode.Scalar: Unicode.Scalar] = [
        "a": "\u{7}", "b": "\u{8}", "f": "\u{C}", "n": "\n", "r": "\r", "t": "\t", "v": "\u{B}", "\\": "\\", "'": "'",
        "\"": "\"", "`": "`", "?": "?",
    ]

    private mutating func escape() throws(ExpressionProblem) -> (Unicode.Scalar, isByte: Bool) {
        guard let letter = peek() else { throw problem("unterminated escape") }
        if let plain = Self.escapes[letter] {
            place += 1
            return (plain, false)
        }
        let widths: [Unicode.Scalar: Int] = ["x": 2, "X": 2, "u": 4, "U": 8]
        let isOctal = ("0"..."3").contains(letter)
        guard let width = isOctal ? 3 : widths[letter] else { throw problem("unable to unescape string") }
        if !isOctal { place += 1 }
        var text = ""
        for _ in 0..<width { if let digit = peek() { (text, place) = (text + String(digit), place + 1) } }
        guard text.unicodeScalars.allSatisfy(\.properties.isASCIIHexDigit),
            let number = UInt32(text, radix: isOctal ? 8 : 16), let scalar = Unicode.Scalar(number)
        else {
            throw problem("unable to unescape string")
        }
        return (scalar, width < 4)
    }
}

extension Unicode.Scalar {
    fileprivate var isDigit: Bool { ("0"..."9").contains(self) }
    fileprivate var isLetter: Bool { ("a"..."z").contains(self) || ("A"..."Z").contains(self) || self == "_" }
}
