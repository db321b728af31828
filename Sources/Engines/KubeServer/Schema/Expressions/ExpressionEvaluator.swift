// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Why an expression has no value.
struct ExpressionFault: Error, Sendable {
    var message: String
    /// No further rule may be evaluated: too much was asked already.
    var isExhausted = false

    static let noOverload = ExpressionFault(message: "no such overload")
    static let overflow = ExpressionFault(message: "integer overflow")

    static func noKey(_ key: ExpressionValue) -> ExpressionFault {
        ExpressionFault(message: "no such key: \(key.shown)")
    }
}

/// Computes expressions, within a number of steps.
struct ExpressionEvaluator {
    /// What one rule may cost.
    static let ruleLimit = 1_000_000

    private(set) var steps = 0

    typealias Scope = [String: ExpressionValue]

    mutating func spend(_ count: Int) throws(ExpressionFault) {
        steps += count
        guard steps <= Self.ruleLimit else {
            throw ExpressionFault(message: "operation cancelled: actual cost limit exceeded", isExhausted: true)
        }
    }

    mutating func evaluate(_ expression: Expression, _ scope: Scope) throws(ExpressionFault) -> ExpressionValue {
        try spend(1)
        switch expression.kind {
        case .literal(let value): return value
        case .identifier(let name):
            if let value = scope[name] { return value }
            guard let type = Self.types[name] else { throw ExpressionFault(message: "no such attribute(s): \(name)") }
            return .type(type)
        case .select(let target, let name, let isOptional):
            return try select(try evaluate(target, scope), name, isOptional: isOptional)
        case .presence(let target, let name): return .bool(try holds(try evaluate(target, scope), name))
        case .index(let target, let key, let isOptional):
            let value = try evaluate(target, scope)
            return try index(value, try evaluate(key, scope), isOptional: isOptional)
        case .not(let operand):
            guard case .bool(let flag) = try evaluate(operand, scope) else { throw .noOverload }
            return .bool(!flag)
        case .negated(let operand): return try ExpressionMath.negate(try evaluate(operand, scope))
        case .binary("&&", let left, let right): return try logic(left, right, scope, settledBy: false)
        case .binary("||", let left, let right): return try logic(left, right, scope, settledBy: true)
        case .binary(let name, let left, let right):
            let first = try evaluate(left, scope)
            return try operate(name, first, try evaluate(right, scope))
        case .conditional(let condition, let first, let second):
            guard case .bool(let flag) = try evaluate(condition, scope) else { throw .noOverload }
            return try evaluate(flag ? first : second, scope)
        case .call(let name, let target, let arguments): return try call(name, target, arguments, scope)
        case .list(let elements): return try list(elements, scope)
        case .map(let entries): return try map(entries, scope)
        case .comprehension(let comprehension): return try run(comprehension, scope)
        case .binding(let name, let value, let body):
            var inner = scope
            inner[name] = try evaluate(value, scope)
            return try evaluate(body, inner)
        }
    }

    static let types: [String: String] = [
        "bool": "bool", "int": "int", "uint": "uint", "double": "double", "string": "string", "bytes": "bytes",
        "list": "list", "map": "map", "null_type": "null_type", "type": "type", "optional_type": "optional_type",
    ]

    // MARK: Logic

    /// One side may settle the matter even where the other one fails.
    private mutating func logic(
        _ left: Expression,
        _ right: Expression,
        _ scope: Scope,
        settledBy settled: Bool
    ) throws(ExpressionFault) -> ExpressionValue {
        var fault: ExpressionFault?
        for side in [left, right] {
            do throws(ExpressionFault) {
                guard case .bool(let flag) = try evaluate(side, scope) else { throw ExpressionFault.noOverload }
                if flag == settled { return .bool(settled) }
            } catch {
                guard !error.isExhausted else { throw error }
                fault = fault ?? error
            }
        }
        if let fault { throw fault }
        return .bool(!settled)
    }

    private mutating func operate(
        _ name: String,
        _ left: ExpressionValue,
        _ right: ExpressionValue
    ) throws(ExpressionFault) -> ExpressionValue {
        switch name {
        case "==", "!=":
            try spend(min(left.weight, right.weight))
            return .bool(left.equals(right) == (name == "=="))
        case "<", "<=", ">", ">=":
            guard let order = left.order(right) else {
                if left.isNumber, right.isNumber { return .bool(false) }
                throw .noOverload
            }
            return .bool(name == "<" ? order < 0 : name == "<=" ? order <= 0 : name == ">" ? order > 0 : order >= 0)
        case "in":
            try spend(right.weight)
            switch right {
            case .list(let elements, _): return .bool(elements.contains { $0.equals(left) })
            case .map(let map): return .bool(map[left] != nil)
            default: throw .noOverload
            }
        default:
            if name == "+" { try spend(left.weight + right.weight) }
            return try ExpressionMath.compute(name, left, right)
        }
    }

    // MARK: Parts of values

    private func select(
        _ target: ExpressionValue,
        _ name: String,
        isOptional: Bool
    ) throws(ExpressionFault) -> ExpressionValue {
        if case .optional(let held) = target {
            guard let value = held.first else { return .optional([]) }
            return try select(value, name, isOptional: true)
        }
        guard case .map(let map) = target else { throw .noOverload }
        let found = map[.string(name)] ?? map[.string(ExpressionText.unescaped(name))]
        if isOptional { return .optional(found.map { [$0] } ?? []) }
        guard let found else { throw .noKey(.string(name)) }
        return found
    }

    private func holds(_ target: ExpressionValue, _ name: String) throws(ExpressionFault) -> Bool {
        if case .optional(let held) = target {
            guard let value = held.first else { return false }
            return try holds(value, name)
        }
        guard case .map(let map) = target else { throw .noOverload }
        return map[.string(name)] != nil || map[.string(ExpressionText.unescaped(name))] != nil
    }

    private func index(
        _ target: ExpressionValue,
        _ key: ExpressionValue,
        isOptional: Bool
    ) throws(ExpressionFault) -> ExpressionValue {
        switch target {
        case .optional(let held):
            guard let value = held.first else { return .optional([]) }
            return try index(value, key, isOptional: true)
        case .map(let map):
            let found = map[key]
            if isOptional { return .optional(found.map { [$0] } ?? []) }
            guard let found else { throw .noKey(key) }
            return found
        case .list(let elements, _):
            guard let place = ExpressionMath.whole(key) else { throw .noOverload }
            let found = elements.indices.contains(place) ? elements[place] : nil
            if isOptional { return .optional(found.map { [$0] } ?? []) }
            guard let found else { throw ExpressionFault(message: "index out of bounds: \(place)") }
            return found
        default: throw .noOverload
        }
    }

    // MARK: Making values

    private mutating func list(_ elements: [Expression.Element], _ scope: Scope) throws(ExpressionFault)
        -> ExpressionValue
    {
        var values: [ExpressionValue] = []
        for element in elements {
            let value = try evaluate(element.value, scope)
            guard element.isOptional else {
                values.append(value)
                continue
            }
            guard case .optional(let held) = value else { throw .noOverload }
            values += held
        }
        return .list(values)
    }

    private mutating func map(_ entries: [Expression.Entry], _ scope: Scope) throws(ExpressionFault) -> ExpressionValue
    {
        var map = ExpressionMap()
        for entry in entries {
            let key = try evaluate(entry.key, scope)
            var value = try evaluate(entry.value, scope)
            if entry.isOptional {
                guard case .optional(let held) = value else { throw .noOverload }
                guard let present = held.first else { continue }
                value = present
            }
            guard ExpressionMap.canBeKey(key) else { throw ExpressionFault(message: "unsupported key type") }
            guard map.add(key, value) else { throw ExpressionFault(message: "Failed with repeated key: \(key.shown)") }
        }
        return .map(map)
    }

    private mutating func call(
        _ name: String,
        _ target: Expression?,
        _ arguments: [Expression],
        _ scope: Scope
    ) throws(ExpressionFault) -> ExpressionValue {
        if let target, case .identifier(let space) = target.kind, scope[space] == nil {
            let full = "\(space).\(name)"
            if ExpressionFunctions.names.contains(full) {
                return try ExpressionFunctions.call(full, try values(arguments, scope), &self)
            }
        }
        guard let target else { return try ExpressionFunctions.call(name, try values(arguments, scope), &self) }
        let value = try evaluate(target, scope)
        // What an optional value falls back to is computed only where it is needed.
        if case .optional(let held) = value, arguments.count == 1, name == "orValue" || name == "or" {
            guard let present = held.first else { return try evaluate(arguments[0], scope) }
            return name == "or" ? value : present
        }
        return try ExpressionFunctions.callMethod(name, of: value, try values(arguments, scope), &self)
    }

    private mutating func values(_ expressions: [Expression], _ scope: Scope) throws(ExpressionFault)
        -> [ExpressionValue]
    {
        var values: [ExpressionValue] = []
        for expression in expressions { values.append(try evaluate(expression, scope)) }
        return values
    }
}

// MARK: - Macros

extension ExpressionEvaluator {
    private mutating func run(_ macro: Expression.Comprehension, _ scope: Scope) throws(ExpressionFault)
        -> ExpressionValue
    {
        let items = try Self.items(try evaluate(macro.range, scope), two: macro.names.count == 2)
        var (list, map, count) = ([ExpressionValue](), ExpressionMap(), 0)
        var fault: ExpressionFault?
        var inner = scope
        for item in items {
            try spend(1)
            for (name, value) in zip(macro.names, item) { inner[name] = value }
            var isMet = true
            if let condition = macro.condition {
                do throws(ExpressionFault) {
                    guard case .bool(let flag) = try evaluate(condition, inner) else {
                        throw ExpressionFault.noOverload
                    }
                    isMet = flag
                } catch {
                    // A later element may settle what this one leaves open.
                    guard macro.goal == .all || macro.goal == .exists, !error.isExhausted else { throw error }
                    fault = fault ?? error
                    continue
                }
            }
            switch macro.goal {
            case .all: if !isMet { return .bool(false) }
            case .exists: if isMet { return .bool(true) }
            case .existsOne: count += isMet ? 1 : 0
            case .filter: if isMet { list.append(item[0]) }
            case .map, .transformList: if isMet, let result = macro.result { list.append(try evaluate(result, inner)) }
            case .transformMap:
                if isMet, let result = macro.result { _ = map.add(item[0], try evaluate(result, inner)) }
            }
        }
        if let fault { throw fault }
        switch macro.goal {
        case .all: return .bool(true)
        case .exists: return .bool(false)
        case .existsOne: return .bool(count == 1)
        case .filter, .map, .transformList: return .list(list)
        case .transformMap: return .map(map)
        }
    }

    /// For each step what its variables stand for.
    private static func items(_ range: ExpressionValue, two: Bool) throws(ExpressionFault) -> [[ExpressionValue]] {
        switch range {
        case .list(let elements, _):
            return two ? elements.enumerated().map { [.int(Int64($0.offset)), $0.element] } : elements.map { [$0] }
        case .map(let map): return map.entries.map { two ? [$0.key, $0.value] : [$0.key] }
        default: throw .noOverload
        }
    }
}

extension ExpressionValue {
    /// About how much work it is to go through it once, as far as that is less than a rule may cost: lists that hold one
    /// value over and over can be too large to be gone through at all.
    var weight: Int {
        var sum = 0
        weigh(&sum)
        return sum
    }

    private func weigh(_ sum: inout Int) {
        sum += 1
        switch self {
        case .list(let elements, _), .optional(let elements):
            for element in elements where sum <= ExpressionEvaluator.ruleLimit { element.weigh(&sum) }
        case .map(let map):
            for entry in map.entries where sum <= ExpressionEvaluator.ruleLimit {
                sum += 1
                entry.value.weigh(&sum)
            }
        case .string(let text): sum += text.utf8.count / 10
        case .bytes(let bytes): sum += bytes.count / 10
        default: break
        }
    }
}
