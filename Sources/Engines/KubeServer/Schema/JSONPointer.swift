// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// A JSON pointer (RFC 6901), such as `/metadata/labels/app.kubernetes.io~1name`.
struct JSONPointer {
    let text: String
    let tokens: [String]

    /// `nil` where the text is neither empty nor starts with `/`. `~0` and `~1` are undone.
    init?(_ text: String) {
        self.text = text
        guard !text.isEmpty else {
            tokens = []
            return
        }
        guard text.utf8.first == UInt8(ascii: "/") else { return nil }
        tokens = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map { Self.unescaped($0) }
    }

    /// One pass, so that `~01` means `~1` and not `/`.
    private static func unescaped(_ token: Substring) -> String {
        guard token.utf8.contains(UInt8(ascii: "~")) else { return String(token) }
        var bytes: [UInt8] = []
        var rest = token.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "~"), let next = rest.first, next == 0x30 || next == 0x31 else {
                bytes.append(byte)
                continue
            }
            rest.removeFirst()
            bytes.append(next == 0x30 ? UInt8(ascii: "~") : UInt8(ascii: "/"))
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private init(tokens: [String]) {
        text = tokens.map { "/\($0)" }.joined()
        self.tokens = tokens
    }

    var parent: JSONPointer { JSONPointer(tokens: Array(tokens.dropLast())) }

    func isPrefix(of other: JSONPointer) -> Bool {
        tokens.count < other.tokens.count && tokens.elementsEqual(other.tokens.prefix(tokens.count))
    }
}

extension JSON {
    /// An index into a list of `count`, counted from the end where negative, as the server's library does.
    private static func index(_ token: String, count: Int) -> Int? {
        guard let number = Int(token), token == String(number), number >= -count, number < count else { return nil }
        return number < 0 ? number + count : number
    }

    func value(at pointer: JSONPointer) -> JSON? {
        var value = self
        for token in pointer.tokens {
            switch value {
            case .object(let object):
                guard let next = object[token] else { return nil }
                value = next
            case .array(let elements):
                guard let place = Self.index(token, count: elements.count) else { return nil }
                value = elements[place]
            default: return nil
            }
        }
        return value
    }

    /// False where the parent is missing or the index is out of range.
    mutating func add(_ value: JSON, at pointer: JSONPointer) -> Bool {
        guard let last = pointer.tokens.last else {
            self = value
            return true
        }
        return edit(pointer.tokens.dropLast()) { parent in
            switch parent {
            case .object(var object):
                parent = .null
                object[last] = value
                parent = .object(object)
                return true
            case .array(var elements):
                guard let place = last == "-" ? elements.count : Self.index(last, count: elements.count + 1) else {
                    return false
                }
                parent = .null
                elements.insert(value, at: place)
                parent = .array(elements)
                return true
            default: return false
            }
        }
    }

    mutating func replace(_ value: JSON, at pointer: JSONPointer) -> Bool {
        guard !pointer.tokens.isEmpty else {
            self = value
            return true
        }
        if case .array? = self.value(at: pointer.parent) {
            return edit(pointer.tokens[...]) { target in
                target = value
                return true
            }
        }
        return edit(pointer.tokens.dropLast()) { parent in
            guard case .object(var object) = parent, let last = pointer.tokens.last else { return false }
            parent = .null
            object[last] = value
            parent = .object(object)
            return true
        }
    }

    /// Nothing, where an object could hold something at `pointer`.
    func emptyPlace(at pointer: JSONPointer) -> JSON? {
        guard !pointer.tokens.isEmpty, value(at: pointer.parent)?.object != nil else { return nil }
        return .null
    }

    /// Makes nested objects along `path`.
    mutating func mark(_ path: ArraySlice<String>) {
        guard let first = path.first else { return }
        var inner = self[first] ?? [:]
        inner.mark(path.dropFirst())
        self[first] = inner
    }

    /// The value that was there, or `nil` where there was none. The whole document cannot be removed.
    mutating func remove(at pointer: JSONPointer) -> JSON? {
        guard let last = pointer.tokens.last else { return nil }
        var removed: JSON?
        _ = edit(pointer.tokens.dropLast()) { parent in
            switch parent {
            case .object(var object):
                removed = object[last]
                object[last] = nil
                parent = .object(object)
            case .array(var elements):
                guard let place = Self.index(last, count: elements.count) else { return false }
                removed = elements.remove(at: place)
                parent = .array(elements)
            default: break
            }
            return removed != nil
        }
        return removed
    }

    /// Changes the value at the end of `path` in place; false where it is missing or `change` says so.
    private mutating func edit(_ path: ArraySlice<String>, _ change: (inout JSON) -> Bool) -> Bool {
        guard let token = path.first else { return change(&self) }
        switch self {
        case .object(var object):
            guard object[token] != nil else { return false }
            self = .null
            defer { self = .object(object) }
            return object[token]?.edit(path.dropFirst(), change) ?? false
        case .array(var elements):
            guard let place = Self.index(token, count: elements.count) else { return false }
            self = .null
            defer { self = .array(elements) }
            return elements[place].edit(path.dropFirst(), change)
        default: return false
        }
    }
}
