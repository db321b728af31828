// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What an expression works with.
indirect enum ExpressionValue: Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case uint(UInt64)
    case double(Double)
    case string(String)
    case bytes([UInt8])
    /// The order of a set's elements, or of a list that is a map by its keys, does not count.
    case list([ExpressionValue], isUnordered: Bool = false)
    case map(ExpressionMap)
    case duration(Duration)
    case timestamp(Timestamp)
    case quantity(Quantity)
    case type(String)
    /// Holds one value or none.
    case optional([ExpressionValue])

    /// As `type(x)` names it.
    var typeName: String {
        switch self {
        case .null: "null_type"
        case .list: "list"
        case .map: "map"
        case .optional: "optional_type"
        default: ExpressionType(of: self).name
        }
    }

    /// How an error shows a key.
    var shown: String {
        switch self {
        case .bool(let flag): "\(flag)"
        case .int(let number): "\(number)"
        case .uint(let number): "\(number)"
        case .double(let number): "\(number)"
        case .string(let text): text
        default: typeName
        }
    }
}

/// A map that keeps its keys' order.
struct ExpressionMap: Sendable {
    private enum Key: Hashable, Sendable {
        case bool(Bool)
        case string(String)
        case whole(Int128)
    }

    private(set) var entries: [(key: ExpressionValue, value: ExpressionValue)] = []
    private var places: [Key: Int] = [:]

    init() {}

    var count: Int { entries.count }

    /// Numbers are the same key whatever their type.
    private static func key(_ value: ExpressionValue) -> Key? {
        switch value {
        case .bool(let flag): .bool(flag)
        case .string(let text): .string(text)
        case .int(let number): .whole(Int128(number))
        case .uint(let number): .whole(Int128(number))
        case .double(let number): Int128(exactly: number).map { .whole($0) }
        default: nil
        }
    }

    static func canBeKey(_ value: ExpressionValue) -> Bool {
        if case .double = value { return false }
        return key(value) != nil
    }

    subscript(_ key: ExpressionValue) -> ExpressionValue? {
        guard let place = Self.key(key).flatMap({ places[$0] }) else { return nil }
        return entries[place].value
    }

    /// Returns whether the key is new.
    mutating func add(_ key: ExpressionValue, _ value: ExpressionValue) -> Bool {
        guard let known = Self.key(key), places[known] == nil else { return false }
        places[known] = entries.count
        entries.append((key, value))
        return true
    }
}

// MARK: - From objects

extension ExpressionValue {
    /// A custom resource's value, typed by its schema where that says something.
    init(_ json: JSON, _ schema: StructuralSchema?) {
        switch json {
        case .null: self = .null
        case .bool(let flag): self = .bool(flag)
        case .number(let number): self = Self.number(number, schema)
        case .string(let text): self = Self.text(text, schema)
        case .array(let elements):
            let isUnordered = schema?.listType == .set || schema?.listType == .map
            self = .list(elements.map { ExpressionValue($0, schema?.items) }, isUnordered: isUnordered)
        case .object(let members):
            var map = ExpressionMap()
            for (name, value) in members { _ = map.add(.string(name), ExpressionValue(value, schema?.member(name))) }
            self = .map(map)
        }
    }

    private static func number(_ number: JSONNumber, _ schema: StructuralSchema?) -> ExpressionValue {
        let isDouble = schema?.type == "number" || schema?.type != "integer" && !number.isInteger
        if !isDouble, let whole = number.int { return .int(Int64(whole)) }
        return .double(number.double ?? 0)
    }

    private static func text(_ text: String, _ schema: StructuralSchema?) -> ExpressionValue {
        guard schema?.type == "string" else { return .string(text) }
        switch schema?.format {
        case "date-time"?: return Timestamp(text).map { .timestamp($0) } ?? .string(text)
        case "date"?: return Timestamp("\(text)T00:00:00Z").map { .timestamp($0) } ?? .string(text)
        case "duration"?: return ExpressionText.duration(text).map { .duration($0) } ?? .string(text)
        case "byte"?: return Base64.decode(text).map { .bytes($0) } ?? .string(text)
        default: return .string(text)
        }
    }
}

// MARK: - Comparing

extension ExpressionValue {
    /// Values of different types are not equal, but numbers are by their value.
    func equals(_ other: ExpressionValue) -> Bool {
        switch (self, other) {
        case (.null, .null): return true
        case (.bool(let left), .bool(let right)): return left == right
        case (.string(let left), .string(let right)): return left.unicodeScalars.elementsEqual(right.unicodeScalars)
        case (.bytes(let left), .bytes(let right)): return left == right
        case (.duration(let left), .duration(let right)): return left == right
        case (.timestamp(let left), .timestamp(let right)): return left == right
        case (.quantity(let left), .quantity(let right)): return left == right
        case (.type(let left), .type(let right)): return left == right
        case (.list(let left, let isUnordered), .list(let right, let isOtherUnordered)):
            guard left.count == right.count else { return false }
            if zip(left, right).allSatisfy({ $0.equals($1) }) { return true }
            guard isUnordered || isOtherUnordered else { return false }
            let (first, second) = (ExpressionBag(left), ExpressionBag(right))
            return left.allSatisfy(second.contains) && right.allSatisfy(first.contains)
        case (.map(let left), .map(let right)):
            guard left.count == right.count else { return false }
            return left.entries.allSatisfy { entry in right[entry.key].map { $0.equals(entry.value) } ?? false }
        case (.optional(let left), .optional(let right)):
            return left.count == right.count && zip(left, right).allSatisfy { $0.equals($1) }
        default: return numericOrder(other) == 0
        }
    }

    /// -1, 0 or 1 for two numbers that can be compared.
    private func numericOrder(_ other: ExpressionValue) -> Int? {
        if let left = whole, let right = other.whole { return left < right ? -1 : left == right ? 0 : 1 }
        guard let left = number, let right = other.number, !left.isNaN, !right.isNaN else { return nil }
        return left < right ? -1 : left == right ? 0 : 1
    }

    private var whole: Int128? {
        switch self {
        case .int(let number): Int128(number)
        case .uint(let number): Int128(number)
        default: nil
        }
    }

    private var number: Double? {
        if case .double(let value) = self { return value }
        return whole.map { Double($0) }
    }

    var isNumber: Bool { number != nil }

    /// `nil` where the two have no order.
    func order(_ other: ExpressionValue) -> Int? {
        func sign<Value: Comparable>(_ left: Value, _ right: Value) -> Int { left < right ? -1 : left == right ? 0 : 1 }
        switch (self, other) {
        case (.bool(let left), .bool(let right)): return sign(left ? 1 : 0, right ? 1 : 0)
        case (.string(let left), .string(let right)):
            if left.unicodeScalars.elementsEqual(right.unicodeScalars) { return 0 }
            return left.unicodeScalars.lexicographicallyPrecedes(right.unicodeScalars) ? -1 : 1
        case (.bytes(let left), .bytes(let right)):
            return left == right ? 0 : left.lexicographicallyPrecedes(right) ? -1 : 1
        case (.duration(let left), .duration(let right)): return sign(left, right)
        case (.timestamp(let left), .timestamp(let right)): return sign(left, right)
        case (.quantity(let left), .quantity(let right)): return sign(left, right)
        default: return numericOrder(other)
        }
    }
}

/// Values in which one is found without a look at all of them.
struct ExpressionBag {
    private var values: [Int: [ExpressionValue]] = [:]

    init(_ values: [ExpressionValue]) { for value in values { _ = add(value) } }

    func contains(_ value: ExpressionValue) -> Bool { values[value.digest()]?.contains { $0.equals(value) } ?? false }

    /// Returns whether the value is new.
    mutating func add(_ value: ExpressionValue) -> Bool {
        guard !contains(value) else { return false }
        values[value.digest(), default: []].append(value)
        return true
    }
}

extension ExpressionValue {
    /// The same for equal values; of what lies deep inside it knows nothing.
    fileprivate func digest(levels: Int = 3) -> Int {
        var hasher = Hasher()
        switch self {
        case .bool(let flag): hasher.combine(flag)
        case .string(let text): hasher.combine(text)
        case .bytes(let bytes): hasher.combine(bytes)
        case .duration(let span): hasher.combine(span)
        case .timestamp(let time): hasher.combine(time)
        case .list(let elements, _): hasher.combine(elements.count)
        case .map(let map) where levels > 0:
            hasher.combine(
                map.entries.reduce(map.count) { sum, entry in
                    sum &+ (entry.key.digest() &* 31 ^ entry.value.digest(levels: levels - 1))
                }
            )
        default: hasher.combine(number)
        }
        return hasher.finalize()
    }
}
