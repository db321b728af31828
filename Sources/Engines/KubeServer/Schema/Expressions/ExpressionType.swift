// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What is known of an expression's value before it is computed.
indirect enum ExpressionType: Sendable {
    /// Anything; what is done with it shows later.
    case any
    case bool, int, uint, double, string, bytes, null, duration, timestamp, quantity, type
    case list(ExpressionType)
    case map(ExpressionType)
    /// `isResource`: it also has a type and a name.
    case object(StructuralSchema, isResource: Bool)
    case optional(ExpressionType)

    init(_ schema: StructuralSchema?, isResource: Bool = false) {
        guard let schema, !schema.isIntOrString else {
            self = .any
            return
        }
        switch schema.type {
        case "boolean"?: self = .bool
        case "integer"?: self = .int
        case "number"?: self = .double
        case "string"?: self = Self.text(schema.format)
        case "array"?: self = .list(ExpressionType(schema.items))
        case "object"?:
            if let values = schema.additionalProperties.schema {
                self = .map(ExpressionType(values))
            } else if schema.properties.isEmpty, schema.preservesUnknownFields, !isResource {
                self = .any
            } else {
                self = .object(schema, isResource: isResource || schema.isEmbeddedResource)
            }
        default: self = .any
        }
    }

    /// A value's own type; of what a list or a map holds nothing is known.
    init(of value: ExpressionValue) {
        switch value {
        case .null: self = .null
        case .bool: self = .bool
        case .int: self = .int
        case .uint: self = .uint
        case .double: self = .double
        case .string: self = .string
        case .bytes: self = .bytes
        case .duration: self = .duration
        case .timestamp: self = .timestamp
        case .quantity: self = .quantity
        case .type: self = .type
        case .list, .map, .optional: self = .any
        }
    }

    private static func text(_ format: String?) -> ExpressionType {
        switch format {
        case "date-time"?, "date"?: .timestamp
        case "duration"?: .duration
        case "byte"?: .bytes
        default: .string
        }
    }

    /// As messages name it.
    var name: String {
        switch self {
        case .any: "dyn"
        case .bool: "bool"
        case .int: "int"
        case .uint: "uint"
        case .double: "double"
        case .string: "string"
        case .bytes: "bytes"
        case .null: "null"
        case .duration: "google.protobuf.Duration"
        case .timestamp: "google.protobuf.Timestamp"
        case .quantity: "kubernetes.Quantity"
        case .type: "type"
        case .list(let element): "list(\(element.name))"
        case .map(let value): "map(string, \(value.name))"
        case .object: "object"
        case .optional(let value): "optional_type(\(value.name))"
        }
    }

    var isNumber: Bool {
        switch self {
        case .int, .uint, .double: true
        default: false
        }
    }

    /// Whether a value of the one type may also be of the other.
    func fits(_ other: ExpressionType) -> Bool {
        switch (self, other) {
        case (.any, _), (_, .any), (.null, _), (_, .null), (.object, .object), (.object, .map), (.map, .object): true
        case (.list(let left), .list(let right)), (.map(let left), .map(let right)),
            (.optional(let left), .optional(let right)):
            left.fits(right)
        default: name == other.name
        }
    }

    /// The type that both are of, as far as it is one.
    func joined(_ other: ExpressionType) -> ExpressionType {
        if case .object = self { return .any }
        return name == other.name ? self : .any
    }
}
