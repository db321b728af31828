// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What makes a schema structural: types everywhere, nothing about structure inside `allOf`, `anyOf`, `oneOf` and `not`.
struct StructuralRules {
    enum Level { case root, item, field }

    private static let intOrString: JSON = [["type": "integer"], ["type": "string"]]

    func checkInvariants(_ schema: JSON, _ level: Level, at path: String, _ errors: inout FieldErrors) {
        let type = schema["type"]?.string ?? ""
        let isEmbedded = schema["x-kubernetes-embedded-resource"] == true
        if let items = schema["items"], items.object != nil {
            checkInvariants(items, .item, at: "\(path).items", &errors)
        } else if type == "array" {
            errors.required("\(path).items", "must be specified")
        }
        for (name, property) in schema["properties"]?.object ?? [:] {
            checkInvariants(property, .field, at: "\(path).properties[\(name)]", &errors)
        }
        checkAdditional(schema, level, isEmbedded: isEmbedded, at: path, &errors)
        checkExtensions(schema, at: path, &errors)
        checkCombinations(schema, at: path, isTop: true, &errors)
        checkType(schema, type, level, isEmbedded: isEmbedded, at: path, &errors)
        checkMetadata(schema, level, isEmbedded: isEmbedded, at: path, &errors)
    }

    private func checkAdditional(
        _ schema: JSON,
        _ level: Level,
        isEmbedded: Bool,
        at path: String,
        _ errors: inout FieldErrors
    ) {
        guard let additional = schema["additionalProperties"], !additional.isNull else { return }
        if level == .root { errors.forbidden("\(path).additionalProperties", "must not be used at the root") }
        if isEmbedded {
            errors.forbidden(
                "\(path).additionalProperties",
                "must not be used if x-kubernetes-embedded-resource is set"
            )
        }
        if additional.object != nil { checkInvariants(additional, .field, at: "\(path).additionalProperties", &errors) }
    }

    private func checkExtensions(_ schema: JSON, at path: String, _ errors: inout FieldErrors) {
        guard schema["x-kubernetes-int-or-string"] == true else { return }
        for name in ["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"]
        where schema[name] == true {
            errors.invalid("\(path).\(name)", true as JSON, "must be false if x-kubernetes-int-or-string is true")
        }
    }

    private func checkType(
        _ schema: JSON,
        _ type: String,
        _ level: Level,
        isEmbedded: Bool,
        at path: String,
        _ errors: inout FieldErrors
    ) {
        let isFree =
            schema["x-kubernetes-int-or-string"] == true || schema["x-kubernetes-preserve-unknown-fields"] == true
        if isEmbedded, type != "object" {
            let detail = "must be object if x-kubernetes-embedded-resource is true"
            if type.isEmpty {
                errors.required("\(path).type", detail)
            } else {
                errors.invalid("\(path).type", type, detail)
            }
        } else if type.isEmpty, !isFree {
            let place =
                switch level {
                case .root: "at the root"
                case .item: "for specified array items"
                case .field: "for specified object fields"
                }
            errors.required("\(path).type", "must not be empty \(place)")
        }
        if level == .root, !type.isEmpty, type != "object" {
            errors.invalid("\(path).type", type, "must be object at the root")
        }
        let hasProperties = !(schema["properties"]?.object ?? [:]).isEmpty
        if isEmbedded, schema["x-kubernetes-preserve-unknown-fields"] != true, !hasProperties {
            errors.required(
                "\(path).properties",
                "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields"
            )
        }
    }

    private func checkMetadata(
        _ schema: JSON,
        _ level: Level,
        isEmbedded: Bool,
        at path: String,
        _ errors: inout FieldErrors
    ) {
        guard level == .root || isEmbedded, let properties = schema["properties"] else { return }
        for name in ["kind", "apiVersion"] {
            if let property = properties[name], property["type"] != "string" {
                errors.invalid("\(path).properties[\(name)].type", property["type"]?.string ?? "", "must be string")
            }
        }
        guard let metadata = properties["metadata"] else { return }
        let metadataPath = "\(path).properties[metadata]"
        if metadata["type"] != "object" {
            errors.invalid("\(metadataPath).type", metadata["type"]?.string ?? "", "must be object")
        }
        guard level == .root else { return }
        let known: Set<String> = ["type", "properties", "default", "description", "required"]
        let isPlain = (metadata.object ?? [:]).allSatisfy { known.contains($0.key) || !DefinitionRules.isSet($0.value) }
        let names = Set(metadata["properties"]?.object?.keys ?? [])
        guard
            !isPlain || !names.isSubset(of: ["name", "generateName"])
                || metadata["description"]?.string?.isEmpty == false
        else { return }
        errors.forbidden(
            metadataPath,
            "must not specify anything other than name and generateName, but metadata is implicitly specified"
        )
    }

    private func checkCombinations(_ schema: JSON, at path: String, isTop: Bool, _ errors: inout FieldErrors) {
        for key in ["anyOf", "allOf", "oneOf"] {
            if key == "anyOf", isTop, schema[key] == Self.intOrString { continue }
            for (place, nested) in (schema[key]?.array ?? []).enumerated() {
                let skipsAnyOf = key == "allOf" && place == 0 && isTop && nested["anyOf"] == Self.intOrString
                checkNested(nested, at: "\(path).\(key)[\(place)]", skipsAnyOf: skipsAnyOf, &errors)
            }
        }
        if let nested = schema["not"], nested.object != nil { checkNested(nested, at: "\(path).not", &errors) }
        guard let text = schema["pattern"]?.string, !text.isEmpty else { return }
        do {
            _ = try Pattern(text)
        } catch {
            errors.invalid("\(path).pattern", text, "must be a valid regular expression, but isn't: \(error)")
        }
    }

    /// Members that say something about structure, which only the outer schema may, with what they must be instead.
    private static let forbidden: [(name: String, demand: String)] = [
        ("type", "must be empty to be structural"), ("additionalProperties", "must be undefined to be structural"),
        ("default", "must be undefined to be structural"), ("title", "must be empty to be structural"),
        ("description", "must be empty to be structural"), ("nullable", "must be false to be structural"),
        ("x-kubernetes-preserve-unknown-fields", "must be false to be structural"),
        ("x-kubernetes-embedded-resource", "must be false to be structural"),
        ("x-kubernetes-int-or-string", "must be false to be structural"),
        ("x-kubernetes-list-map-keys", "must be empty to be structural"),
        ("x-kubernetes-list-type", "must be undefined to be structural"),
        ("x-kubernetes-map-type", "must be undefined to be structural"),
        ("x-kubernetes-validations", "must be empty to be structural"),
    ]

    private func checkNested(_ schema: JSON, at path: String, skipsAnyOf: Bool = false, _ errors: inout FieldErrors) {
        var rest = schema
        if skipsAnyOf { rest["anyOf"] = JSON?.none }
        checkCombinations(rest, at: path, isTop: false, &errors)
        if let items = schema["items"], items.object != nil { checkNested(items, at: "\(path).items", &errors) }
        for (name, property) in schema["properties"]?.object ?? [:] {
            checkNested(property, at: "\(path).properties[\(name)]", &errors)
        }
        for (name, demand) in Self.forbidden where DefinitionRules.isSet(schema[name]) {
            errors.forbidden("\(path).\(name)", demand)
        }
        if schema[path: "properties", "metadata"] != nil {
            errors.forbidden("\(path).properties[metadata]", "must not be specified in a nested context")
        }
    }
}

// What value rules speak about must exist in the structure.
extension StructuralRules {
    func checkCompleteness(_ schema: JSON, at path: String, _ errors: inout FieldErrors) {
        checkCombinationsAreComplete(schema, of: schema, at: path, path, &errors)
        if let items = schema["items"], items.object != nil { checkCompleteness(items, at: "\(path).items", &errors) }
        if let additional = schema["additionalProperties"], additional.object != nil {
            checkCompleteness(additional, at: "\(path).additionalProperties", &errors)
        }
        for (name, property) in schema["properties"]?.object ?? [:] {
            checkCompleteness(property, at: "\(path).properties[\(name)]", &errors)
        }
    }

    private func checkCombinationsAreComplete(
        _ rules: JSON,
        of structure: JSON,
        at path: String,
        _ rulesPath: String,
        _ errors: inout FieldErrors
    ) {
        for key in ["allOf", "anyOf", "oneOf"] {
            for (place, nested) in (rules[key]?.array ?? []).enumerated() {
                checkIsComplete(nested, structure, at: path, "\(rulesPath).\(key)[\(place)]", &errors)
            }
        }
        if let nested = rules["not"], nested.object != nil {
            checkIsComplete(nested, structure, at: path, "\(rulesPath).not", &errors)
        }
    }

    private func checkIsComplete(
        _ rules: JSON,
        _ structure: JSON,
        at path: String,
        _ rulesPath: String,
        _ errors: inout FieldErrors
    ) {
        checkCombinationsAreComplete(rules, of: structure, at: path, rulesPath, &errors)
        if let items = rules["items"], items.object != nil {
            checkIsComplete(items, structure["items"], "items", at: path, rulesPath, &errors)
        }
        for (name, property) in rules["properties"]?.object ?? [:] {
            checkIsComplete(
                property,
                structure[path: "properties", name],
                "properties[\(name)]",
                at: path,
                rulesPath,
                &errors
            )
        }
    }

    private func checkIsComplete(
        _ rules: JSON,
        _ structure: JSON?,
        _ step: String,
        at path: String,
        _ rulesPath: String,
        _ errors: inout FieldErrors
    ) {
        guard let structure, structure.object != nil else {
            return errors.required("\(path).\(step)", "because it is defined in \(rulesPath).\(step)")
        }
        checkIsComplete(rules, structure, at: "\(path).\(step)", "\(rulesPath).\(step)", &errors)
    }
}
