// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Evaluates the rules of a custom resource's schema on an object, and on the one it replaces.
struct RuleCheck {
    /// What all rules together may cost.
    private static let budget = 5_000_000

    private(set) var errors = FieldErrors()
    /// Objections to what was there before and did not change: they are warnings.
    private(set) var tolerated: [String] = []
    private var spent = 0
    private var isExhausted = false

    /// `type` is the resource's own: rules at the root also see the object's type and name.
    mutating func check(_ object: JSON, from old: JSON?, _ schema: StructuralSchema, _ type: ResourceType) {
        guard schema.hasRules else { return }
        func shown(_ object: JSON) -> JSON {
            var object = object
            object["apiVersion"] = .string(type.apiVersion)
            object["kind"] = .string(type.kind)
            var metadata: JSON = [:]
            for member in ["name", "generateName"] {
                if let text = object[path: "metadata", member] { metadata[member] = text }
            }
            object["metadata"] = metadata
            return object
        }
        let node = Node(schema: schema, path: "", isResource: true)
        visit(node, shown(object), old.map(shown), isOldEqual: old == object)
    }

    private struct Node {
        var schema: StructuralSchema
        var path: String
        var isResource = false

        var field: String { path.isEmpty ? "<nil>" : path }
        func inside(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
    }

    /// `isOldEqual`: the nearest part that has a counterpart in the old object did not change.
    private mutating func visit(_ node: Node, _ value: JSON, _ old: JSON?, isOldEqual: Bool) {
        guard node.schema.hasRules, !value.isNull, !isExhausted else { return }
        let old = old.flatMap { $0.isNull ? nil : $0 }
        let isEqual = node.path.isEmpty ? isOldEqual : old.map { $0 == value } ?? isOldEqual
        evaluate(node, value, old, isEqual: isEqual)
        switch value {
        case .object(let members):
            for (name, member) in members {
                guard let schema = node.schema.member(name) else { continue }
                let isNamed = node.schema.property(name) != nil
                let path = isNamed ? node.inside(name) : "\(node.path)[\(name)]"
                visit(Node(schema: schema, path: path), member, old?[name], isOldEqual: isEqual)
            }
        case .array(let elements):
            guard let schema = node.schema.items, schema.hasRules else { return }
            let keys = node.schema.listType == .map ? node.schema.listMapKeys : []
            func identity(_ element: JSON) -> [JSON] { keys.map { element[$0] ?? .null } }
            let former = keys.isEmpty ? [] : old?.array ?? []
            let known = Dictionary(former.map { (identity($0), $0) }) { first, _ in first }
            for (place, element) in elements.enumerated() {
                let path = "\(node.path)[\(place)]"
                visit(Node(schema: schema, path: path), element, known[identity(element)], isOldEqual: isEqual)
            }
        default: return
        }
    }

    // MARK: Rules

    private mutating func evaluate(_ node: Node, _ value: JSON, _ old: JSON?, isEqual: Bool) {
        let rules = node.schema.rules(isResource: node.isResource || node.schema.isEmbeddedResource)
        guard !rules.isEmpty else { return }
        let own = ExpressionValue(value, node.schema)
        let former = old.map { ExpressionValue($0, node.schema) }
        for rule in rules where !isExhausted {
            var scope: ExpressionEvaluator.Scope = ["self": own]
            if rule.isOldValueOptional {
                scope["oldSelf"] = .optional(former.map { [$0] } ?? [])
            } else if rule.usesOldValue {
                guard let former else { continue }
                scope["oldSelf"] = former
            }
            evaluate(rule, node, value, scope, isTolerated: !rule.usesOldValue && isEqual)
        }
    }

    private mutating func evaluate(
        _ rule: ValidationRule,
        _ node: Node,
        _ value: JSON,
        _ scope: ExpressionEvaluator.Scope,
        isTolerated: Bool
    ) {
        let typeName = JSON.string(node.schema.type ?? "")
        var evaluator = ExpressionEvaluator()
        let name = rule.message ?? rule.text
        do {
            let result = try evaluator.evaluate(rule.expression, scope)
            spend(evaluator.steps, node, typeName)
            if case .bool(true) = result { return }
            guard !isExhausted else { return }
            object(to: rule, node, value, detail(rule, scope), isTolerated: isTolerated)
        } catch {
            spend(evaluator.steps, node, typeName)
            if error.isExhausted {
                isExhausted = true
                errors.invalid(
                    node.field,
                    typeName,
                    "'\(error.message)': no further validation rules will be run due to call cost exceeds limit for rule: "
                        + name
                )
            } else if error.message.hasPrefix("no such overload") {
                errors.invalid(
                    node.field,
                    typeName,
                    "'\(error.message)': call arguments did not match a supported operator, function or macro signature "
                        + "for rule: \(name)"
                )
            } else {
                errors.invalid(node.field, typeName, "\(error.message) evaluating rule: \(name)")
            }
        }
    }

    private mutating func spend(_ steps: Int, _ node: Node, _ typeName: JSON) {
        spent += steps
        guard spent > Self.budget, !isExhausted else { return }
        isExhausted = true
        errors.invalid(
            node.field,
            typeName,
            "validation failed due to running out of cost budget, no further validation rules will be run"
        )
    }

    private mutating func object(
        to rule: ValidationRule,
        _ node: Node,
        _ value: JSON,
        _ detail: String,
        isTolerated: Bool
    ) {
        var field = node.field
        if let path = rule.source["fieldPath"]?.string, !path.isEmpty {
            let steps = path.hasPrefix(".") && node.path.isEmpty ? String(path.dropFirst()) : path
            field = "\(node.path)\(steps)".replacing("['", with: "[").replacing("']", with: "]")
        }
        let isWhole = node.schema.type == "object" || node.schema.type == "array"
        let shown = isWhole ? "" : ": \(FieldErrors.shown(value))"
        var found = FieldErrors()
        switch rule.source["reason"]?.string {
        case "FieldValueForbidden"?: found.forbidden(field, detail)
        case "FieldValueRequired"?: found.required(field, detail)
        case "FieldValueDuplicate"?: found.add(.duplicate, field, "Duplicate value\(shown)")
        default: found.add(.invalid, field, "Invalid value\(shown): \(detail)")
        }
        if isTolerated {
            tolerated += found.all.map { "\($0.field): \($0.message)" }
        } else {
            errors.append(found)
        }
    }

    private mutating func detail(_ rule: ValidationRule, _ scope: ExpressionEvaluator.Scope) -> String {
        if let expression = rule.messageExpression {
            var evaluator = ExpressionEvaluator()
            let value = try? evaluator.evaluate(expression, scope)
            spent += evaluator.steps
            if case .string(let text)? = value {
                let message = ValidationRule.trimmed(text)
                if !message.isEmpty, !message.contains("\n"), message.utf8.count <= 5 * 1024 { return message }
            }
        }
        return rule.message ?? "failed rule: \(rule.text)"
    }
}
