// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Looks for mistakes in an expression before it is ever computed: names and fields that do not exist, operands that do
/// not fit, and what this server does not know.
struct ExpressionChecker {
    typealias Scope = [String: ExpressionType]

    /// What the real server's libraries have and this one has not.
    private static let unsupported: Set<String> = [
        "url", "isURL", "ip", "isIP", "ip.isCanonical", "cidr", "isCIDR", "format", "getHost", "getHostname", "getPort",
        "getScheme",
        "getEscapedPath", "getQuery", "family", "isLoopback", "isUnspecified", "isLinkLocalMulticast",
        "isLinkLocalUnicast", "isGlobalUnicast", "containsIP", "containsCIDR", "masked", "prefixLength", "validate",
        "optMap", "optFlatMap", "sortBy", "lists.range", "math.ceil", "math.floor", "math.round", "math.trunc",
        "math.abs",
        "math.sign", "math.isNaN", "math.isInf", "math.isFinite", "math.bitOr", "math.bitAnd", "math.bitXor",
        "math.bitNot", "math.bitShiftLeft", "math.bitShiftRight", "strings.quote", "base64.encode", "base64.decode",
        "semver", "isSemver", "major", "minor", "patch", "transformMapEntry", "unwrap", "unwrapOpt", "quote", "find",
        "findAll",
    ]

    /// The spaces in which functions lie: `sets.contains`.
    private static let spaces: Set<String> = [
        "optional", "math", "sets", "ip", "lists", "strings", "base64", "format", "cel",
    ]

    func check(_ expression: Expression, _ scope: Scope) throws(ExpressionProblem) -> ExpressionType {
        switch expression.kind {
        case .literal(let value): return ExpressionType(of: value)
        case .identifier(let name):
            if let type = scope[name] { return type }
            if ExpressionEvaluator.types[name] != nil { return .type }
            throw Self.undeclared(name, expression.place)
        case .select(let target, let name, let isOptional):
            let type = try Self.field(name, of: try check(target, scope), expression.place)
            return isOptional ? .optional(type) : type
        case .presence(let target, let name):
            _ = try Self.field(name, of: try check(target, scope), expression.place)
            return .bool
        case .index(let target, let key, let isOptional):
            let type = try element(of: try check(target, scope), by: try check(key, scope), expression.place)
            return isOptional ? .optional(type) : type
        case .not(let operand):
            let type = try check(operand, scope)
            guard type.fits(.bool) else { throw Self.noOverload("!_", [type], expression.place) }
            return .bool
        case .negated(let operand):
            let type = try check(operand, scope)
            switch type {
            case .any, .int, .double: return type
            default: throw Self.noOverload("-_", [type], expression.place)
            }
        case .binary(let name, let left, let right):
            return try Self.result(name, try check(left, scope), try check(right, scope), expression.place)
        case .conditional(let condition, let first, let second):
            let type = try check(condition, scope)
            guard type.fits(.bool) else { throw Self.noOverload("_?_:_", [type], expression.place) }
            return try check(first, scope).joined(try check(second, scope))
        case .call(let name, let target, let arguments):
            return try call(name, target, arguments, scope, expression.place)
        case .list(let elements):
            var type: ExpressionType?
            for element in elements {
                let next = try check(element.value, scope)
                type = type.map { $0.joined(next) } ?? next
            }
            return .list(type ?? .any)
        case .map(let entries):
            for entry in entries {
                _ = try check(entry.key, scope)
                _ = try check(entry.value, scope)
            }
            return .map(.any)
        case .comprehension(let macro): return try check(macro, scope, expression.place)
        case .binding(let name, let value, let body):
            var inner = scope
            inner[name] = try check(value, scope)
            return try check(body, inner)
        }
    }

    // MARK: Problems

    private static func undeclared(_ name: String, _ place: Int) -> ExpressionProblem {
        ExpressionProblem(message: "undeclared reference to '\(name)' (in container '')", place: place)
    }

    private static func noOverload(_ name: String, _ types: [ExpressionType], _ place: Int) -> ExpressionProblem {
        let list = types.map(\.name).joined(separator: ", ")
        return ExpressionProblem(
            message: "found no matching overload for '\(name)' applied to '(\(list))'",
            place: place
        )
    }

    // MARK: Fields

    private static let metadata = StructuralSchema([
        "type": "object", "properties": ["name": ["type": "string"], "generateName": ["type": "string"]],
    ])

    /// The type of a field, or why there is none.
    private static func field(
        _ name: String,
        of target: ExpressionType,
        _ place: Int
    ) throws(ExpressionProblem) -> ExpressionType {
        switch target {
        case .any: return .any
        case .map(let value): return value
        case .optional(let value): return .optional(try field(name, of: value, place))
        case .object(let schema, let isResource):
            if isResource {
                if name == "apiVersion" || name == "kind" { return .string }
                if name == "metadata" { return .object(metadata, isResource: false) }
            }
            let found = schema.property(name) ?? schema.property(ExpressionText.unescaped(name))
            guard let found else { throw ExpressionProblem(message: "undefined field '\(name)'", place: place) }
            return ExpressionType(found)
        default:
            throw ExpressionProblem(message: "type '\(target.name)' does not support field selection", place: place)
        }
    }

    private func element(
        of target: ExpressionType,
        by key: ExpressionType,
        _ place: Int
    ) throws(ExpressionProblem) -> ExpressionType {
        switch target {
        case .any: return .any
        case .list(let element) where key.fits(.int): return element
        case .map(let value): return value
        case .object: return .any
        case .optional(let value): return .optional(try element(of: value, by: key, place))
        default: throw Self.noOverload("_[_]", [target, key], place)
        }
    }

    // MARK: Operators

    private static func result(
        _ name: String,
        _ left: ExpressionType,
        _ right: ExpressionType,
        _ place: Int
    ) throws(ExpressionProblem) -> ExpressionType {
        let problem = noOverload(name == "in" ? "@in" : "_\(name)_", [left, right], place)
        switch name {
        case "&&", "||":
            guard left.fits(.bool), right.fits(.bool) else { throw problem }
            return .bool
        case "==", "!=":
            guard left.fits(right) else { throw problem }
            return .bool
        case "<", "<=", ">", ">=":
            guard left.isNumber && right.isNumber || left.fits(right) && isOrdered(left) && isOrdered(right) else {
                throw problem
            }
            return .bool
        case "in":
            switch right {
            case .list(let element):
                guard left.fits(element) else { throw problem }
            case .any, .map, .object: break
            default: throw problem
            }
            return .bool
        default: return try computed(name, left, right, problem)
        }
    }

    private static func isOrdered(_ type: ExpressionType) -> Bool {
        switch type {
        case .list, .map, .object, .null, .type, .optional, .quantity: false
        default: true
        }
    }

    private static func computed(
        _ name: String,
        _ left: ExpressionType,
        _ right: ExpressionType,
        _ problem: ExpressionProblem
    ) throws(ExpressionProblem) -> ExpressionType {
        switch (name, left, right) {
        case (_, .any, _), (_, _, .any): return .any
        case ("%", .double, _), ("%", _, .double): throw problem
        case (_, .int, .int), (_, .uint, .uint), (_, .double, .double): return left
        case ("+", .string, .string), ("+", .bytes, .bytes), ("+", .duration, .duration), ("-", .duration, .duration):
            return left
        case ("+", .list(let first), .list(let second)): return .list(first.joined(second))
        case ("+", .timestamp, .duration), ("+", .duration, .timestamp), ("-", .timestamp, .duration): return .timestamp
        case ("-", .timestamp, .timestamp): return .duration
        default: throw problem
        }
    }

    // MARK: Calls

    private func call(
        _ name: String,
        _ target: Expression?,
        _ arguments: [Expression],
        _ scope: Scope,
        _ place: Int
    ) throws(ExpressionProblem) -> ExpressionType {
        var full = name
        var receiver = target
        if let target, case .identifier(let space) = target.kind, scope[space] == nil, Self.spaces.contains(space) {
            full = "\(space).\(name)"
            receiver = nil
        }
        let type = try receiver.map { (expression) throws(ExpressionProblem) in try check(expression, scope) }
        for argument in arguments { _ = try check(argument, scope) }
        let known = receiver == nil ? ExpressionFunctions.names : ExpressionFunctions.methods
        guard known.contains(full) else {
            guard Self.unsupported.contains(full) else { throw Self.undeclared(full, place) }
            throw ExpressionProblem(
                message: "this server does not know the function '\(full)'",
                place: place,
                isUnsupported: true
            )
        }
        return Self.returned(full, type)
    }

    private static func returned(_ name: String, _ target: ExpressionType?) -> ExpressionType {
        switch name {
        case "size", "int", "indexOf", "lastIndexOf", "compareTo", "sign", "asInteger", "getHours", "getMinutes",
            "getSeconds", "getMilliseconds", "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek",
            "getDayOfYear":
            return .int
        case "uint": return .uint
        case "double", "asApproximateFloat": return .double
        case "string", "charAt", "join", "lowerAscii", "upperAscii", "replace", "substring", "trim":
            return .string
        case "bytes": return .bytes
        case "duration": return .duration
        case "timestamp": return .timestamp
        case "quantity": return .quantity
        case "type": return .type
        case "split": return .list(.string)
        case "bool", "startsWith", "endsWith", "contains", "matches", "isSorted", "hasValue", "isLessThan",
            "isGreaterThan",
            "isInteger", "isQuantity", "sets.contains", "sets.equivalent", "sets.intersects":
            return .bool
        case "value", "orValue":
            guard case .optional(let value)? = target else { return .any }
            return value
        default: return .any
        }
    }

    // MARK: Macros

    private func check(_ macro: Expression.Comprehension, _ scope: Scope, _ place: Int) throws(ExpressionProblem)
        -> ExpressionType
    {
        let range = try check(macro.range, scope)
        let types: (key: ExpressionType, value: ExpressionType, element: ExpressionType)
        switch range {
        case .any: types = (.any, .any, .any)
        case .list(let element): types = (.int, element, element)
        case .map(let value): types = (.string, value, .string)
        case .object: types = (.string, .any, .string)
        default:
            throw ExpressionProblem(
                message:
                    "expression of type '\(range.name)' cannot be range of a comprehension (must be list, map, or dynamic)",
                place: macro.range.place
            )
        }
        var inner = scope
        if macro.names.count == 1 {
            inner[macro.names[0]] = types.element
        } else {
            (inner[macro.names[0]], inner[macro.names[1]]) = (types.key, types.value)
        }
        if let condition = macro.condition {
            let type = try check(condition, inner)
            guard type.fits(.bool) else { throw Self.noOverload("_&&_", [.bool, type], condition.place) }
        }
        let result = try macro.result.map { (expression) throws(ExpressionProblem) in try check(expression, inner) }
        switch macro.goal {
        case .all, .exists, .existsOne: return .bool
        case .filter: return .list(types.element)
        case .map, .transformList: return .list(result ?? .any)
        case .transformMap: return .map(result ?? .any)
        }
    }
}
