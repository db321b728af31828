// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// What texts can do; places count Unicode scalars.
enum ExpressionStrings {
    static func call(
        _ name: String,
        _ text: String,
        _ values: [ExpressionValue],
        _ evaluator: inout ExpressionEvaluator
    ) throws(ExpressionFault) -> ExpressionValue {
        let scalars = Array(text.unicodeScalars)
        if values.isEmpty { return try plain(name, text, scalars) }
        if case .string(let other) = values[0] {
            return try compare(name, scalars, Array(other.unicodeScalars), other, values, &evaluator)
        }
        switch (name, values.count) {
        case ("charAt", 1):
            guard let place = ExpressionMath.whole(values[0]) else { throw .noOverload }
            guard place >= 0, place <= scalars.count else { throw outOfRange(place) }
            return .string(place == scalars.count ? "" : String(scalars[place]))
        case ("substring", 1...2):
            guard let start = ExpressionMath.whole(values[0]) else { throw .noOverload }
            let end = values.count > 1 ? ExpressionMath.whole(values[1]) : scalars.count
            guard let end else { throw .noOverload }
            guard start >= 0, start <= scalars.count else { throw outOfRange(start) }
            guard end >= 0, end <= scalars.count else { throw outOfRange(end) }
            guard start <= end else {
                throw ExpressionFault(message: "invalid substring range. start: \(start), end: \(end)")
            }
            return .string(join(scalars[start..<end]))
        default: throw .noOverload
        }
    }

    private static func outOfRange(_ place: Int) -> ExpressionFault {
        ExpressionFault(message: "index out of range: \(place)")
    }

    private static func join(_ scalars: some Sequence<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    private static func plain(
        _ name: String,
        _ text: String,
        _ scalars: [Unicode.Scalar]
    ) throws(ExpressionFault) -> ExpressionValue {
        switch name {
        case "lowerAscii": return .string(join(scalars.map { mapped($0, from: 65, by: 32) }))
        case "upperAscii": return .string(join(scalars.map { mapped($0, from: 97, by: -32) }))
        case "reverse": return .string(join(scalars.reversed()))
        case "trim":
            let rest = scalars.drop { $0.properties.isWhitespace }
            let end = rest.lastIndex { !$0.properties.isWhitespace }
            return .string(end.map { join(rest[...$0]) } ?? "")
        default: throw .noOverload
        }
    }

    private static func mapped(_ scalar: Unicode.Scalar, from first: UInt32, by offset: Int32) -> Unicode.Scalar {
        guard (first..<first + 26).contains(scalar.value) else { return scalar }
        return Unicode.Scalar(UInt32(Int32(scalar.value) + offset)) ?? scalar
    }

    private static func compare(
        _ name: String,
        _ scalars: [Unicode.Scalar],
        _ other: [Unicode.Scalar],
        _ argument: String,
        _ values: [ExpressionValue],
        _ evaluator: inout ExpressionEvaluator
    ) throws(ExpressionFault) -> ExpressionValue {
        // Each of these compares the one text with every part of the other.
        if ["contains", "indexOf", "lastIndexOf", "split", "replace"].contains(name) {
            try evaluator.spend(scalars.count * max(1, other.count) / 100)
        }
        switch (name, values.count) {
        case ("startsWith", 1): return .bool(scalars.starts(with: other))
        case ("endsWith", 1): return .bool(scalars.reversed().starts(with: other.reversed()))
        case ("contains", 1): return .bool(find(other, in: scalars, from: 0) != nil)
        case ("matches", 1): return .bool(try matches(join(scalars), argument, &evaluator))
        case ("indexOf", 1...2):
            let start = values.count > 1 ? ExpressionMath.whole(values[1]) : 0
            guard let start else { throw .noOverload }
            guard start >= 0, start <= scalars.count else { throw outOfRange(start) }
            return .int(Int64(find(other, in: scalars, from: start) ?? -1))
        case ("lastIndexOf", 1):
            guard other.count <= scalars.count else { return .int(-1) }
            let places = (0...(scalars.count - other.count)).reversed()
            return .int(Int64(places.first { scalars[$0...].starts(with: other) } ?? -1))
        case ("split", 1...2):
            let limit = values.count > 1 ? ExpressionMath.whole(values[1]) : -1
            guard let limit else { throw .noOverload }
            return .list(split(scalars, other, limit).map { .string(join($0)) })
        case ("replace", 2...3):
            guard case .string(let replacement) = values[1] else { throw .noOverload }
            let limit = values.count > 2 ? ExpressionMath.whole(values[2]) : -1
            guard let limit else { throw .noOverload }
            let parts = split(scalars, other, (0..<Int.max).contains(limit) ? limit + 1 : -1).map { join($0) }
            try evaluator.spend(parts.count * (1 + replacement.utf8.count / 10))
            return .string(parts.joined(separator: replacement))
        default: throw .noOverload
        }
    }

    private static func find(_ wanted: [Unicode.Scalar], in scalars: [Unicode.Scalar], from start: Int) -> Int? {
        guard wanted.count <= scalars.count - start else { return nil }
        return (start...(scalars.count - wanted.count)).first { scalars[$0...].starts(with: wanted) }
    }

    /// At most `limit` parts; as many as there are where it is negative.
    private static func split(
        _ scalars: [Unicode.Scalar],
        _ separator: [Unicode.Scalar],
        _ limit: Int
    ) -> [[Unicode.Scalar]] {
        guard limit != 0 else { return [] }
        guard !separator.isEmpty else {
            let count = limit < 0 ? scalars.count : min(limit, scalars.count)
            let singles = scalars.prefix(max(0, count - 1)).map { [$0] }
            return scalars.isEmpty ? [] : singles + [Array(scalars[(count - 1)...])]
        }
        var parts: [[Unicode.Scalar]] = []
        var start = 0
        while limit < 0 || parts.count < limit - 1, let place = find(separator, in: scalars, from: start) {
            parts.append(Array(scalars[start..<place]))
            start = place + separator.count
        }
        return parts + [Array(scalars[start...])]
    }

    private static func matches(
        _ text: String,
        _ pattern: String,
        _ evaluator: inout ExpressionEvaluator
    ) throws(ExpressionFault) -> Bool {
        try evaluator.spend((1 + text.utf8.count / 10) * (1 + pattern.utf8.count / 4))
        let compiled: Pattern
        do {
            compiled = try Pattern(pattern)
        } catch {
            throw ExpressionFault(message: "\(error)")
        }
        switch compiled.verdict(on: text) {
        case .matches: return true
        case .doesNotMatch: return false
        case .undecided: throw ExpressionFault(message: "the pattern takes too long to match")
        }
    }
}
