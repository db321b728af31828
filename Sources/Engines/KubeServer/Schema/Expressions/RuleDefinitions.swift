// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Looks at the rules of a CustomResourceDefinition's schemas when it is written.
enum RuleDefinitions {
    /// Objections to one schema's own rules.
    static func check(_ schema: JSON, at path: String, isRoot: Bool, _ errors: inout FieldErrors) {
        let rules = schema["x-kubernetes-validations"]?.array ?? []
        guard !rules.isEmpty else { return }
        var found = FieldErrors()
        for (place, rule) in rules.enumerated() {
            checkTexts(rule, at: "\(path).x-kubernetes-validations[\(place)]", &found)
        }
        let compiled = StructuralSchema(schema)
        for (place, rule) in rules.enumerated() where found.isEmpty {
            checkPath(rule, compiled, at: "\(path).x-kubernetes-validations[\(place)]", &found)
        }
        let isResource = isRoot || compiled.isEmbeddedResource
        for (place, rule) in rules.enumerated() where found.isEmpty {
            checkExpressions(rule, compiled, isResource, at: "\(path).x-kubernetes-validations[\(place)]", &found)
        }
        errors.append(found)
    }

    private static let reasons = [
        "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired",
    ]

    private static func checkTexts(_ rule: JSON, at path: String, _ errors: inout FieldErrors) {
        let text = rule["rule"]?.string ?? ""
        let message = rule["message"]?.string ?? ""
        let isMessageEmpty = ValidationRule.trimmed(message).isEmpty
        if ValidationRule.trimmed(text).isEmpty {
            errors.required("\(path).rule", "rule is not specified")
        } else if !message.isEmpty, isMessageEmpty {
            errors.invalid("\(path).message", message, "must be non-empty if specified")
        } else if ValidationRule.trimmed(message).contains("\n") {
            errors.invalid("\(path).message", message, "must not contain line breaks")
        } else if ValidationRule.trimmed(text).contains("\n"), isMessageEmpty {
            errors.required("\(path).message", "message must be specified if rule contains line breaks")
        }
        if let expression = rule["messageExpression"]?.string, !expression.isEmpty,
            ValidationRule.trimmed(expression).isEmpty
        {
            errors.required("\(path).messageExpression", "must be non-empty if specified")
        }
        if let reason = rule["reason"]?.string, !reasons.contains(reason) {
            errors.notSupported("\(path).reason", reason, reasons)
        }
    }

    private static func checkPath(
        _ rule: JSON,
        _ schema: StructuralSchema,
        at path: String,
        _ errors: inout FieldErrors
    ) {
        guard let text = rule["fieldPath"]?.string, !text.isEmpty else { return }
        if ValidationRule.trimmed(text).isEmpty {
            errors.invalid("\(path).fieldPath", text, "must be non-empty if specified")
        } else if text.contains("\n") {
            errors.invalid("\(path).fieldPath", text, "must not contain line breaks")
        } else if !leads(text, from: schema) {
            errors.invalid("\(path).fieldPath", text, "must be a valid path")
        }
    }

    /// Whether a path such as `.spec.items['a.b']` leads to a field that the schema has.
    private static func leads(_ path: String, from schema: StructuralSchema) -> Bool {
        var (rest, current) = (path[...], schema)
        while !rest.isEmpty {
            let name: String
            if rest.hasPrefix("['"), let end = rest.firstRange(of: "']") {
                name = String(rest[rest.index(rest.startIndex, offsetBy: 2)..<end.lowerBound])
                rest = rest[end.upperBound...]
            } else if rest.hasPrefix(".") {
                let word = rest.dropFirst().prefix { $0 != "." && $0 != "[" }
                name = String(word)
                rest = rest.dropFirst(1 + word.count)
            } else {
                return false
            }
            guard !name.isEmpty, let next = current.member(name) else { return false }
            current = next
        }
        return true
    }

    private static func checkExpressions(
        _ rule: JSON,
        _ schema: StructuralSchema,
        _ isResource: Bool,
        at path: String,
        _ errors: inout FieldErrors
    ) {
        if let problem = problem(of: rule, schema, isResource), !problem.isUnsupported {
            let isType = problem == ValidationRule.notBool
            let text = isType ? problem.message : "compilation failed: \(problem.text(in: rule["rule"]?.string ?? ""))"
            errors.invalid("\(path).rule", shown(rule), text)
        } else if rule["optionalOldSelf"] != nil, let parsed = try? ExpressionParser.parse(rule["rule"]?.string ?? ""),
            !parsed.mentions("oldSelf")
        {
            errors.invalid(
                "\(path).optionalOldSelf",
                rule["optionalOldSelf"] ?? .null,
                "may not be set if oldSelf is not used in rule"
            )
        }
        if let problem = messageProblem(of: rule, schema, isResource), !problem.isUnsupported {
            let isType = problem.place < 0
            let source = rule["messageExpression"]?.string ?? ""
            let text = isType ? problem.message : "messageExpression compilation failed: \(problem.text(in: source))"
            errors.invalid("\(path).messageExpression", shown(rule), text)
        }
    }

    /// As the real server prints a rule it objects to.
    private static func shown(_ rule: JSON) -> JSON {
        [
            "Rule": rule["rule"] ?? "", "Message": rule["message"] ?? "",
            "MessageExpression": rule["messageExpression"] ?? "", "Reason": rule["reason"] ?? .null,
            "FieldPath": rule["fieldPath"] ?? "", "OptionalOldSelf": rule["optionalOldSelf"] ?? .null,
        ]
    }

    private static func problem(of rule: JSON, _ schema: StructuralSchema, _ isResource: Bool) -> ExpressionProblem? {
        do {
            _ = try ValidationRule(rule, in: schema, isResource: isResource)
            return nil
        } catch {
            return error
        }
    }

    private static func messageProblem(
        of rule: JSON,
        _ schema: StructuralSchema,
        _ isResource: Bool
    ) -> ExpressionProblem? {
        guard let text = rule["messageExpression"]?.string, !text.isEmpty else { return nil }
        let type = ExpressionType(schema, isResource: isResource)
        let old = rule["optionalOldSelf"]?.bool == true ? ExpressionType.optional(type) : type
        do {
            let result = try ExpressionChecker().check(
                try ExpressionParser.parse(text),
                ["self": type, "oldSelf": old]
            )
            guard !result.fits(.string) else { return nil }
            return ExpressionProblem(message: "messageExpression must evaluate to a string", place: -1)
        } catch {
            return error
        }
    }

    // MARK: What is not evaluated

    /// Texts of warnings: which rules use what this server does not know, and are therefore stored and not evaluated.
    static func warnings(_ schema: JSON, at path: String, isRoot: Bool) -> [String] {
        var texts: [String] = []
        let rules = schema["x-kubernetes-validations"]?.array ?? []
        if !rules.isEmpty {
            let compiled = StructuralSchema(schema)
            let isResource = isRoot || compiled.isEmbeddedResource
            for (place, rule) in rules.enumerated() {
                let at = "\(path).x-kubernetes-validations[\(place)]"
                if let problem = problem(of: rule, compiled, isResource), problem.isUnsupported {
                    texts.append("\(at).rule: \(problem.message); the rule is stored and not evaluated")
                }
                if let problem = messageProblem(of: rule, compiled, isResource), problem.isUnsupported {
                    texts.append("\(at).messageExpression: \(problem.message); it is stored and not evaluated")
                }
            }
        }
        for (step, child) in DefinitionRules.children(of: schema) {
            texts += warnings(child, at: "\(path).\(step)", isRoot: false)
        }
        return texts
    }
}
