// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

extension Shape {
    /// The shape as JSON Schema (draft 2020-12).
    package var jsonSchema: JSON {
        switch self {
        case .any: return [:]
        case .boolean: return ["type": "boolean"]
        case .scalar: return ["type": ["string", "number", "boolean"]]
        case .quantity: return ["type": ["string", "number"]]
        case .integer(let range):
            return ["type": "integer", "minimum": JSON(range.lowerBound), "maximum": JSON(range.upperBound)]
        case .text(let rule):
            var schema: JSON = ["type": "string"]
            if let pattern = rule.pattern { schema["pattern"] = .string(pattern) }
            if !rule.choices.isEmpty { schema["enum"] = .array(rule.choices.map { .string($0) }) }
            return schema
        case .list(let element, let minimum):
            var schema: JSON = ["type": "array", "items": element.jsonSchema]
            if minimum > 0 { schema["minItems"] = JSON(minimum) }
            return schema
        case .map(let element, _): return ["type": "object", "additionalProperties": element.jsonSchema]
        case .either(let shapes): return ["anyOf": .array(shapes.map(\.jsonSchema))]
        case .object(let object): return Self.schema(of: object)
        }
    }

    private static func schema(of object: Object) -> JSON {
        var properties: JSON = [:]
        for field in object.fields {
            var schema = field.shape.jsonSchema
            schema["description"] = .string(field.note)
            properties[field.name] = schema
        }
        var schema: JSON = ["type": "object", "properties": properties, "additionalProperties": false]
        let required = object.fields.filter(\.isRequired).map { JSON.string($0.name) }
        if !required.isEmpty { schema["required"] = .array(required) }
        if !object.exactlyOne.isEmpty {
            schema["oneOf"] = .array(object.exactlyOne.map { ["required": [.string($0)]] })
        }
        return schema
    }

    /// The shape as a structural schema of a CustomResourceDefinition, where alternatives of different kinds of value are
    /// left open: the file check and the controller that reads the object are stricter.
    package var structuralSchema: JSON {
        switch self {
        case .any, .either, .scalar: return ["x-kubernetes-preserve-unknown-fields": true]
        case .quantity: return ["x-kubernetes-int-or-string": true]
        case .list(let element, _): return ["type": "array", "items": element.structuralSchema]
        case .map(let element, _): return ["type": "object", "additionalProperties": element.structuralSchema]
        case .object(let object):
            var properties: JSON = [:]
            for field in object.fields {
                var schema = field.shape.structuralSchema
                schema["description"] = .string(field.note)
                properties[field.name] = schema
            }
            var schema: JSON = ["type": "object", "properties": properties]
            let required = object.fields.filter(\.isRequired).map { JSON.string($0.name) }
            if !required.isEmpty { schema["required"] = .array(required) }
            return schema
        case .boolean, .integer, .text: return jsonSchema
        }
    }
}
