// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// One of a schema's `x-kubernetes-validations`.
struct ValidationRule: Sendable {
    /// What the definition says.
    let source: JSON
    let expression: Expression
    let messageExpression: Expression?
    let usesOldValue: Bool
    /// The old value is there even where there was none, as an optional one.
    let isOldValueOptional: Bool

    /// Parses and checks a rule that stands in `schema`.
    init(_ source: JSON, in schema: StructuralSchema, isResource: Bool) throws(ExpressionProblem) {
        self.source = source
        isOldValueOptional = source["optionalOldSelf"]?.bool ?? false
        let type = ExpressionType(schema, isResource: isResource)
        let scope = ["self": type, "oldSelf": isOldValueOptional ? .optional(type) : type]
        expression = try ExpressionParser.parse(source["rule"]?.string ?? "")
        let result = try ExpressionChecker().check(expression, scope)
        guard result.fits(.bool) else { throw Self.notBool }
        usesOldValue = expression.mentions("oldSelf")
        let text = source["messageExpression"]?.string ?? ""
        // What is wrong with the message's expression is found when the definition is written; the rule holds without it.
        messageExpression = text.isEmpty ? nil : try? ExpressionParser.parse(text)
    }

    static let notBool = ExpressionProblem(message: "cel expression must evaluate to a bool", place: -1)

    var text: String { Self.trimmed(source["rule"]?.string ?? "") }
    var message: String? { source["message"]?.string.flatMap { $0.isEmpty ? nil : Self.trimmed($0) } }

    static func trimmed(_ text: String) -> String {
        let scalars = text.unicodeScalars.drop { $0.properties.isWhitespace }
        let end = scalars.lastIndex { !$0.properties.isWhitespace }
        return end.map { String(scalars[...$0]) } ?? ""
    }
}

extension Expression {
    /// Whether the name is used; inside a macro that names its own variable so, it may be another one.
    func mentions(_ name: String) -> Bool {
        if case .identifier(name) = kind { return true }
        return kind.parts.contains { $0.mentions(name) }
    }
}
