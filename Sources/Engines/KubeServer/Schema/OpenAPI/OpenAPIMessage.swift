// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// How the value of a key travels in the protobuf form of an OpenAPI 2 document.
indirect enum OpenAPIShape: Sendable {
    case text, flag, integer, double
    /// Whatever it is, as YAML text.
    case any
    case list(OpenAPIShape)
    case message(OpenAPIMessage)
    /// A message with this alone, under the number. A value that is no array but could be one in a list is one element.
    case alone(Int, OpenAPIShape)
    /// A map: a message whose pairs, of name and value, have the number.
    case pairs(Int, OpenAPIShape)
    /// A schema, which holds schemas.
    case schema
    case schemaOrFlag
    case parameter
}

/// The keys of an OpenAPI 2 object by the numbers that they have in protobuf.
struct OpenAPIMessage: Sendable {
    var fields: [String: (number: Int, shape: OpenAPIShape)]
    /// The number of what is named `x-…`; other unknown keys have no place.
    var extensions: Int?

    static let document = OpenAPIMessage(
        fields: [
            "swagger": (1, .text), "info": (2, .message(info)), "paths": (8, .pairs(2, .message(pathItem))),
            "definitions": (9, .pairs(1, .schema)), "security": (12, .list(.pairs(1, .alone(1, .list(.text))))),
            "securityDefinitions": (13, .pairs(1, .alone(2, .message(apiKey)))),
        ],
        extensions: 16
    )

    private static let info = OpenAPIMessage(fields: ["title": (1, .text), "version": (2, .text)], extensions: 7)

    private static let apiKey = OpenAPIMessage(
        fields: ["type": (1, .text), "name": (2, .text), "in": (3, .text), "description": (4, .text)],
        extensions: 5
    )

    private static let pathItem = OpenAPIMessage(
        fields: [
            "get": (2, .message(operation)), "put": (3, .message(operation)), "post": (4, .message(operation)),
            "delete": (5, .message(operation)), "options": (6, .message(operation)), "head": (7, .message(operation)),
            "patch": (8, .message(operation)), "parameters": (9, .list(.parameter)),
        ],
        extensions: 10
    )

    private static let operation = OpenAPIMessage(
        fields: [
            "tags": (1, .list(.text)), "summary": (2, .text), "description": (3, .text), "operationId": (5, .text),
            "produces": (6, .list(.text)), "consumes": (7, .list(.text)), "parameters": (8, .list(.parameter)),
            "responses": (9, .pairs(1, .alone(1, .message(response)))), "deprecated": (11, .flag),
        ],
        extensions: 13
    )

    private static let response = OpenAPIMessage(
        fields: ["description": (1, .text), "schema": (2, .alone(1, .schema))],
        extensions: 5
    )

    static let bodyParameter = OpenAPIMessage(
        fields: [
            "description": (1, .text), "name": (2, .text), "in": (3, .text), "required": (4, .flag),
            "schema": (5, .schema),
        ],
        extensions: 6
    )

    static let queryParameter = OpenAPIMessage(
        fields: [
            "required": (1, .flag), "in": (2, .text), "description": (3, .text), "name": (4, .text),
            "type": (6, .text), "format": (7, .text), "uniqueItems": (20, .flag),
        ],
        extensions: 23
    )

    static let pathParameter = OpenAPIMessage(
        fields: [
            "required": (1, .flag), "in": (2, .text), "description": (3, .text), "name": (4, .text),
            "type": (5, .text), "format": (6, .text), "uniqueItems": (19, .flag),
        ],
        extensions: 22
    )

    static let schema = OpenAPIMessage(
        fields: [
            "$ref": (1, .text), "format": (2, .text), "title": (3, .text), "description": (4, .text),
            "default": (5, .any), "multipleOf": (6, .double), "maximum": (7, .double),
            "exclusiveMaximum": (8, .flag), "minimum": (9, .double), "exclusiveMinimum": (10, .flag),
            "maxLength": (11, .integer), "minLength": (12, .integer), "pattern": (13, .text),
            "maxItems": (14, .integer), "minItems": (15, .integer), "uniqueItems": (16, .flag),
            "maxProperties": (17, .integer), "minProperties": (18, .integer), "required": (19, .list(.text)),
            "enum": (20, .list(.any)), "additionalProperties": (21, .schemaOrFlag),
            "type": (22, .alone(1, .list(.text))), "items": (23, .alone(1, .list(.schema))),
            "allOf": (24, .list(.schema)), "properties": (25, .pairs(1, .schema)), "readOnly": (27, .flag),
            "example": (30, .any),
        ],
        extensions: 31
    )
}
