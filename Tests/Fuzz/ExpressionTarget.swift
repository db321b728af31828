// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

@testable import KubeServer

/// Reads a text as a rule of a custom resource, checks it and computes it for an object: it may be refused or fail, not trap,
/// and not take longer than a rule may.
func readExpression(_ text: String) {
    let schema = ExpressionSample.schema
    let expression: Expression
    do {
        expression = try ExpressionParser.parse(text)
        _ = try ExpressionChecker().check(expression, ["self": ExpressionType(schema)])
    } catch {
        precondition(error.text(in: text).hasPrefix("ERROR: <input>:"), "a text that is refused says where")
        return
    }
    var evaluator = ExpressionEvaluator()
    _ = try? evaluator.evaluate(expression, ["self": ExpressionValue(ExpressionSample.object, schema)])
}

private enum ExpressionSample {
    static let schema = StructuralSchema([
        "type": "object",
        "properties": [
            "n": ["type": "integer"], "d": ["type": "number"], "s": ["type": "string"],
            "at": ["type": "string", "format": "date-time"], "for": ["type": "string", "format": "duration"],
            "l": ["type": "array", "items": ["type": "string"]],
            "set": ["type": "array", "x-kubernetes-list-type": "set", "items": ["type": "integer"]],
            "m": ["type": "object", "additionalProperties": ["type": "integer"]],
            "o": ["type": "array", "items": ["type": "object", "properties": ["k": ["type": "string"]]]],
            "any": ["type": "object", "x-kubernetes-preserve-unknown-fields": true],
        ],
    ])

    static let object: JSON = [
        "n": 5, "d": 2.5, "s": "h\u{e9}llo", "at": "2026-11-23T10:00:00Z", "for": "1h30m", "l": ["a", "b", "c"],
        "set": [3, 1], "m": ["x": 1, "y": 2], "o": [["k": "a"], ["k": "b"]], "any": ["z": [1, 2.5, "t"]],
    ]
}
