// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What a value of the app file may look like: checks a file, and becomes its JSON Schema.
///
/// One description serves both, so the schema that editors complete and the errors that `release` prints cannot drift apart.
package indirect enum Shape: Sendable {
    case text(Text = Text())
    case integer(ClosedRange<Int>)
    case boolean
    /// Text, or a number or truth value, which counts as the text it is written as: for environment variables.
    case scalar
    /// A Kubernetes quantity such as `250m` or `1Gi`; numbers are accepted too.
    case quantity
    case list(Shape, atLeast: Int = 0)
    /// Any keys, each value of one shape.
    case map(Shape, keys: Text = Text())
    case object(Object)
    /// The first shape whose kind of value (text, number, list, mapping) fits decides about errors.
    case either([Shape])
    /// Anything at all.
    case any

    package struct Text: Sendable {
        /// What the text is, for messages: "a DNS label".
        var meaning: String
        var check: @Sendable (String) -> Bool
        /// The same rule for the JSON Schema.
        var pattern: String?
        var choices: [String]

        package init(
            _ meaning: String = "text",
            pattern: String? = nil,
            choices: [String] = [],
            check: @escaping @Sendable (String) -> Bool = { _ in true }
        ) {
            self.meaning = meaning
            self.pattern = pattern
            self.choices = choices
            self.check = check
        }
    }

    package struct Object: Sendable {
        var fields: [Field]
        /// Of these fields exactly one must be given; empty where there is no such rule.
        var exactlyOne: [String]

        package init(_ fields: [Field], exactlyOne: [String] = []) {
            self.fields = fields
            self.exactlyOne = exactlyOne
        }
    }

    package struct Field: Sendable {
        var name: String
        var shape: Shape
        var isRequired: Bool
        var note: String

        package init(_ name: String, _ shape: Shape, required: Bool = false, _ note: String) {
            self.name = name
            self.shape = shape
            self.isRequired = required
            self.note = note
        }
    }
}

/// One thing that is wrong in a file.
package struct Complaint: Sendable, Hashable, CustomStringConvertible {
    package var file: String
    /// From 1.
    package var line: Int
    /// The path of the key, such as `spec.deploy.replicas`.
    package var key: String
    package var message: String

    package init(file: String, line: Int, key: String, message: String) {
        self.file = file
        self.line = line
        self.key = key
        self.message = message
    }

    package var description: String {
        key.isEmpty ? "\(file):\(line): \(message)" : "\(file):\(line): \(key): \(message)"
    }
}
