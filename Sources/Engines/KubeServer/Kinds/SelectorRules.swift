// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The syntax of selector objects.
enum SelectorRules {
    static func check(_ selector: JSON, _ field: String, _ errors: inout FieldErrors) {
        MetadataRules.labels(selector["matchLabels"], at: "\(field).matchLabels", &errors)
        for (place, expression) in (selector["matchExpressions"]?.array ?? []).enumerated() {
            check(expression: expression, "\(field).matchExpressions[\(place)]", &errors)
        }
    }

    private static func check(expression: JSON, _ field: String, _ errors: inout FieldErrors) {
        let values = (expression["values"]?.array ?? []).compactMap(\.string)
        let op = expression["operator"]?.string ?? ""
        switch op {
        case "In", "NotIn":
            if values.isEmpty {
                errors.required("\(field).values", "must be specified when `operator` is 'In' or 'NotIn'")
            }
        case "Exists", "DoesNotExist":
            if !values.isEmpty {
                errors.forbidden(
                    "\(field).values",
                    "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                )
            }
        default: errors.invalid("\(field).operator", op, "not a valid selector operator")
        }
        let key = expression["key"]?.string ?? ""
        for problem in NameRules.qualifiedNameProblems(key) { errors.invalid("\(field).key", key, problem) }
        for (place, value) in values.enumerated() {
            for problem in NameRules.labelValueProblems(value) {
                errors.invalid("\(field).values[\(place)]", value, problem)
            }
        }
    }

    /// Whether nothing is said, which selects everything.
    static func isEmpty(_ selector: JSON?) -> Bool {
        (selector?["matchLabels"]?.object?.isEmpty ?? true) && (selector?["matchExpressions"]?.array?.isEmpty ?? true)
    }
}
