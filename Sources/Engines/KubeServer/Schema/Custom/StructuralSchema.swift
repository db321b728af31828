// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Synchronization

/// The schema of one version of a custom resource, compiled from a CustomResourceDefinition.
///
/// Reading is lenient: what is malformed counts as absent. ``DefinitionRules`` says beforehand what is wrong with it.
final class StructuralSchema: Sendable {
    enum AdditionalProperties: Sendable {
        case unspecified
        case allowed(Bool)
        case schema(StructuralSchema)
    }

    enum ListType: String, Sendable { case atomic, set, map }

    let type: String?
    let format: String?
    let isNullable: Bool
    let defaultValue: JSON?
    let properties: [(name: String, schema: StructuralSchema)]
    let additionalProperties: AdditionalProperties
    let items: StructuralSchema?
    let required: [String]

    let preservesUnknownFields: Bool
    let isEmbeddedResource: Bool
    let isIntOrString: Bool
    let listType: ListType?
    let listMapKeys: [String]
    /// Server-side apply treats the whole object as one value.
    let isAtomicMap: Bool
    /// Whether rules in the Common Expression Language stand here or below.
    let hasRules: Bool
    private let ruleSources: [JSON]
    private let compiledRules = Mutex<[ValidationRule]?>(nil)

    let limits: ValueLimits
    let allOf: [StructuralSchema]
    let anyOf: [StructuralSchema]
    let oneOf: [StructuralSchema]
    let not: StructuralSchema?

    private let places: [String: Int]

    /// Compiles an `openAPIV3Schema`.
    init(_ json: JSON) {
        type = json["type"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        format = json["format"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        isNullable = json["nullable"]?.bool ?? false
        defaultValue = json["default"].flatMap { $0.isNull ? JSON?.none : $0 }
        properties = (json["properties"]?.object ?? [:]).map { ($0.key, StructuralSchema($0.value)) }
        switch json["additionalProperties"] {
        case .bool(let isAllowed)?: additionalProperties = .allowed(isAllowed)
        case .object?: additionalProperties = .schema(StructuralSchema(json["additionalProperties"] ?? [:]))
        default: additionalProperties = .unspecified
        }
        items = json["items"]?.object.map { StructuralSchema(.object($0)) }
        required = json["required"]?.array?.compactMap(\.string) ?? []
        preservesUnknownFields = json["x-kubernetes-preserve-unknown-fields"]?.bool ?? false
        isEmbeddedResource = json["x-kubernetes-embedded-resource"]?.bool ?? false
        isIntOrString = json["x-kubernetes-int-or-string"]?.bool ?? false
        listType = json["x-kubernetes-list-type"]?.string.flatMap(ListType.init(rawValue:))
        listMapKeys = json["x-kubernetes-list-map-keys"]?.array?.compactMap(\.string) ?? []
        isAtomicMap = json["x-kubernetes-map-type"]?.string == "atomic"
        limits = ValueLimits(json)
        allOf = Self.list(json["allOf"])
        anyOf = Self.list(json["anyOf"])
        oneOf = Self.list(json["oneOf"])
        not = json["not"]?.object.map { StructuralSchema(.object($0)) }
        places = Dictionary(properties.enumerated().map { ($1.name, $0) }) { first, _ in first }
        ruleSources = json["x-kubernetes-validations"]?.array ?? []
        hasRules =
            !ruleSources.isEmpty || properties.contains { $0.schema.hasRules }
            || items?.hasRules == true || additionalProperties.schema?.hasRules == true
    }

    private static func list(_ json: JSON?) -> [StructuralSchema] { (json?.array ?? []).map { StructuralSchema($0) } }

    func property(_ name: String) -> StructuralSchema? { places[name].map { properties[$0].schema } }

    /// The rules that stand here, without those that this server cannot evaluate.
    func rules(isResource: Bool) -> [ValidationRule] {
        guard !ruleSources.isEmpty else { return [] }
        return compiledRules.withLock { known in
            if let known { return known }
            let rules = ruleSources.compactMap { try? ValidationRule($0, in: self, isResource: isResource) }
            known = rules
            return rules
        }
    }

    /// What a member of that name must be like.
    func member(_ name: String) -> StructuralSchema? { property(name) ?? additionalProperties.schema }
}

extension StructuralSchema.AdditionalProperties {
    var schema: StructuralSchema? {
        guard case .schema(let schema) = self else { return nil }
        return schema
    }
}

/// What a schema demands of values beyond their type.
struct ValueLimits: Sendable {
    let enumeration: [JSON]
    let pattern: Pattern?
    let minimum: JSONNumber?
    let maximum: JSONNumber?
    let excludesMinimum: Bool
    let excludesMaximum: Bool
    let multipleOf: JSONNumber?
    let minLength: Int?
    let maxLength: Int?
    let minItems: Int?
    let maxItems: Int?
    let minProperties: Int?
    let maxProperties: Int?

    init(_ json: JSON) {
        func number(_ key: String) -> JSONNumber? {
            guard case .number(let number)? = json[key] else { return nil }
            return number
        }
        enumeration = json["enum"]?.array ?? []
        pattern = json["pattern"]?.string.flatMap { $0.isEmpty ? nil : try? Pattern($0) }
        minimum = number("minimum")
        maximum = number("maximum")
        excludesMinimum = json["exclusiveMinimum"]?.bool ?? false
        excludesMaximum = json["exclusiveMaximum"]?.bool ?? false
        multipleOf = number("multipleOf")
        minLength = json["minLength"]?.int
        maxLength = json["maxLength"]?.int
        minItems = json["minItems"]?.int
        maxItems = json["maxItems"]?.int
        minProperties = json["minProperties"]?.int
        maxProperties = json["maxProperties"]?.int
    }
}
