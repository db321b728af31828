// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// How a text may stand in YAML.
struct ScalarForm {
    enum Style { case plain, single, double, literal }

    private let text: String
    private var isPlainAllowed = true
    private var isSingleAllowed = true
    private var isLiteralAllowed = true
    private var hasBreaks = false

    init(_ text: String) {
        self.text = text
        let scalars = Array(text.unicodeScalars)
        if text.hasPrefix("---") || text.hasPrefix("...") { isPlainAllowed = false }
        var (wasSpace, wasBreak) = (false, false)
        for (place, scalar) in scalars.enumerated() {
            let isLast = place == scalars.count - 1
            let isFollowed = isLast || " \t\n\r".unicodeScalars.contains(scalars[place + 1])
            let isPreceded = place == 0 || " \t\n\r".unicodeScalars.contains(scalars[place - 1])
            note(indicator: scalar, isFirst: place == 0, isPreceded: isPreceded, isFollowed: isFollowed)
            if !Self.isPrintable(scalar) {
                (isPlainAllowed, isSingleAllowed, isLiteralAllowed) = (false, false, false)
            }
            let (isSpace, isBreak) = (scalar == " ", scalar == "\n")
            if isBreak { hasBreaks = true }
            if isSpace || isBreak, place == 0 || isLast { isPlainAllowed = false }
            if isSpace, isLast { isLiteralAllowed = false }
            if isSpace, wasBreak { (isPlainAllowed, isSingleAllowed) = (false, false) }
            if isBreak, wasSpace { (isPlainAllowed, isSingleAllowed, isLiteralAllowed) = (false, false, false) }
            (wasSpace, wasBreak) = (isSpace, isBreak)
        }
        if hasBreaks { isPlainAllowed = false }
    }

    private mutating func note(indicator: Unicode.Scalar, isFirst: Bool, isPreceded: Bool, isFollowed: Bool) {
        switch indicator {
        case "#": if isFirst || isPreceded { isPlainAllowed = false }
        case ",", "[", "]", "{", "}", "&", "*", "!", "|", ">", "'", "\"", "%", "@", "`":
            if isFirst { isPlainAllowed = false }
        case ":": if isFollowed { isPlainAllowed = false }
        case "?", "-": if isFirst, isFollowed { isPlainAllowed = false }
        default: break
        }
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x0A, 0x20...0x7E, 0xA0...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD: true
        default: false
        }
    }

    func style(isKey: Bool) -> Style {
        if hasBreaks, isLiteralAllowed, !isKey { return .literal }
        if hasBreaks || !ScalarMeaning.isText(text) { return .double }
        if isPlainAllowed { return .plain }
        return isSingleAllowed ? .single : .double
    }

    static func doubleQuoted(_ text: String) -> String {
        "\"" + text.unicodeScalars.map(escaped).joined() + "\""
    }

    static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\"": return "\\\""
        case "\\": return "\\\\"
        case "\0": return "\\0"
        case "\u{7}": return "\\a"
        case "\u{8}": return "\\b"
        case "\t": return "\\t"
        case "\n": return "\\n"
        case "\u{B}": return "\\v"
        case "\u{C}": return "\\f"
        case "\r": return "\\r"
        case "\u{1B}": return "\\e"
        default: break
        }
        guard !isPrintable(scalar) else { return String(scalar) }
        let hex = String(scalar.value, radix: 16, uppercase: true)
        func padded(_ width: Int) -> String { String(repeating: "0", count: width - hex.count) + hex }
        if scalar.value <= 0xFF { return "\\x\(padded(2))" }
        return scalar.value <= 0xFFFF ? "\\u\(padded(4))" : "\\U\(padded(8))"
    }
}

/// What a bare word means in the YAML that the real server reads and writes.
enum ScalarMeaning {
    private static let words: Set<String> = [
        "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", "n", "N", "no", "No", "NO", "false",
        "False", "FALSE", "off", "Off", "OFF", "", "~", "null", "Null", "NULL", ".nan", ".NaN", ".NAN", ".inf", ".Inf",
        ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF",
    ]

    /// Whether it is text and nothing else.
    static func isText(_ word: String) -> Bool {
        guard !words.contains(word) else { return false }
        guard let first = word.utf8.first else { return false }
        switch first {
        case UInt8(ascii: "."): return Double(word) == nil || word.utf8.contains { $0 > 0x39 && $0 | 0x20 != 0x65 }
        case 0x30...0x39, UInt8(ascii: "+"), UInt8(ascii: "-"): return !isNumber(word) && !isTime(word)
        default: return true
        }
    }

    private static func isNumber(_ word: String) -> Bool {
        let plain = word.replacing("_", with: "")
        if isWhole(plain) || isFraction(plain) { return true }
        // Numbers to the base of sixty are quoted for other readers.
        return (try? /[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?/.wholeMatch(in: word)) != nil
    }

    private static func isWhole(_ word: String) -> Bool {
        (try? /[-+]?(?:0|[1-9][0-9]*|0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+)/.wholeMatch(in: word)) != nil
    }

    private static func isFraction(_ word: String) -> Bool {
        (try? /[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?/.wholeMatch(in: word)) != nil
    }

    private static func isTime(_ word: String) -> Bool {
        let day = /[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}/
        let moment =
            /[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ])[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:\.[0-9]*)?(?:Z|[-+][0-9:]+)?/
        return (try? day.wholeMatch(in: word)) != nil || (try? moment.wholeMatch(in: word)) != nil
    }
}

/// Names in the order in which a person counts: `a9` before `a10`, letters behind everything else.
enum NaturalOrder {
    static func precedes(_ left: String, _ right: String) -> Bool {
        let (one, two) = (Array(left.unicodeScalars), Array(right.unicodeScalars))
        for place in 0..<min(one.count, two.count) where one[place] != two[place] {
            let (isLetter, isOther) = (one[place].properties.isAlphabetic, two[place].properties.isAlphabetic)
            if isLetter, isOther { return one[place] < two[place] }
            if isLetter || isOther { return isOther }
            return comparesNumbers(one, two, at: place)
        }
        return one.count < two.count
    }

    private static func comparesNumbers(_ one: [Unicode.Scalar], _ two: [Unicode.Scalar], at place: Int) -> Bool {
        func isDigit(_ scalar: Unicode.Scalar) -> Bool { (0x30...0x39).contains(scalar.value) }
        // Behind other digits a zero counts.
        let counts =
            (one[place] == "0" || two[place] == "0")
            && one[..<place].reversed().prefix(while: isDigit).contains { $0 != "0" }
        func number(_ text: [Unicode.Scalar]) -> (worth: Int, end: Int) {
            let digits = text[place...].prefix(while: isDigit)
            let worth = digits.reduce(counts ? 1 : 0) { ($0 &* 10) &+ Int($1.value - 0x30) }
            return (worth, place + digits.count)
        }
        let (first, second) = (number(one), number(two))
        if first.worth != second.worth { return first.worth < second.worth }
        if first.end != second.end { return first.end < second.end }
        return one[place] < two[place]
    }
}
