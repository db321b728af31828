// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What a CustomResourceDefinition's schemas must be like: what OpenAPI features are allowed, and structural.
///
/// Names, groups, versions and flags are not looked at here.
enum DefinitionRules {
    /// Objections to the schemas of a CustomResourceDefinition's `spec`.
    ///
    /// The real server moves a schema that all versions share to `spec.validation` before it looks, which shows in the paths.
    static func check(_ spec: JSON, _ errors: inout FieldErrors) {
        let versions = spec["versions"]?.array ?? []
        let schemas = versions.map { $0[path: "schema", "openAPIV3Schema"] }
        guard let first = schemas.first, let shared = first, shared.object != nil,
            schemas.allSatisfy({ $0 == shared })
        else {
            for (place, schema) in schemas.enumerated() {
                guard let schema, schema.object != nil else { continue }
                check(schema, at: "spec.versions[\(place)].schema.openAPIV3Schema", &errors)
            }
            return
        }
        check(shared, at: "spec.validation.openAPIV3Schema", &errors)
    }

    /// Every version needs a schema.
    static func checkPresence(_ spec: JSON, _ errors: inout FieldErrors) {
        for (place, version) in (spec["versions"]?.array ?? []).enumerated()
        where version[path: "schema", "openAPIV3Schema"]?.object == nil {
            errors.required("spec.versions[\(place)].schema.openAPIV3Schema")
        }
    }

    static func check(_ schema: JSON, at path: String, _ errors: inout FieldErrors) {
        checkFeatures(schema, at: path, depth: 0, &errors)
        // What a structural schema has no place for leaves nothing to look into.
        let isReadable = !errors.all.contains {
            $0.field.hasSuffix(".$ref") || $0.message.contains("items must be a schema object")
        }
        guard isReadable else { return }
        var structural = FieldErrors()
        let rules = StructuralRules()
        rules.checkInvariants(schema, .root, at: path, &structural)
        if structural.isEmpty { rules.checkCompleteness(schema, at: path, &structural) }
        for error in structural.all.sorted(by: { "\($0.field): \($0.message)" < "\($1.field): \($1.message)" }) {
            errors.add(error.kind, error.field, error.message)
        }
        guard errors.isEmpty else { return }
        checkDefaults(schema, at: path, &errors)
        checkRules(schema, at: path, isRoot: true, &errors)
    }

    private static func checkRules(_ schema: JSON, at path: String, isRoot: Bool, _ errors: inout FieldErrors) {
        RuleDefinitions.check(schema, at: path, isRoot: isRoot, &errors)
        for (step, child) in children(of: schema) {
            checkRules(child, at: "\(path).\(step)", isRoot: false, &errors)
        }
    }

    /// Texts of warnings about a CustomResourceDefinition's `spec`: which of its rules are not evaluated.
    static func warnings(_ spec: JSON) -> [String] {
        (spec["versions"]?.array ?? []).enumerated().flatMap { (place, version) -> [String] in
            guard let schema = version[path: "schema", "openAPIV3Schema"] else { return [] }
            return RuleDefinitions.warnings(schema, at: "spec.versions[\(place)].schema.openAPIV3Schema", isRoot: true)
        }
    }

    private static let depthLimit = 200
    private static let unsupported = [
        "id", "$ref", "definitions", "dependencies", "additionalItems", "patternProperties",
    ]
    private static let types = ["array", "boolean", "integer", "number", "object", "string"]

    private static func checkFeatures(_ schema: JSON, at path: String, depth: Int, _ errors: inout FieldErrors) {
        guard schema.object != nil else { return }
        guard depth < depthLimit else { return errors.forbidden(path, "nests too deeply") }
        for feature in unsupported where isSet(schema[feature]) {
            errors.forbidden("\(path).\(feature)", "\(feature) is not supported")
        }
        checkType(schema, at: path, &errors)
        if case .array? = schema["items"] {
            errors.forbidden("\(path).items", "items must be a schema object and not an array")
        }
        if schema["uniqueItems"] == true {
            errors.forbidden(
                "\(path).uniqueItems",
                "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
            )
        }
        let hasProperties = !(schema["properties"]?.object ?? [:]).isEmpty
        if hasProperties, let additional = schema["additionalProperties"],
            additional == false || additional.object != nil
        {
            errors.forbidden(
                "\(path).additionalProperties",
                "additionalProperties and properties are mutual exclusive"
            )
        }
        if schema["x-kubernetes-preserve-unknown-fields"] == false {
            errors.invalid("\(path).x-kubernetes-preserve-unknown-fields", false as JSON, "must be true or undefined")
        }
        checkMapType(schema, at: path, &errors)
        ListRules.check(schema, at: path, &errors)
        for (step, child) in children(of: schema) {
            checkFeatures(child, at: "\(path).\(step)", depth: depth + 1, &errors)
        }
    }

    static func isSet(_ value: JSON?) -> Bool {
        switch value {
        case nil, .null?, .bool(false)?, .string("")?: false
        case .object(let members)?: !members.isEmpty
        case .array(let elements)?: !elements.isEmpty
        default: true
        }
    }

    private static func checkType(_ schema: JSON, at path: String, _ errors: inout FieldErrors) {
        guard let type = schema["type"]?.string, !type.isEmpty, !types.contains(type) else { return }
        if type == "null" {
            errors.forbidden("\(path).type", "type cannot be set to null, use nullable as an alternative")
        } else {
            errors.notSupported("\(path).type", type, types)
        }
    }

    private static func checkMapType(_ schema: JSON, at path: String, _ errors: inout FieldErrors) {
        guard let mapType = schema["x-kubernetes-map-type"]?.string else { return }
        if mapType != "atomic", mapType != "granular" {
            errors.notSupported("\(path).x-kubernetes-map-type", mapType, ["atomic", "granular"])
        }
        if schema["type"] != "object" {
            let type = schema["type"]?.string ?? ""
            let detail = "must be object if x-kubernetes-map-type is specified"
            if type.isEmpty {
                errors.required("\(path).type", detail)
            } else {
                errors.invalid("\(path).type", type, detail)
            }
        }
    }

    /// Every schema directly below, with its step in the path.
    static func children(of schema: JSON) -> [(String, JSON)] {
        var found: [(String, JSON)] = []
        for (name, property) in schema["properties"]?.object ?? [:] { found.append(("properties[\(name)]", property)) }
        for key in ["additionalProperties", "items", "not"] {
            if let child = schema[key], child.object != nil { found.append((key, child)) }
        }
        for key in ["allOf", "oneOf", "anyOf"] {
            for (place, child) in (schema[key]?.array ?? []).enumerated() { found.append(("\(key)[\(place)]", child)) }
        }
        return found
    }

    /// A default must itself be valid and hold nothing unknown.
    private static func checkDefaults(_ schema: JSON, at path: String, _ errors: inout FieldErrors) {
        if let value = schema["default"], !value.isNull {
            let compiled = StructuralSchema(schema)
            compiled.validate(value, as: "\(path).default", &errors)
            var unknown: [String] = []
            if let pruned = try? compiled.pruned(value, unknown: &unknown), !unknown.isEmpty, pruned != value {
                errors.invalid("\(path).default", value, "must not have unknown fields")
            }
        }
        for (step, child) in children(of: schema) { checkDefaults(child, at: "\(path).\(step)", &errors) }
    }
}

/// `x-kubernetes-list-type` and `x-kubernetes-list-map-keys`.
enum ListRules {
    static func check(_ schema: JSON, at path: String, _ errors: inout FieldErrors) {
        let listType = schema["x-kubernetes-list-type"]?.string
        let keys = schema["x-kubernetes-list-map-keys"]?.array?.compactMap(\.string) ?? []
        if let listType {
            if schema["type"] != "array" {
                let type = schema["type"]?.string ?? ""
                let detail = "must be array if x-kubernetes-list-type is specified"
                if type.isEmpty {
                    errors.required("\(path).type", detail)
                } else {
                    errors.invalid("\(path).type", type, detail)
                }
            }
            if !["atomic", "set", "map"].contains(listType) {
                errors.notSupported("\(path).x-kubernetes-list-type", listType, ["atomic", "set", "map"])
            }
        }
        if !keys.isEmpty, listType != "map" {
            let detail = "must be map if x-kubernetes-list-map-keys is non-empty"
            if let listType {
                errors.invalid("\(path).x-kubernetes-list-type", listType, detail)
            } else {
                errors.required("\(path).x-kubernetes-list-type", detail)
            }
        }
        if listType == "map" { checkMap(schema, keys, at: path, &errors) }
        if listType == "set", let items = schema["items"], items.object != nil { checkSet(items, at: path, &errors) }
    }

    /// The elements of a set are compared as a whole.
    private static func checkSet(_ items: JSON, at path: String, _ errors: inout FieldErrors) {
        switch items["type"]?.string {
        case "object" where items["x-kubernetes-map-type"] != "atomic":
            errors.invalid(
                "\(path).items.x-kubernetes-map-type",
                items["x-kubernetes-map-type"] ?? .null,
                "must be atomic as item of a list with x-kubernetes-list-type=set"
            )
        case "array" where !["atomic", nil].contains(items["x-kubernetes-list-type"]?.string):
            errors.invalid(
                "\(path).items.x-kubernetes-list-type",
                items["x-kubernetes-list-type"] ?? .null,
                "must be atomic as item of a list with x-kubernetes-list-type=set"
            )
        default: break
        }
    }

    private static func checkMap(_ schema: JSON, _ keys: [String], at path: String, _ errors: inout FieldErrors) {
        if keys.isEmpty {
            errors.required(
                "\(path).x-kubernetes-list-map-keys",
                "must not be empty if x-kubernetes-list-type is map"
            )
        }
        guard let items = schema["items"], items.object != nil else {
            return errors.required("\(path).items", "must have a schema if x-kubernetes-list-type is map")
        }
        if items["type"] != "object" {
            errors.invalid(
                "\(path).items.type",
                items["type"]?.string ?? "",
                "must be object if parent array's x-kubernetes-list-type is map"
            )
        }
        var seen: Set<String> = []
        for key in keys {
            if !seen.insert(key).inserted {
                errors.invalid(
                    "\(path).x-kubernetes-list-map-keys",
                    .array(keys.map { .string($0) }),
                    "must not contain duplicate entries"
                )
            }
            guard let property = items[path: "properties", key] else {
                errors.invalid(
                    "\(path).x-kubernetes-list-map-keys",
                    .array(keys.map { .string($0) }),
                    "entries must all be names of item properties"
                )
                continue
            }
            let keyPath = "\(path).items.properties[\(key)]"
            if let type = property["type"]?.string, type == "array" || type == "object" {
                errors.invalid(
                    "\(keyPath).type",
                    type,
                    "must be a scalar type if parent array's x-kubernetes-list-type is map"
                )
            }
            let isRequired = items["required"]?.array?.contains(.string(key)) ?? false
            if property["default"] == nil, !isRequired {
                errors.required(
                    "\(keyPath).default",
                    "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
                )
            }
        }
    }
}
