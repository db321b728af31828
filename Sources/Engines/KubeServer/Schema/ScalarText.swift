// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The text forms of quantities, times and bytes, with the real server's complaints about bad ones.
enum ScalarText {
    static let badQuantity = DecodingError(
        message: "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    )

    /// The canonical text: `1024Mi` becomes `1Gi`.
    static func quantity(_ text: String) throws(DecodingError) -> String {
        guard text.contains(where: \.isWhitespace) else { return try canonical(text) }
        let trimmed = text.drop(while: \.isWhitespace)
        let end = trimmed.lastIndex { !$0.isWhitespace }.map { trimmed.index(after: $0) }
        return try canonical(String(trimmed[..<(end ?? trimmed.startIndex)]))
    }

    private static func canonical(_ text: String) throws(DecodingError) -> String {
        if let quantity = Quantity(text) { return quantity.description }
        throw hasQuantityForm(text) ? DecodingError(message: "unable to parse quantity's suffix") : badQuantity
    }

    /// Amounts of resources have three digits behind the point at most.
    static func roundedUp(_ value: JSON) -> JSON {
        guard let text = value.string, text.hasSuffix("n") || text.hasSuffix("u"), let amount = Quantity(text) else {
            return value
        }
        let unit: Int128 = 1_000_000
        let (whole, rest) = amount.nanos.quotientAndRemainder(dividingBy: unit)
        let rounded = rest == 0 ? whole : amount.nanos > 0 ? whole + 1 : whole - 1
        return .string(Quantity(nanos: rounded * unit, format: amount.format).description)
    }

    /// Whether only the suffix is none: sign, digits with at most one point, then letters that occur in suffixes.
    private static func hasQuantityForm(_ text: String) -> Bool {
        var rest = text.utf8[...]
        func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
        if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest.removeFirst() }
        let whole = rest.prefix(while: isDigit)
        rest = rest.dropFirst(whole.count)
        var fraction = rest.prefix(0)
        if rest.first == UInt8(ascii: ".") {
            fraction = rest.dropFirst().prefix(while: isDigit)
            rest = rest.dropFirst(fraction.count + 1)
        }
        guard !whole.isEmpty || !fraction.isEmpty else { return false }
        rest = rest.drop { "eEinumkKMGTP".utf8.contains($0) }
        if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest.removeFirst() }
        return rest.allSatisfy(isDigit)
    }

    static func time(_ text: String, isMicro: Bool = false) throws(DecodingError) -> Timestamp {
        if let time = Timestamp(text), !isMicro || hasMicroseconds(text) { return time }
        let layout = isMicro ? "2006-01-02T15:04:05.000000Z07:00" : "2006-01-02T15:04:05Z07:00"
        throw DecodingError(message: "parsing time \"\(text)\"\(timeProblem(text, layout: layout))")
    }

    /// Whether exactly six digits stand behind the seconds.
    private static func hasMicroseconds(_ text: String) -> Bool {
        guard let point = text.utf8.firstIndex(of: UInt8(ascii: ".")) else { return false }
        return text.utf8[point...].dropFirst().prefix { $0 &- 0x30 < 10 }.count == 6
    }

    /// Go's explanation: the first element of its layout that the text does not match.
    private static func timeProblem(_ text: String, layout: String) -> String {
        let elements: [(name: String, width: Int, range: ClosedRange<Int>, unit: String)] = [
            ("2006", 4, 0...9999, "year"), ("-", 0, 0...0, ""), ("01", 2, 1...12, "month"), ("-", 0, 0...0, ""),
            ("02", 2, 1...31, "day"), ("T", 0, 0...0, ""), ("15", 2, 0...23, "hour"), (":", 0, 0...0, ""),
            ("04", 2, 0...59, "minute"), (":", 0, 0...0, ""), ("05", 2, 0...59, "second"),
        ]
        var rest = Substring(text)
        func mismatch(_ name: String) -> String {
            " as \"\(layout)\": cannot parse \"\(rest)\" as \"\(name)\""
        }
        for element in elements {
            if element.width == 0 {
                guard rest.hasPrefix(element.name) else { return mismatch(element.name) }
                rest = rest.dropFirst()
                continue
            }
            let digits = rest.prefix(element.width)
            guard digits.utf8.count == element.width, digits.utf8.allSatisfy({ $0 &- 0x30 < 10 }),
                let number = Int(digits)
            else { return mismatch(element.name) }
            guard element.range.contains(number) else { return ": \(element.unit) out of range" }
            rest = rest.dropFirst(element.width)
        }
        if layout.contains(".000000") {
            guard rest.first == ".", rest.dropFirst().prefix(6).utf8.filter({ $0 &- 0x30 < 10 }).count == 6 else {
                return mismatch(".000000")
            }
            rest = rest.dropFirst(7)
        } else if rest.first == "." {
            rest = rest.dropFirst().drop { $0.isASCII && $0.isNumber }
        }
        return mismatch("Z07:00")
    }

    /// Where Go's decoder of standard base64 stops, or `nil` for good text. Line breaks are skipped.
    static func base64Problem(_ text: String) -> Int? {
        let bytes = Array(text.utf8)
        var inQuantum = 0
        for (place, byte) in bytes.enumerated() where byte != 0x0A && byte != 0x0D {
            if byte == UInt8(ascii: "=") { return paddingProblem(bytes, at: place, inQuantum: inQuantum) }
            guard isBase64(byte) else { return place }
            inQuantum = (inQuantum + 1) % 4
        }
        return inQuantum == 0 ? nil : bytes.count - inQuantum
    }

    private static func isBase64(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
            true
        default: false
        }
    }

    private static func paddingProblem(_ bytes: [UInt8], at place: Int, inQuantum: Int) -> Int? {
        func skipBreaks(_ start: Int) -> Int {
            bytes[start...].firstIndex { $0 != 0x0A && $0 != 0x0D } ?? bytes.count
        }
        guard inQuantum >= 2 else { return place }
        var next = skipBreaks(place + 1)
        if inQuantum == 2 {
            guard next < bytes.count else { return bytes.count }
            guard bytes[next] == UInt8(ascii: "=") else { return next - 1 }
            next = skipBreaks(next + 1)
        }
        return next < bytes.count ? next : nil
    }
}
