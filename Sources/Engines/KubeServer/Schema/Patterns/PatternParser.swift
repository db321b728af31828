// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Reads a regular expression in RE2's syntax, the dialect of CustomResourceDefinitions.
///
/// No look-around and no back references: those are errors, as in the real server. Groups capture nothing here.
struct PatternParser {
    private struct Flags {
        var ignoresCase = false
        var isMultiline = false
        var dotMatchesNewline = false
    }

    private let text: [Unicode.Scalar]
    private var offset = 0
    private var flags = Flags()
    private var depth = 0

    private static let repeatLimit = 1000
    private static let depthLimit = 200

    private init(_ pattern: String) { text = Array(pattern.unicodeScalars) }

    static func parse(_ pattern: String) throws(PatternError) -> PatternNode {
        var parser = PatternParser(pattern)
        let node = try parser.choice()
        guard parser.offset == parser.text.count else { throw parser.failure("unexpected )", from: 0) }
        return node
    }

    private func failure(_ reason: String, from start: Int, to end: Int? = nil) -> PatternError {
        PatternError(reason: reason, excerpt: excerpt(start, end ?? text.count))
    }

    private func excerpt(_ start: Int, _ end: Int) -> String {
        var output = ""
        output.unicodeScalars.append(contentsOf: text[min(start, text.count)..<min(end, text.count)])
        return output
    }

    private var next: Unicode.Scalar? { offset < text.count ? text[offset] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        offset += 1
        return true
    }

    private func starts(with prefix: String) -> Bool {
        text[offset...].starts(with: prefix.unicodeScalars)
    }

    private mutating func choice() throws(PatternError) -> PatternNode {
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func sequence() throws(PatternError) -> PatternNode {
        var nodes: [PatternNode] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            let start = offset
            guard let node = try atom() else { continue }
            nodes.append(try repeated(node, from: start))
        }
        return nodes.count == 1 ? nodes[0] : .sequence(nodes)
    }

    private func literal(_ scalar: Unicode.Scalar) -> PatternNode {
        let set = ScalarSet(scalar)
        return .scalars(flags.ignoresCase ? set.foldingCase : set)
    }

    /// One thing that can be repeated; `nil` for a change of flags.
    private mutating func atom() throws(PatternError) -> PatternNode? {
        let start = offset
        guard let scalar = next else { return .empty }
        offset += 1
        switch scalar {
        case ".": return .scalars(flags.dotMatchesNewline ? .all : ScalarSet.newline.inverted)
        case "^": return .assertion(flags.isMultiline ? .lineStart : .textStart)
        case "$": return .assertion(flags.isMultiline ? .lineEnd : .textEnd)
        case "(": return try group(from: start)
        case "[": return .scalars(try characterClass(from: start))
        case "\\": return try escape(from: start)
        case "*", "+", "?": throw failure("missing argument to repetition operator", from: start, to: offset)
        case "{":
            offset = start
            let isRepeat = try counts() != nil
            guard !isRepeat else { throw failure("missing argument to repetition operator", from: start, to: offset) }
            offset = start + 1
            return literal(scalar)
        default: return literal(scalar)
        }
    }
}

// Repetition.
extension PatternParser {
    private mutating func repeated(_ atom: PatternNode, from start: Int) throws(PatternError) -> PatternNode {
        var node = atom
        var before: Int?
        while true {
            let operatorStart = offset
            var range: (minimum: Int, maximum: Int?)?
            if take("*") {
                range = (0, nil)
            } else if take("+") {
                range = (1, nil)
            } else if take("?") {
                range = (0, 1)
            } else if next == "{" {
                range = try counts()
            }
            guard let range else {
                offset = operatorStart
                return node
            }
            _ = take("?")  // lazy: the same texts match
            if let before { throw failure("invalid nested repetition operator", from: before, to: offset) }
            before = operatorStart
            node = .repetition(node, minimum: range.minimum, maximum: range.maximum)
        }
    }

    /// `{n}`, `{n,}` or `{n,m}`; `nil`, and nothing read, where the brace is a plain character.
    private mutating func counts() throws(PatternError) -> (minimum: Int, maximum: Int?)? {
        let start = offset
        guard take("{"), let minimum = number() else {
            offset = start
            return nil
        }
        var maximum: Int? = minimum
        if take(",") { maximum = number() }
        guard take("}") else {
            offset = start
            return nil
        }
        let isOrdered = maximum.map { $0 >= minimum } ?? true
        guard minimum <= Self.repeatLimit, maximum ?? 0 <= Self.repeatLimit, isOrdered else {
            throw failure("invalid repeat count", from: start, to: offset)
        }
        return (minimum, maximum)
    }

    private mutating func number() -> Int? {
        let start = offset
        var value = 0
        while let digit = next?.decimalDigit {
            value = min(value * 10 + digit, 1_000_000)
            offset += 1
        }
        return offset > start ? value : nil
    }
}

// Groups and flags.
extension PatternParser {
    private mutating func group(from start: Int) throws(PatternError) -> PatternNode? {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { throw failure("expression nests too deeply", from: 0) }
        let outer = flags
        if take("?") {
            if starts(with: "P<") || starts(with: "<") {
                try groupName(from: start)
            } else if try !readFlags(from: start) {
                return nil
            }
        }
        let inner = try choice()
        guard take(")") else { throw failure("missing closing )", from: 0) }
        flags = outer
        return inner
    }

    private mutating func groupName(from start: Int) throws(PatternError) {
        _ = take("P")
        _ = take("<")
        if next == "=" || next == "!" {
            throw failure("invalid or unsupported Perl syntax", from: start, to: offset)
        }
        let nameStart = offset
        while let scalar = next, ScalarSet.words.contains(scalar.value) { offset += 1 }
        guard offset > nameStart, take(">") else {
            let close = text[nameStart...].firstIndex(of: ">").map { $0 + 1 }
            throw failure("invalid named capture", from: start, to: close)
        }
    }

    /// `i`, `m`, `s`, `U` and `-`, up to `:` (true: a group follows) or `)` (false: for the rest of this group).
    private mutating func readFlags(from start: Int) throws(PatternError) -> Bool {
        var isOn = true
        while let scalar = next {
            offset += 1
            switch scalar {
            case "i": flags.ignoresCase = isOn
            case "m": flags.isMultiline = isOn
            case "s": flags.dotMatchesNewline = isOn
            case "U": break
            case "-" where isOn: isOn = false
            case ":": return true
            case ")": return false
            default: throw failure("invalid or unsupported Perl syntax", from: start, to: offset)
            }
        }
        throw failure("missing closing )", from: 0)
    }
}

// Classes and escapes.
extension PatternParser {
    private mutating func characterClass(from start: Int) throws(PatternError) -> ScalarSet {
        var set = ScalarSet()
        let isNegated = take("^")
        var isFirst = true
        while isFirst || next != "]" {
            guard next != nil else { throw failure("missing closing ]", from: start) }
            if next == "-", !isFirst, offset + 1 < text.count, text[offset + 1] != "]" {
                throw failure("invalid character class range", from: offset, to: offset + 2)
            }
            isFirst = false
            if starts(with: "[:"), let named = try posixClass() {
                set = set.union(named)
            } else {
                set = set.union(try classItem(from: start))
            }
        }
        offset += 1
        if flags.ignoresCase { set = set.foldingCase }
        return isNegated ? set.inverted : set
    }

    private mutating func posixClass() throws(PatternError) -> ScalarSet? {
        guard
            let close = (offset..<max(offset, text.count - 1)).first(where: {
                text[$0] == ":" && text[$0 + 1] == "]" && $0 > offset + 1
            })
        else { return nil }
        let whole = excerpt(offset, close + 2)
        var name = excerpt(offset + 2, close)
        let isNegated = name.hasPrefix("^")
        if isNegated { name.removeFirst() }
        guard let set = ScalarSet.posix[name] else {
            throw PatternError(reason: "invalid character class range", excerpt: whole)
        }
        offset = close + 2
        return isNegated ? set.inverted : set
    }

    private mutating func classItem(from start: Int) throws(PatternError) -> ScalarSet {
        let itemStart = offset
        if let set = try perlClass() { return set }
        let low = try classScalar(from: start)
        guard next == "-", offset + 1 < text.count, text[offset + 1] != "]" else { return ScalarSet(low) }
        offset += 1
        let high = try classScalar(from: start)
        guard low.value <= high.value else {
            throw failure("invalid character class range", from: itemStart, to: offset)
        }
        return ScalarSet([low.value...high.value])
    }

    private mutating func classScalar(from start: Int) throws(PatternError) -> Unicode.Scalar {
        let begin = offset
        guard let scalar = next else { throw failure("missing closing ]", from: start) }
        offset += 1
        guard scalar == "\\" else { return scalar }
        return try escapedScalar(from: begin)
    }

    /// `\d`, `\W`, `\pL` and the like, in and out of brackets.
    private mutating func perlClass() throws(PatternError) -> ScalarSet? {
        guard next == "\\", offset + 1 < text.count else { return nil }
        let start = offset
        let set: ScalarSet
        switch text[offset + 1] {
        case "d": set = .digits
        case "D": set = ScalarSet.digits.inverted
        case "w": set = .words
        case "W": set = ScalarSet.words.inverted
        case "s": set = .spaces
        case "S": set = ScalarSet.spaces.inverted
        case "p", "P": return try unicodeClass(isNegated: text[offset + 1] == "P", from: start)
        default: return nil
        }
        offset += 2
        return set
    }

    private mutating func unicodeClass(isNegated: Bool, from start: Int) throws(PatternError) -> ScalarSet {
        offset += 2
        var name = ""
        if take("{") {
            guard let close = text[offset...].firstIndex(of: "}") else {
                throw failure("invalid character class range", from: start)
            }
            name = excerpt(offset, close)
            offset = close + 1
        } else if let scalar = next {
            name = String(Character(scalar))
            offset += 1
        }
        let isInverted = name.hasPrefix("^")
        if isInverted { name.removeFirst() }
        guard let set = ScalarSet.category(name) else {
            throw failure("invalid character class range", from: start, to: offset)
        }
        return isNegated != isInverted ? set.inverted : set
    }

    private mutating func escape(from start: Int) throws(PatternError) -> PatternNode {
        guard let scalar = next else {
            throw PatternError(reason: "trailing backslash at end of expression", excerpt: "")
        }
        switch scalar {
        case "A": offset += 1; return .assertion(.textStart)
        case "z": offset += 1; return .assertion(.textEnd)
        case "b": offset += 1; return .assertion(.wordBoundary)
        case "B": offset += 1; return .assertion(.noWordBoundary)
        case "Q": return quotation()
        default: break
        }
        offset = start
        if let set = try perlClass() { return .scalars(flags.ignoresCase ? set.foldingCase : set) }
        offset = start + 1
        return literal(try escapedScalar(from: start))
    }

    /// `\Q…\E`: everything between stands for itself.
    private mutating func quotation() -> PatternNode {
        offset += 1
        var nodes: [PatternNode] = []
        while let scalar = next {
            if starts(with: "\\E") {
                offset += 2
                break
            }
            nodes.append(literal(scalar))
            offset += 1
        }
        return .sequence(nodes)
    }

    /// What stands for one scalar; the backslash is read already.
    private mutating func escapedScalar(from start: Int) throws(PatternError) -> Unicode.Scalar {
        guard let scalar = next else {
            throw PatternError(reason: "trailing backslash at end of expression", excerpt: "")
        }
        offset += 1
        switch scalar {
        case "a": return "\u{07}"
        case "f": return "\u{0C}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "v": return "\u{0B}"
        case "x": return try hexadecimal(from: start)
        case "0"..."7": return try octal(scalar, from: start)
        default:
            guard scalar.value < 0x80, !ScalarSet.words.contains(scalar.value) || scalar == "_" else {
                throw failure("invalid escape sequence", from: start, to: offset)
            }
            return scalar
        }
    }

    /// `\123` and `\0`; `\1` alone would be a back reference.
    private mutating func octal(_ first: Unicode.Scalar, from start: Int) throws(PatternError) -> Unicode.Scalar {
        func isOctal(_ scalar: Unicode.Scalar?) -> Bool { scalar.map { ("0"..."7").contains($0) } ?? false }
        guard first == "0" || isOctal(next) else { throw failure("invalid escape sequence", from: start, to: offset) }
        var value = first.value - 48
        for _ in 0..<2 where isOctal(next) {
            value = value * 8 + text[offset].value - 48
            offset += 1
        }
        return Unicode.Scalar(value) ?? first
    }

    private mutating func hexadecimal(from start: Int) throws(PatternError) -> Unicode.Scalar {
        let isBraced = take("{")
        let begin = offset
        while let scalar = next, Character(scalar).hexDigitValue != nil, scalar.isASCII, isBraced || offset < begin + 2
        {
            offset += 1
        }
        let value = UInt32(excerpt(begin, offset), radix: 16)
        let isComplete = isBraced ? take("}") : offset == begin + 2
        guard isComplete, let scalar = value.flatMap(Unicode.Scalar.init) else {
            throw failure("invalid escape sequence", from: start, to: offset)
        }
        return scalar
    }
}

extension Unicode.Scalar {
    fileprivate var decimalDigit: Int? { ("0"..."9").contains(self) ? Int(value - 48) : nil }
}
