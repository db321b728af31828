// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

// How path elements are written: as members of FieldsV1 objects, and in conflict messages.
extension PathElement {
    /// Reads a member name of a FieldsV1 object; `nil` for kinds of elements that nobody knows.
    init?(fieldsV1 text: String) throws(FieldSetError) {
        let bytes = text.utf8
        guard bytes.count >= 2, bytes[bytes.index(after: bytes.startIndex)] == UInt8(ascii: ":") else {
            throw FieldSetError(text: "missing colon: \(text)")
        }
        let rest = String(text[bytes.index(bytes.startIndex, offsetBy: 2)...])
        switch bytes.first {
        case UInt8(ascii: "f"): self = .field(rest)
        case UInt8(ascii: "k"):
            guard let parts = (try? JSON(parsing: rest))?.object else { throw FieldSetError(text: "bad key \(text)") }
            self.init(key: parts.map { KeyPart(name: $0.key, value: Self.plain($0.value)) })
        case UInt8(ascii: "v"):
            guard let value = try? JSON(parsing: rest) else { throw FieldSetError(text: "bad value \(text)") }
            self = .value(Self.plain(value))
        case UInt8(ascii: "i"):
            guard let place = Int(rest) else { throw FieldSetError(text: "bad index \(text)") }
            self = .index(place)
        default: return nil
        }
    }

    /// Whole numbers lose a fraction of zero.
    private static func plain(_ value: JSON) -> JSON {
        guard case .number(let number) = value, Int(number.text) == nil else { return value }
        return number.int.map { JSON($0) } ?? .number(JSONNumber(text: shortest(number.double ?? 0)))
    }

    private static func shortest(_ number: Double) -> String {
        let size = abs(number)
        guard size != 0, size < 1e-6 || size >= 1e21 else { return plainDigits("\(number)") }
        // Swift writes 1e-07 where Go writes 1e-07 too; Go drops the zero in JSON.
        return "\(number)".replacingExponentZero
    }

    private static func plainDigits(_ text: String) -> String {
        guard let mark = text.firstIndex(where: { $0 == "e" || $0 == "E" }) else {
            return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
        }
        let exponent = Int(text[text.index(after: mark)...].drop { $0 == "+" }) ?? 0
        let sign = text.hasPrefix("-") ? "-" : ""
        var digits = text[..<mark].drop { $0 == "-" }.filter { $0 != "." }
        if digits.hasSuffix("0"), text[..<mark].contains(".") { digits.removeLast() }
        guard exponent < 0 else {
            return sign + digits + String(repeating: "0", count: max(0, exponent + 1 - digits.count))
        }
        return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits
    }

    /// The member name of a FieldsV1 object.
    var fieldsV1: String {
        switch self {
        case .field(let name): return "f:" + name
        case .index(let place): return "i:\(place)"
        case .value(let value):
            var text = "v:"
            Self.write(value, to: &text)
            return text
        case .key(let parts):
            var text = "k:{"
            for (place, part) in parts.enumerated() {
                if place > 0 { text += "," }
                text += JSON.string(part.name).text + ":"
                Self.write(part.value, to: &text)
            }
            return text + "}"
        }
    }

    private static func write(_ value: JSON, to text: inout String) {
        guard case .string = value else {
            text += plain(value).text
            return
        }
        for character in value.text.unicodeScalars {
            switch character {
            case "<": text += "\\u003c"
            case ">": text += "\\u003e"
            case "&": text += "\\u0026"
            case "\u{2028}": text += "\\u2028"
            case "\u{2029}": text += "\\u2029"
            default: text.unicodeScalars.append(character)
            }
        }
    }

    /// As conflicts show it: `.spec`, `[name="main"]`.
    var shown: String {
        switch self {
        case .field(let name): ".\(name)"
        case .index(let place): "[\(place)]"
        case .value(let value): "[=\(Self.shown(value))]"
        case .key(let parts): "[\(parts.map { "\($0.name)=\(Self.shown($0.value))" }.joined(separator: ","))]"
        }
    }

    private static func shown(_ value: JSON) -> String {
        guard case .string(let text) = value else { return plain(value).text }
        return FieldErrors.quoted(text)
    }
}

/// Why a text is no field set.
struct FieldSetError: Error { var text: String }

extension String {
    fileprivate var replacingExponentZero: String {
        guard let mark = firstIndex(of: "e") else { return self }
        var tail = self[index(after: mark)...]
        let sign = tail.hasPrefix("-") ? "-" : "+"
        tail = tail.drop { $0 == "-" || $0 == "+" }
        return self[..<mark].replacingTail + "e" + sign + tail.drop { $0 == "0" }
    }
}

extension Substring {
    fileprivate var replacingTail: String { hasSuffix(".0") ? String(dropLast(2)) : String(self) }
}
