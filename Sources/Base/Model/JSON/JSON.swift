// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// A JSON value that keeps the order of keys and the text of numbers.
///
/// The only JSON value in Ballast. Equality compares objects without regard to key order and numbers by value.
package enum JSON: Sendable, Hashable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSON])
    case object(JSONObject)
}

extension JSON {
    /// The member of that name; `nil` where this is no object or has no such member. Setting `nil` removes it;
    /// setting a member of a value that is no object makes it one.
    package subscript(_ key: String) -> JSON? {
        get {
            guard case .object(let object) = self else { return nil }
            return object[key]
        }
        set {
            guard case .object(var object) = self else {
                if let newValue { self = .object(JSONObject([(key, newValue)])) }
                return
            }
            self = .null  // gives up the second reference, so that the write below happens in place
            object[key] = newValue
            self = .object(object)
        }
    }

    /// The element at that index; `nil` where this is no array or the index is out of range.
    package subscript(_ index: Int) -> JSON? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    /// The value reached by following member names.
    package subscript(path path: [String]) -> JSON? {
        path.reduce(Optional(self)) { value, key in value?[key] }
    }

    /// The value reached by following member names.
    package subscript(path path: String...) -> JSON? { self[path: path] }

    /// Sets a nested member and creates the objects on the way; `nil` removes it.
    package mutating func set(_ value: JSON?, at path: [String]) {
        guard let first = path.first else {
            self = value ?? .null
            return
        }
        guard path.count > 1 else {
            self[first] = value
            return
        }
        guard value != nil || self[first] != nil else { return }
        var child = self[first] ?? .object([:])
        child.set(value, at: Array(path.dropFirst()))
        self[first] = child
    }

    package var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    package var bool: Bool? {
        guard case .bool(let flag) = self else { return nil }
        return flag
    }

    package var int: Int? {
        guard case .number(let number) = self else { return nil }
        return number.int
    }

    package var double: Double? {
        guard case .number(let number) = self else { return nil }
        return number.double
    }

    package var array: [JSON]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    package var object: JSONObject? {
        guard case .object(let object) = self else { return nil }
        return object
    }

    package var isNull: Bool {
        if case .null = self { return true }
        return false
    }

    /// The members as text by text; members that are not strings are left out.
    package var stringMap: [String: String] {
        guard case .object(let object) = self else { return [:] }
        var map: [String: String] = [:]
        for (key, value) in object {
            if case .string(let text) = value { map[key] = text }
        }
        return map
    }

    /// An object of text members, sorted by key.
    package init(_ map: [String: String]) {
        self = .object(JSONObject(map.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
    }

    package init(_ int: Int) { self = .number(JSONNumber(int)) }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral,
    ExpressibleByStringInterpolation
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int) { self = .number(JSONNumber(value)) }
    package init(floatLiteral value: Double) { self = .number(JSONNumber(text: "\(value)")) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSON)...) { self = .object(JSONObject(elements)) }
}

/// A number as it was written.
package struct JSONNumber: Sendable, Hashable {
    package let text: String

    /// `text` must follow RFC 8259's grammar for numbers.
    package init(text: String) { self.text = text }
    package init(_ int: Int) { self.text = String(int) }

    /// The whole number, where it is one that fits (also written `1.0` or `1e3`).
    package var int: Int? { Int(text) ?? double.flatMap { Int(exactly: $0) } }
    package var double: Double? { Double(text) }
    /// Whether it is written without fraction and exponent.
    package var isInteger: Bool { Int(text) != nil || !text.utf8.contains { $0 == 0x2E || $0 | 0x20 == 0x65 } }

    package static func == (left: JSONNumber, right: JSONNumber) -> Bool {
        if left.text == right.text { return true }
        if let left = Int(left.text), let right = Int(right.text) { return left == right }
        return left.double == right.double
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(double) }
}
