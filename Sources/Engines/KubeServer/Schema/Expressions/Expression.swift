// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// A parsed expression of the Common Expression Language (CEL), in which CustomResourceDefinitions write rules.
struct Expression: Sendable {
    indirect enum Kind: Sendable {
        case literal(ExpressionValue)
        case identifier(String)
        /// `a.b`, or `a.?b`, which is an optional value.
        case select(Expression, String, isOptional: Bool)
        /// `has(a.b)`.
        case presence(Expression, String)
        case index(Expression, Expression, isOptional: Bool)
        case not(Expression)
        case negated(Expression)
        case binary(String, Expression, Expression)
        case conditional(Expression, Expression, Expression)
        /// A function, or a method where there is a target.
        case call(String, target: Expression?, [Expression])
        case list([Element])
        case map([Entry])
        case comprehension(Comprehension)
        /// `cel.bind(name, value, body)`.
        case binding(String, Expression, Expression)
    }

    struct Element: Sendable {
        var value: Expression
        /// Left out where the value is none: `[?a.?b]`.
        var isOptional: Bool
    }

    struct Entry: Sendable {
        var key: Expression
        var value: Expression
        var isOptional: Bool
    }

    /// What a macro does with each element of a list, or each key of a map.
    struct Comprehension: Sendable {
        enum Goal: Sendable { case all, exists, existsOne, filter, map, transformList, transformMap }

        var goal: Goal
        var range: Expression
        /// The element; with two names index or key and element.
        var names: [String]
        var condition: Expression?
        var result: Expression?
    }

    let kind: Kind
    /// In Unicode scalars from the start of the text; where an operator stands between operands, its place.
    let place: Int
    /// How many levels of parts it has, itself included.
    let depth: Int

    init(kind: Kind, place: Int) {
        self.kind = kind
        self.place = place
        depth = 1 + (kind.parts.map(\.depth).max() ?? 0)
    }
}

extension Expression.Kind {
    /// The expressions that this one is made of.
    var parts: [Expression] {
        switch self {
        case .literal, .identifier: []
        case .select(let target, _, _), .presence(let target, _): [target]
        case .index(let target, let key, _): [target, key]
        case .not(let operand), .negated(let operand): [operand]
        case .binary(_, let left, let right): [left, right]
        case .conditional(let condition, let first, let second): [condition, first, second]
        case .call(_, let target, let arguments): (target.map { [$0] } ?? []) + arguments
        case .list(let elements): elements.map(\.value)
        case .map(let entries): entries.flatMap { [$0.key, $0.value] }
        case .comprehension(let macro): [macro.range] + [macro.condition, macro.result].compactMap { $0 }
        case .binding(_, let value, let body): [value, body]
        }
    }
}

/// Why a text is no expression, or which part of the language is not known here.
struct ExpressionProblem: Error, Sendable, Equatable {
    var message: String
    var place: Int
    /// The text may well be right; it uses what this server does not evaluate.
    var isUnsupported = false

    /// As the real server shows it: with line and column, the line, and a mark below the place.
    func text(in source: String) -> String {
        let scalars = Array(source.unicodeScalars)
        let before = scalars.prefix(place)
        let line = before.count { $0 == "\n" } + 1
        let start = (before.lastIndex(of: "\n") ?? -1) + 1
        let end = scalars[start...].firstIndex(of: "\n") ?? scalars.count
        var snippet = String.UnicodeScalarView()
        snippet.append(contentsOf: scalars[start..<end])
        let column = min(place, scalars.count) - start
        let dots = String(repeating: ".", count: column)
        return "ERROR: <input>:\(line):\(column + 1): \(message)\n | \(String(snippet))\n | \(dots)^"
    }
}
