// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// One objection to one field of an object.
struct FieldError: Sendable, Hashable {
    enum Kind: String, Sendable {
        case required = "FieldValueRequired"
        case invalid = "FieldValueInvalid"
        case typeInvalid = "FieldValueTypeInvalid"
        case notSupported = "FieldValueNotSupported"
        case forbidden = "FieldValueForbidden"
        case duplicate = "FieldValueDuplicate"
        case notFound = "FieldValueNotFound"
        case tooLong = "FieldValueTooLong"
        case tooMany = "FieldValueTooMany"
        case internalError = "InternalError"
    }

    var kind: Kind
    /// Such as `spec.containers[0].name`.
    var field: String
    /// Without the field: `Invalid value: 0: must be between 1 and 65535, inclusive`.
    var message: String
}

/// What validation found, in the order in which it was found.
struct FieldErrors: Sendable {
    private(set) var all: [FieldError] = []

    var isEmpty: Bool { all.isEmpty }

    mutating func add(_ kind: FieldError.Kind, _ field: String, _ message: String) {
        all.append(FieldError(kind: kind, field: field, message: message))
    }

    mutating func append(_ other: FieldErrors) { all += other.all }

    mutating func required(_ field: String, _ detail: String = "") {
        add(.required, field, "Required value" + Self.tail(detail))
    }

    mutating func invalid(_ field: String, _ value: JSON, _ detail: String) {
        add(.invalid, field, "Invalid value: \(Self.shown(value))" + Self.tail(detail))
    }

    mutating func invalid(_ field: String, _ value: String, _ detail: String) {
        invalid(field, .string(value), detail)
    }

    mutating func invalid(_ field: String, _ value: Int, _ detail: String) { invalid(field, JSON(value), detail) }

    mutating func notSupported(_ field: String, _ value: String, _ supported: [String]) {
        let list = supported.map { Self.quoted($0) }.joined(separator: ", ")
        add(.notSupported, field, "Unsupported value: \(Self.quoted(value)): supported values: \(list)")
    }

    mutating func forbidden(_ field: String, _ detail: String) {
        add(.forbidden, field, "Forbidden" + Self.tail(detail))
    }

    mutating func duplicate(_ field: String, _ value: JSON) {
        add(.duplicate, field, "Duplicate value: \(Self.shown(value))")
    }

    mutating func notFound(_ field: String, _ value: String) {
        add(.notFound, field, "Not found: \(Self.quoted(value))")
    }

    mutating func tooLong(_ field: String, _ limit: Int) {
        add(.tooLong, field, "Too long: may not be more than \(limit) bytes")
    }

    mutating func tooMany(_ field: String, _ count: Int, _ limit: Int) {
        add(.tooMany, field, "Too many: \(count): must have at most \(limit) items")
    }

    private static func tail(_ detail: String) -> String { detail.isEmpty ? "" : ": \(detail)" }

    /// Text in quotes, anything else as JSON.
    static func shown(_ value: JSON) -> String {
        if case .string(let text) = value { return quoted(text) }
        return value.text
    }

    /// Go's `%q` for the texts that occur in objects.
    static func quoted(_ text: String) -> String {
        var output = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case "\t": output += "\\t"
            case "\u{7}": output += "\\a"
            case "\u{8}": output += "\\b"
            case "\u{B}": output += "\\v"
            case "\u{C}": output += "\\f"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let hex = String(scalar.value, radix: 16)
                output += "\\x" + (hex.count < 2 ? "0" : "") + hex
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output + "\""
    }
}

extension KubeStatus {
    /// 422 with every objection; objections that read alike are said once and kept as causes.
    static func invalid(_ errors: FieldErrors, kind: String, group: String, name: String) -> KubeStatus {
        var seen: Set<String> = []
        let texts = errors.all.map { "\($0.field): \($0.message)" }.filter { seen.insert($0).inserted }
        let list = texts.count == 1 ? texts[0] : "[\(texts.joined(separator: ", "))]"
        let qualified = group.isEmpty ? kind : "\(kind).\(group)"
        var details = JSONObject()
        if !name.isEmpty { details["name"] = .string(name) }
        if !group.isEmpty { details["group"] = .string(group) }
        if !kind.isEmpty { details["kind"] = .string(kind) }
        return KubeStatus(
            code: 422,
            reason: "Invalid",
            message: "\(qualified) \"\(name)\" is invalid: \(list)",
            causes: errors.all.map { Cause(reason: $0.kind.rawValue, message: $0.message, field: $0.field) },
            details: .object(details)
        )
    }
}
