// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Reads a text of the Common Expression Language; macros are recognized on the way.
struct ExpressionParser {
    private typealias Token = ExpressionLexer.Token

    private var lexer: ExpressionLexer
    private var token = ExpressionLexer.Token.end
    private var place = 0
    private var depth = 0

    private static let depthLimit = 100
    /// Chains such as `a.b.c` and `1 + 2 + 3` are no nested text, but deep all the same for whoever walks through them.
    private static let treeLimit = 250
    private static let sizeLimit = 100_000

    static func parse(_ text: String) throws(ExpressionProblem) -> Expression {
        guard text.utf8.count <= sizeLimit else {
            throw ExpressionProblem(message: "expression code point size exceeds limit", place: 0)
        }
        var parser = ExpressionParser(lexer: ExpressionLexer(text))
        try parser.advance()
        let expression = try parser.expression()
        guard parser.token == .end else { throw parser.unexpected() }
        return expression
    }

    private init(lexer: ExpressionLexer) { self.lexer = lexer }

    private mutating func advance() throws(ExpressionProblem) { (token, place) = try lexer.next() }

    private mutating func take(_ symbol: String) throws(ExpressionProblem) -> Bool {
        guard token == .symbol(symbol) else { return false }
        try advance()
        return true
    }

    private mutating func expect(_ symbol: String) throws(ExpressionProblem) {
        guard try take(symbol) else { throw unexpected(wanting: "'\(symbol)'") }
    }

    private func unexpected(wanting wanted: String? = nil) -> ExpressionProblem {
        let shown =
            switch token {
            case .end: "<EOF>"
            case .int(let text), .uint(let text), .identifier(let text), .symbol(let text), .quotedField(let text): text
            case .double(let value): "\(value)"
            case .string(let text): "\"\(text)\""
            case .bytes: "b\"\""
            }
        let tail = wanted.map { " expecting \($0)" } ?? ""
        return ExpressionProblem(message: "Syntax error: mismatched input '\(shown)'\(tail)", place: place)
    }

    private static func node(_ kind: Expression.Kind, at place: Int) throws(ExpressionProblem) -> Expression {
        let made = Expression(kind: kind, place: place)
        guard made.depth <= treeLimit else {
            throw ExpressionProblem(message: "expression recursion limit exceeded: \(treeLimit)", place: place)
        }
        return made
    }

    // MARK: Operators

    private mutating func expression() throws(ExpressionProblem) -> Expression {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else {
            throw ExpressionProblem(message: "expression recursion limit exceeded: \(Self.depthLimit)", place: place)
        }
        let condition = try disjunction()
        let start = place
        guard try take("?") else { return condition }
        let first = try disjunction()
        try expect(":")
        return try Self.node(.conditional(condition, first, try expression()), at: start)
    }

    private mutating func disjunction() throws(ExpressionProblem) -> Expression {
        try logic("||") { (parser) throws(ExpressionProblem) in try parser.conjunction() }
    }

    private mutating func conjunction() throws(ExpressionProblem) -> Expression {
        try logic("&&") { (parser) throws(ExpressionProblem) in try parser.relation() }
    }

    /// A chain of the one operator, of any length.
    private mutating func logic(
        _ name: String,
        _ operand: (inout ExpressionParser) throws(ExpressionProblem) -> Expression
    ) throws(ExpressionProblem) -> Expression {
        var (operands, places) = ([try operand(&self)], [Int]())
        while token == .symbol(name) {
            places.append(place)
            try advance()
            operands.append(try operand(&self))
        }
        return try Self.balanced(name, operands, places, 0...places.count)
    }

    /// The chain as a tree that is as flat as can be.
    private static func balanced(
        _ name: String,
        _ operands: [Expression],
        _ places: [Int],
        _ range: ClosedRange<Int>
    ) throws(ExpressionProblem) -> Expression {
        guard range.count > 1 else { return operands[range.lowerBound] }
        let middle = (range.lowerBound + range.upperBound) / 2
        let left = try balanced(name, operands, places, range.lowerBound...middle)
        let right = try balanced(name, operands, places, middle + 1...range.upperBound)
        return try node(.binary(name, left, right), at: places[middle])
    }

    private static let relations: Set<String> = ["<", "<=", ">", ">=", "==", "!=", "in"]

    private mutating func relation() throws(ExpressionProblem) -> Expression {
        var left = try sum()
        while let name = operatorName, Self.relations.contains(name) {
            left = try binary(name, left) { (parser) throws(ExpressionProblem) in try parser.sum() }
        }
        return left
    }

    private mutating func sum() throws(ExpressionProblem) -> Expression {
        var left = try product()
        while let name = operatorName, name == "+" || name == "-" {
            left = try binary(name, left) { (parser) throws(ExpressionProblem) in try parser.product() }
        }
        return left
    }

    private mutating func product() throws(ExpressionProblem) -> Expression {
        var left = try unary()
        while let name = operatorName, ["*", "/", "%"].contains(name) {
            left = try binary(name, left) { (parser) throws(ExpressionProblem) in try parser.unary() }
        }
        return left
    }

    private var operatorName: String? {
        switch token {
        case .symbol(let name): name
        case .identifier("in"): "in"
        default: nil
        }
    }

    private mutating func binary(
        _ name: String,
        _ left: Expression,
        _ operand: (inout ExpressionParser) throws(ExpressionProblem) -> Expression
    ) throws(ExpressionProblem) -> Expression {
        let start = place
        try advance()
        let right = try operand(&self)
        return try Self.node(.binary(name, left, right), at: start)
    }

    private mutating func unary() throws(ExpressionProblem) -> Expression {
        let start = place
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else {
            throw ExpressionProblem(message: "expression recursion limit exceeded: \(Self.depthLimit)", place: place)
        }
        if try take("!") { return try Self.node(.not(try unary()), at: start) }
        guard try take("-") else { return try member() }
        // The smallest number has no positive counterpart.
        if case .int(let text) = token, let value = Int64("-\(text)") {
            try advance()
            return try members(of: Self.node(.literal(.int(value)), at: start))
        }
        return try Self.node(.negated(try unary()), at: start)
    }

    // MARK: Members

    private mutating func member() throws(ExpressionProblem) -> Expression { try members(of: try primary()) }

    private mutating func members(of first: Expression) throws(ExpressionProblem) -> Expression {
        var target = first
        while true {
            let start = place
            if token == .symbol(".") || token == .symbol(".?") {
                let isOptional = token == .symbol(".?")
                try advance()
                let (name, isQuoted) = try fieldName()
                let opening = place
                if !isOptional, !isQuoted, try take("(") {
                    target = try method(name, of: target, at: opening)
                } else {
                    target = try Self.node(.select(target, name, isOptional: isOptional), at: start)
                }
            } else if token == .symbol("[") || token == .symbol("[?") {
                let isOptional = token == .symbol("[?")
                try advance()
                let key = try expression()
                try expect("]")
                target = try Self.node(.index(target, key, isOptional: isOptional), at: start)
            } else {
                return target
            }
        }
    }

    private mutating func fieldName() throws(ExpressionProblem) -> (String, isQuoted: Bool) {
        switch token {
        case .identifier(let name):
            try advance()
            return (name, false)
        case .quotedField(let name):
            try advance()
            return (name, true)
        default: throw unexpected(wanting: "IDENTIFIER")
        }
    }

    private mutating func arguments() throws(ExpressionProblem) -> [Expression] {
        var all: [Expression] = []
        while token != .symbol(")") {
            all.append(try expression())
            guard try take(",") else { break }
        }
        try expect(")")
        return all
    }

    private static let reserved: Set<String> = [
        "as", "break", "const", "continue", "else", "for", "function", "if", "import", "in", "let", "loop", "package",
        "namespace", "return", "var", "void", "while",
    ]

    private mutating func primary() throws(ExpressionProblem) -> Expression {
        let start = place
        let current = token
        switch current {
        case .symbol("("):
            try advance()
            let inner = try expression()
            try expect(")")
            return inner
        case .symbol("["), .symbol("[?"): return try list(start)
        case .symbol("{"), .symbol("{?"): return try map(start)
        case .symbol("."):
            try advance()
            guard case .identifier(let name) = token else { throw unexpected(wanting: "IDENTIFIER") }
            return try identifier(name, start)
        case .identifier(let name): return try identifier(name, start)
        default: break
        }
        guard let value = try literal(current) else { throw unexpected() }
        try advance()
        return try Self.node(.literal(value), at: start)
    }

    private func literal(_ token: ExpressionLexer.Token) throws(ExpressionProblem) -> ExpressionValue? {
        switch token {
        case .int(let text):
            guard let value = Int64(text) else {
                throw ExpressionProblem(message: "Syntax error: invalid int literal", place: place)
            }
            return .int(value)
        case .uint(let text):
            guard let value = UInt64(text) else {
                throw ExpressionProblem(message: "Syntax error: invalid uint literal", place: place)
            }
            return .uint(value)
        case .double(let value): return .double(value)
        case .string(let text): return .string(text)
        case .bytes(let bytes): return .bytes(bytes)
        default: return nil
        }
    }

    private mutating func identifier(_ name: String, _ start: Int) throws(ExpressionProblem) -> Expression {
        switch name {
        case "true", "false":
            try advance()
            return try Self.node(.literal(.bool(name == "true")), at: start)
        case "null":
            try advance()
            return try Self.node(.literal(.null), at: start)
        default: break
        }
        if Self.reserved.contains(name) {
            throw ExpressionProblem(message: "Syntax error: reserved identifier: \(name)", place: start)
        }
        try advance()
        let opening = place
        guard try take("(") else { return try Self.node(.identifier(name), at: start) }
        let given = try arguments()
        if name == "has" { return try presence(given, at: opening) }
        return try Self.node(.call(name, target: nil, given), at: opening)
    }

    private mutating func list(_ start: Int) throws(ExpressionProblem) -> Expression {
        var elements: [Expression.Element] = []
        var isOptional = token == .symbol("[?")
        try advance()
        while token != .symbol("]") {
            if try take("?") { isOptional = true }
            elements.append(Expression.Element(value: try expression(), isOptional: isOptional))
            isOptional = false
            guard try take(",") else { break }
        }
        try expect("]")
        return try Self.node(.list(elements), at: start)
    }

    private mutating func map(_ start: Int) throws(ExpressionProblem) -> Expression {
        var entries: [Expression.Entry] = []
        var isOptional = token == .symbol("{?")
        try advance()
        while token != .symbol("}") {
            if try take("?") { isOptional = true }
            let key = try expression()
            try expect(":")
            entries.append(Expression.Entry(key: key, value: try expression(), isOptional: isOptional))
            isOptional = false
            guard try take(",") else { break }
        }
        try expect("}")
        return try Self.node(.map(entries), at: start)
    }
}

// MARK: - Macros

extension ExpressionParser {
    private func presence(_ given: [Expression], at place: Int) throws(ExpressionProblem) -> Expression {
        guard given.count == 1, case .select(let target, let field, isOptional: false) = given[0].kind else {
            throw ExpressionProblem(message: "invalid argument to has() macro", place: given.first?.place ?? place)
        }
        return try Self.node(.presence(target, field), at: place)
    }

    private static let goals: [String: Expression.Comprehension.Goal] = [
        "all": .all, "exists": .exists, "exists_one": .existsOne, "existsOne": .existsOne, "filter": .filter,
        "map": .map,
        "transformList": .transformList, "transformMap": .transformMap,
    ]

    private mutating func method(_ name: String, of target: Expression, at place: Int) throws(ExpressionProblem)
        -> Expression
    {
        let given = try arguments()
        if name == "bind", case .identifier("cel") = target.kind, given.count == 3 {
            let variable = try Self.variable(given[0])
            return try Self.node(.binding(variable, given[1], given[2]), at: place)
        }
        if let goal = Self.goals[name], let found = try Self.comprehension(goal, target, given) {
            return try Self.node(.comprehension(found), at: place)
        }
        return try Self.node(.call(name, target: target, given), at: place)
    }

    /// `nil` where the number of arguments is no macro's.
    private static func comprehension(
        _ goal: Expression.Comprehension.Goal,
        _ range: Expression,
        _ given: [Expression]
    ) throws(ExpressionProblem) -> Expression.Comprehension? {
        func make(
            _ names: Int,
            condition: Expression?,
            result: Expression?
        ) throws(ExpressionProblem) -> Expression.Comprehension {
            var variables: [String] = []
            for expression in given.prefix(names) { variables.append(try variable(expression)) }
            return Expression.Comprehension(
                goal: goal,
                range: range,
                names: variables,
                condition: condition,
                result: result
            )
        }
        switch (goal, given.count) {
        case (.all, 2), (.exists, 2), (.existsOne, 2), (.filter, 2):
            return try make(1, condition: given[1], result: nil)
        case (.all, 3), (.exists, 3), (.existsOne, 3): return try make(2, condition: given[2], result: nil)
        case (.map, 2): return try make(1, condition: nil, result: given[1])
        case (.map, 3): return try make(1, condition: given[1], result: given[2])
        case (.transformList, 3), (.transformMap, 3): return try make(2, condition: nil, result: given[2])
        case (.transformList, 4), (.transformMap, 4): return try make(2, condition: given[2], result: given[3])
        default: return nil
        }
    }

    private static func variable(_ expression: Expression) throws(ExpressionProblem) -> String {
        guard case .identifier(let name) = expression.kind else {
            throw ExpressionProblem(message: "argument must be a simple name", place: expression.place)
        }
        return name
    }
}
