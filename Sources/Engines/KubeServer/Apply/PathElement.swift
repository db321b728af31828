// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// One step of a path into an object, as field sets write it.
enum PathElement: Sendable, Hashable {
    /// One part of the key of a list's element.
    struct KeyPart: Sendable, Hashable {
        var name: String
        var value: JSON
    }

    case field(String)
    /// An element of a keyed list; the parts are sorted by name.
    case key([KeyPart])
    /// An element of a set.
    case value(JSON)
    case index(Int)

    init(key parts: [KeyPart]) { self = .key(parts.sorted { ByteOrder.precedes($0.name, $1.name) }) }
}

/// Text in the order of its bytes, which is not Swift's.
enum ByteOrder {
    static func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }
}

extension PathElement: Comparable {
    /// Names before keys before values before indices.
    private var rank: Int {
        switch self {
        case .field: 0
        case .key: 1
        case .value: 2
        case .index: 3
        }
    }

    static func < (left: PathElement, right: PathElement) -> Bool {
        switch (left, right) {
        case (.field(let left), .field(let right)): ByteOrder.precedes(left, right)
        case (.key(let left), .key(let right)): precedes(left, right)
        case (.value(let left), .value(let right)): ValueOrder.compare(left, right) < 0
        case (.index(let left), .index(let right)): left < right
        default: left.rank < right.rank
        }
    }

    private static func precedes(_ left: [KeyPart], _ right: [KeyPart]) -> Bool {
        for (one, other) in zip(left, right) {
            if one.name != other.name { return ByteOrder.precedes(one.name, other.name) }
            let order = ValueOrder.compare(one.value, other.value)
            if order != 0 { return order < 0 }
        }
        return left.count < right.count
    }
}

/// The order of JSON values: numbers, text, booleans, lists, objects, null.
enum ValueOrder {
    private static func rank(_ value: JSON) -> Int {
        switch value {
        case .number: 0
        case .string: 1
        case .bool: 2
        case .array: 3
        case .object: 4
        case .null: 5
        }
    }

    static func compare(_ left: JSON, _ right: JSON) -> Int {
        switch (left, right) {
        case (.number(let left), .number(let right)): compare(left, right)
        case (.string(let left), .string(let right)):
            left == right ? 0 : ByteOrder.precedes(left, right) ? -1 : 1
        case (.bool(let left), .bool(let right)): left == right ? 0 : right ? -1 : 1
        case (.array(let left), .array(let right)): compare(left, right)
        case (.object(let left), .object(let right)): compare(left, right)
        default: rank(left) == rank(right) ? 0 : rank(left) < rank(right) ? -1 : 1
        }
    }

    private static func compare(_ left: JSONNumber, _ right: JSONNumber) -> Int {
        if let left = Int(left.text), let right = Int(right.text) { return left == right ? 0 : left < right ? -1 : 1 }
        let (left, right) = (left.double ?? 0, right.double ?? 0)
        return left == right ? 0 : left < right ? -1 : 1
    }

    private static func compare(_ left: [JSON], _ right: [JSON]) -> Int {
        for (one, other) in zip(left, right) {
            let order = compare(one, other)
            if order != 0 { return order }
        }
        return left.count == right.count ? 0 : left.count < right.count ? -1 : 1
    }

    private static func compare(_ left: JSONObject, _ right: JSONObject) -> Int {
        let one = left.sorted { ByteOrder.precedes($0.key, $1.key) }
        let other = right.sorted { ByteOrder.precedes($0.key, $1.key) }
        for (one, other) in zip(one, other) {
            if one.key != other.key { return ByteOrder.precedes(one.key, other.key) ? -1 : 1 }
            let order = compare(one.value, other.value)
            if order != 0 { return order }
        }
        return one.count == other.count ? 0 : one.count < other.count ? -1 : 1
    }
}
