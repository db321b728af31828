// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The functions that expressions may call: the language's own and Kubernetes' libraries for lists, texts, regular
/// expressions, quantities and optional values.
enum ExpressionFunctions {
    static let names: Set<String> = [
        "size", "int", "uint", "double", "string", "bool", "bytes", "dyn", "type", "duration", "timestamp", "matches",
        "quantity", "isQuantity", "optional.of", "optional.none", "optional.ofNonZeroValue", "math.greatest",
        "math.least",
        "sets.contains", "sets.equivalent", "sets.intersects",
    ]

    static let methods: Set<String> = [
        "size", "startsWith", "endsWith", "contains", "matches", "charAt", "indexOf", "lastIndexOf", "join",
        "lowerAscii",
        "upperAscii", "replace", "split", "substring", "trim", "reverse", "isSorted", "sum", "min", "max",
        "getHours", "getMinutes", "getSeconds", "getMilliseconds", "getFullYear", "getMonth", "getDate",
        "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "hasValue", "value", "orValue", "or", "isLessThan",
        "isGreaterThan", "compareTo", "isInteger", "asInteger", "asApproximateFloat", "sign", "add", "sub",
        "flatten", "slice", "distinct", "first", "last",
    ]

    static func call(
        _ name: String,
        _ values: [ExpressionValue],
        _ evaluator: inout ExpressionEvaluator
    ) throws(ExpressionFault) -> ExpressionValue {
        switch (name, values.count) {
        case ("size", 1): return try size(values[0])
        case ("matches", 2): return try callMethod("matches", of: values[0], [values[1]], &evaluator)
        case ("dyn", 1): return values[0]
        case ("type", 1): return .type(values[0].typeName)
        case ("optional.none", 0): return .optional([])
        case ("optional.of", 1): return .optional(values)
        case ("optional.ofNonZeroValue", 1): return .optional(isZero(values[0]) ? [] : values)
        case ("math.greatest", 1...), ("math.least", 1...):
            return try extreme(flat(values), isGreatest: name == "math.greatest")
        case ("sets.contains", 2), ("sets.equivalent", 2), ("sets.intersects", 2):
            try evaluator.spend(values[0].weight * values[1].weight / 10)
            return try sets(name, values[0], values[1])
        case ("isQuantity", 1):
            guard case .string(let text) = values[0] else { throw .noOverload }
            return .bool(Quantity(text) != nil)
        case (_, 1): return try ExpressionConversions.convert(values[0], to: name)
        default: throw .noOverload
        }
    }

    static func size(_ value: ExpressionValue) throws(ExpressionFault) -> ExpressionValue {
        switch value {
        case .string(let text): .int(Int64(text.unicodeScalars.count))
        case .bytes(let bytes): .int(Int64(bytes.count))
        case .list(let elements, _): .int(Int64(elements.count))
        case .map(let map): .int(Int64(map.count))
        default: throw .noOverload
        }
    }

    private static func isZero(_ value: ExpressionValue) -> Bool {
        switch value {
        case .null: true
        case .bool(let flag): !flag
        case .int(let number): number == 0
        case .uint(let number): number == 0
        case .double(let number): number == 0
        case .string(let text): text.isEmpty
        case .bytes(let bytes): bytes.isEmpty
        case .list(let elements, _): elements.isEmpty
        case .map(let map): map.count == 0
        default: false
        }
    }

    private static func flat(_ values: [ExpressionValue]) -> [ExpressionValue] {
        guard values.count == 1, case .list(let elements, _) = values[0] else { return values }
        return elements
    }

    static func extreme(_ values: [ExpressionValue], isGreatest: Bool) throws(ExpressionFault) -> ExpressionValue {
        guard var best = values.first else {
            throw ExpressionFault(message: "\(isGreatest ? "max" : "min") called on empty list")
        }
        for value in values.dropFirst() {
            guard let order = value.order(best) else { throw .noOverload }
            if isGreatest ? order > 0 : order < 0 { best = value }
        }
        return best
    }

    private static func sets(
        _ name: String,
        _ left: ExpressionValue,
        _ right: ExpressionValue
    ) throws(ExpressionFault) -> ExpressionValue {
        guard case .list(let first, _) = left, case .list(let second, _) = right else { throw .noOverload }
        func covers(_ whole: [ExpressionValue], _ part: [ExpressionValue]) -> Bool {
            part.allSatisfy { element in whole.contains { $0.equals(element) } }
        }
        switch name {
        case "sets.contains": return .bool(covers(first, second))
        case "sets.equivalent": return .bool(covers(first, second) && covers(second, first))
        default: return .bool(first.contains { element in second.contains { $0.equals(element) } })
        }
    }

    // MARK: Methods

    static func callMethod(
        _ name: String,
        of target: ExpressionValue,
        _ values: [ExpressionValue],
        _ evaluator: inout ExpressionEvaluator
    ) throws(ExpressionFault) -> ExpressionValue {
        if name == "size", values.isEmpty { return try size(target) }
        try evaluator.spend(target.weight)
        switch target {
        case .string(let text): return try ExpressionStrings.call(name, text, values, &evaluator)
        case .list(let elements, _): return try ExpressionLists.call(name, elements, values)
        case .quantity(let quantity): return try ExpressionConversions.call(name, quantity, values)
        case .duration(let duration): return try parts(name, duration, values)
        case .timestamp(let time): return .int(Int64(try part(name, of: time, values)))
        case .optional(let held):
            switch (name, values.count) {
            case ("hasValue", 0): return .bool(!held.isEmpty)
            case ("value", 0):
                guard let value = held.first else { throw ExpressionFault(message: "optional.none() dereference") }
                return value
            default: throw .noOverload
            }
        default: throw .noOverload
        }
    }

    private static func parts(
        _ name: String,
        _ duration: Duration,
        _ values: [ExpressionValue]
    ) throws(ExpressionFault) -> ExpressionValue {
        let divisors: [String: Int128] = [
            "getHours": 3_600_000_000_000, "getMinutes": 60_000_000_000, "getSeconds": 1_000_000_000,
            "getMilliseconds": 1_000_000,
        ]
        guard values.isEmpty, let divisor = divisors[name] else { throw .noOverload }
        return .int(Int64(clamping: ExpressionText.nanoseconds(duration) / divisor))
    }
}

extension ExpressionFunctions {
    /// A part of a moment as the calendar and the clock show it, in UTC or in the zone that is given.
    private static func part(
        _ name: String,
        of time: Timestamp,
        _ values: [ExpressionValue]
    ) throws(ExpressionFault) -> Int {
        guard values.count <= 1 else { throw .noOverload }
        let wall = CivilTime(wallSeconds: time.seconds + Int64(try offset(at: time, values.first)))
        switch name {
        case "getFullYear": return wall.year
        case "getMonth": return wall.month - 1
        case "getDate": return wall.day
        case "getDayOfMonth": return wall.day - 1
        case "getDayOfWeek": return wall.weekday
        case "getDayOfYear":
            return Int(CivilTime.days(wall.year, wall.month, wall.day) - CivilTime.days(wall.year, 1, 1))
        case "getHours": return wall.hour
        case "getMinutes": return wall.minute
        case "getSeconds": return wall.second
        case "getMilliseconds": return Int(time.fraction / 1_000_000)
        default: throw .noOverload
        }
    }

    /// In seconds: `+02:00` by itself, `Europe/Berlin` at that moment.
    private static func offset(at time: Timestamp, _ zone: ExpressionValue?) throws(ExpressionFault) -> Int {
        guard let zone else { return 0 }
        guard case .string(let name) = zone else { throw .noOverload }
        guard let colon = name.firstIndex(of: ":") else {
            guard let rules = ZoneRules(named: name) else {
                throw ExpressionFault(message: "unknown time zone \(name)")
            }
            return rules.offset(at: time.seconds)
        }
        guard let hours = Int(name[..<colon]), let minutes = Int(name[name.index(after: colon)...]),
            (-23...23).contains(hours), (0...59).contains(minutes)
        else { throw ExpressionFault(message: "unknown time zone \(name)") }
        return hours * 3_600 + (name.hasPrefix("-") ? -minutes : minutes) * 60
    }
}

/// What lists can do.
enum ExpressionLists {
    static func call(
        _ name: String,
        _ elements: [ExpressionValue],
        _ values: [ExpressionValue]
    ) throws(ExpressionFault) -> ExpressionValue {
        switch (name, values.count) {
        case ("isSorted", 0):
            for (left, right) in zip(elements, elements.dropFirst()) {
                guard let order = left.order(right) else { throw .noOverload }
                if order > 0 { return .bool(false) }
            }
            return .bool(true)
        case ("sum", 0):
            guard var total = elements.first else { return .int(0) }
            switch total {
            case .int, .uint, .double, .duration: break
            default: throw .noOverload
            }
            for element in elements.dropFirst() { total = try ExpressionMath.compute("+", total, element) }
            return total
        case ("min", 0): return try ExpressionFunctions.extreme(elements, isGreatest: false)
        case ("max", 0): return try ExpressionFunctions.extreme(elements, isGreatest: true)
        case ("indexOf", 1): return .int(Int64(elements.firstIndex { $0.equals(values[0]) } ?? -1))
        case ("lastIndexOf", 1): return .int(Int64(elements.lastIndex { $0.equals(values[0]) } ?? -1))
        case ("reverse", 0): return .list(elements.reversed())
        case ("first", 0): return .optional(elements.first.map { [$0] } ?? [])
        case ("last", 0): return .optional(elements.last.map { [$0] } ?? [])
        case ("distinct", 0):
            var known = ExpressionBag([])
            return .list(elements.filter { known.add($0) })
        case ("flatten", 0):
            return .list(
                elements.flatMap { element -> [ExpressionValue] in
                    guard case .list(let inner, _) = element else { return [element] }
                    return inner
                }
            )
        case ("slice", 2):
            guard let start = ExpressionMath.whole(values[0]), let end = ExpressionMath.whole(values[1]), start >= 0,
                start <= end, end <= elements.count
            else { throw ExpressionFault(message: "cannot slice: index out of range") }
            return .list(Array(elements[start..<end]))
        case ("join", 0...1):
            var separator = ""
            if let given = values.first {
                guard case .string(let text) = given else { throw .noOverload }
                separator = text
            }
            var texts: [String] = []
            for element in elements {
                guard case .string(let text) = element else { throw .noOverload }
                texts.append(text)
            }
            return .string(texts.joined(separator: separator))
        default: throw .noOverload
        }
    }
}
