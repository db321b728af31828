// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

extension StructuralSchema {
    /// Objections to a custom resource, in the real server's words.
    ///
    /// What an update leaves as it was in `old` is not looked at again, so that an object outlives a schema that became
    /// stricter. Rules in the Common Expression Language are evaluated afterwards, by ``RuleCheck``.
    func validate(_ object: JSON, from old: JSON? = nil, _ errors: inout FieldErrors) {
        var found = FieldErrors()
        CustomValidation(schema: self).check(object, from: old, at: "", &found)
        checkEmbedded(object, from: old, at: "", &found)
        checkLists(object, from: old, &found)
        if hasRules, found.blocksRules { found.addUncheckedRules() }
        errors.append(found)
    }

    /// Objections to a value that stands at `field` of an object: the words leave the field's own name out.
    func validate(_ value: JSON, from old: JSON? = nil, as field: String, _ errors: inout FieldErrors) {
        var found = FieldErrors()
        validate(value, from: old, &found)
        for error in found.all {
            let below =
                error.field.isEmpty
                ? field : error.field.hasPrefix("[") ? field + error.field : "\(field).\(error.field)"
            errors.add(error.kind, error.field == "<nil>" ? error.field : below, error.message)
        }
    }

    private func checkLists(_ object: JSON, from old: JSON?, _ errors: inout FieldErrors) {
        var found = FieldErrors()
        checkLists(object, at: "", &found)
        guard !found.isEmpty, let old else { return errors.append(found) }
        // Who had equal elements before may keep such.
        var former = FieldErrors()
        checkLists(old, at: "", &former)
        if former.isEmpty { errors.append(found) }
    }
}

extension StructuralSchema {
    /// Whole objects within the object say what they are.
    private func checkEmbedded(_ value: JSON, from old: JSON?, at path: String, _ errors: inout FieldErrors) {
        guard value != old else { return }
        switch value {
        case .object(let members):
            if isEmbeddedResource {
                for name in ["apiVersion", "kind"] where (members[name]?.string ?? "").isEmpty {
                    errors.required("\(path).\(name)")
                }
            }
            for (name, schema) in properties {
                guard let member = members[name] else { continue }
                let below = path.isEmpty ? name : "\(path).\(name)"
                schema.checkEmbedded(member, from: old?[name], at: below, &errors)
            }
            guard case .schema(let schema) = additionalProperties else { return }
            for (name, member) in members.sorted(by: { $0.key < $1.key }) where property(name) == nil {
                schema.checkEmbedded(member, from: old?[name], at: "\(path)[\(name)]", &errors)
            }
        case .array(let elements):
            guard let items else { return }
            for (place, element) in elements.enumerated() {
                items.checkEmbedded(element, from: nil, at: "\(path)[\(place)]", &errors)
            }
        default: return
        }
    }
}

extension FieldErrors {
    mutating func addUncheckedRules() {
        add(
            .invalid,
            "<nil>",
            "Invalid value: null: some validation rules were not checked because the object was invalid; correct the "
                + "existing errors to complete validation"
        )
    }

    /// After these objections rules are not evaluated, since the object may not be what they take it for.
    var blocksRules: Bool {
        let kinds: Set<FieldError.Kind> = [.notSupported, .required, .tooLong, .tooMany, .typeInvalid]
        return all.contains { kinds.contains($0.kind) }
    }
}

/// Checks one value against one schema.
///
/// The order of the checks is the real server's: type, combinations, text, format, number, list, enumeration, object.
struct CustomValidation {
    let schema: StructuralSchema

    /// `old`: what stood here before, where it is known that this is the same place.
    func check(_ value: JSON, from old: JSON? = nil, at path: String, _ errors: inout FieldErrors) {
        if let old, old == value { return }
        checkType(value, at: path, &errors)
        if !value.isNull { checkCombinations(value, at: path, &errors) }
        switch value {
        case .string(let text): check(text, at: path, &errors)
        case .number(let number): check(number, at: path, &errors)
        case .array(let elements): check(elements, from: old?.array, at: path, &errors)
        default: break
        }
        checkEnumeration(value, at: path, &errors)
        if case .object(let members) = value { check(members, from: old?.object, at: path, &errors) }
    }

    private func invalid(_ path: String, _ value: JSON, _ what: String, _ errors: inout FieldErrors) {
        errors.invalid(path, value, "\(path) in body \(what)")
    }

    private static func typeName(_ value: JSON) -> (type: String, format: String) {
        switch value {
        case .null: ("null", "")
        case .bool: ("boolean", "")
        case .number(let number): number.isInteger ? ("integer", "int64") : ("number", "float64")
        case .string: ("string", "")
        case .array: ("array", "")
        case .object: ("object", "")
        }
    }

    private var allowedTypes: [String] {
        schema.isIntOrString ? ["integer", "string"] : schema.type.map { [$0] } ?? []
    }

    private func checkType(_ value: JSON, at path: String, _ errors: inout FieldErrors) {
        let types = allowedTypes
        let (found, foundFormat) = Self.typeName(value)
        func report(_ wanted: String, _ shown: String) {
            errors.add(
                .typeInvalid,
                path,
                "Invalid value: \(FieldErrors.quoted(shown)): \(path) in body must be of type \(wanted): \(FieldErrors.quoted(shown))"
            )
        }
        guard !value.isNull else {
            if !types.isEmpty, !schema.isNullable { report(types.joined(separator: ","), found) }
            return
        }
        let format = CustomFormat.isKnown(schema.format) ? schema.format : nil
        guard !types.isEmpty || format != nil else { return }
        let isWhole = found == "number" && types.contains("integer") && value.int != nil
        let isIntegerForNumber = found == "integer" && types.contains("number")
        if let format, found != "string", found != "array" {
            guard types.contains(found) || foundFormat == format || isWhole || isIntegerForNumber else {
                return report(format, foundFormat)
            }
        }
        let isNumeric = types.contains("number") || types.contains("integer")
        if !isNumeric, format != nil, found == "string" || found == "array" { return }
        if !(types.contains(found) || isWhole || isIntegerForNumber) { report(types.joined(separator: ","), found) }
    }

    private func check(_ text: String, at path: String, _ errors: inout FieldErrors) {
        let limits = schema.limits
        let length = text.unicodeScalars.count
        if let most = limits.maxLength, length > most {
            errors.tooLong(path, most)
        } else if let least = limits.minLength, length < least {
            invalid(path, .string(text), "should be at least \(least) chars long", &errors)
        } else if let pattern = limits.pattern {
            switch pattern.verdict(on: text) {
            case .matches: break
            case .doesNotMatch: invalid(path, .string(text), "should match '\(pattern.text)'", &errors)
            case .undecided:
                invalid(path, .string(text), "could not be matched with '\(pattern.text)' in time", &errors)
            }
        }
        guard let format = schema.format, CustomFormat.isKnown(format), !CustomFormat.accepts(text, format) else {
            return
        }
        errors.add(
            .typeInvalid,
            path,
            "Invalid value: \(FieldErrors.quoted(text)): \(path) in body must be of type \(format): \(FieldErrors.quoted(text))"
        )
    }

    private func check(_ number: JSONNumber, at path: String, _ errors: inout FieldErrors) {
        let limits = schema.limits
        checkRange(number, at: path, &errors)
        if let factor = limits.multipleOf, !Self.isMultiple(number, of: factor) {
            invalid(path, .number(number), "should be a multiple of \(Self.shown(factor))", &errors)
        }
        if let least = limits.minimum, number.precedes(least) || limits.excludesMinimum && !least.precedes(number) {
            let word = limits.excludesMinimum ? "greater than" : "greater than or equal to"
            invalid(path, .number(number), "should be \(word) \(Self.shown(least))", &errors)
        }
        if let most = limits.maximum, most.precedes(number) || limits.excludesMaximum && !number.precedes(most) {
            let word = limits.excludesMaximum ? "less than" : "less than or equal to"
            invalid(path, .number(number), "should be \(word) \(Self.shown(most))", &errors)
        }
    }

    /// A number beyond the format it is declared with.
    private func checkRange(_ number: JSONNumber, at path: String, _ errors: inout FieldErrors) {
        guard schema.type == "integer", number.isInteger else { return }
        let fits = schema.format == "int32" ? Int32(number.text) != nil : Int64(number.text) != nil
        guard !fits else { return }
        let format =
            schema.format == "int32" || schema.format == "int64"
            ? "with format \(schema.format ?? "")" : "(default format)"
        errors.add(
            .invalid,
            "<nil>",
            "Invalid value: \"\": Checked value must be of type integer \(format) in \(path)"
        )
    }

    private static func shown(_ number: JSONNumber) -> String { number.int.map(String.init) ?? number.text }

    private static func isMultiple(_ number: JSONNumber, of factor: JSONNumber) -> Bool {
        if let value = number.int, let factor = factor.int { return factor > 0 && value % factor == 0 }
        guard let value = number.double, let factor = factor.double, factor > 0 else { return false }
        let quotient = factor < 1 ? 1 / factor * value : value / factor
        return abs(quotient - quotient.rounded()) < 1e-9 * max(1, abs(quotient))
    }

    private func check(_ elements: [JSON], from old: [JSON]?, at path: String, _ errors: inout FieldErrors) {
        if let items = schema.items {
            let element = CustomValidation(schema: items)
            // Only elements with keys are known again.
            let keys = schema.listType == .map ? schema.listMapKeys : []
            func identity(_ element: JSON) -> [JSON] { keys.map { element[$0] ?? .null } }
            let former = keys.isEmpty ? [] : old ?? []
            let known = Dictionary(former.map { (identity($0), $0) }) { first, _ in first }
            for (place, value) in elements.enumerated() {
                element.check(value, from: known[identity(value)], at: "\(path)[\(place)]", &errors)
            }
        }
        if let least = schema.limits.minItems, elements.count < least {
            invalid(path, JSON(elements.count), "should have at least \(least) items", &errors)
        }
        if let most = schema.limits.maxItems, elements.count > most { errors.tooMany(path, elements.count, most) }
    }

    private func checkEnumeration(_ value: JSON, at path: String, _ errors: inout FieldErrors) {
        let allowed = schema.limits.enumeration
        guard !allowed.isEmpty, !allowed.contains(value), !(value.isNull && schema.isNullable) else { return }
        let shown = allowed.map { FieldErrors.quoted($0.string ?? $0.text) }.joined(separator: ", ")
        errors.add(.notSupported, path, "Unsupported value: \(FieldErrors.shown(value)): supported values: \(shown)")
    }

    private func check(_ members: JSONObject, from old: JSONObject?, at path: String, _ errors: inout FieldErrors) {
        if let least = schema.limits.minProperties, members.count < least {
            invalid(path, JSON(members.count), "should have at least \(least) properties", &errors)
        }
        if let most = schema.limits.maxProperties, members.count > most { errors.tooMany(path, members.count, most) }
        func inside(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
        if let other = schema.additionalProperties.schema {
            let check = CustomValidation(schema: other)
            for (key, value) in members where schema.property(key) == nil {
                check.check(value, from: old?[key], at: inside(key), &errors)
            }
        }
        for (name, property) in schema.properties {
            guard let value = members[name] else { continue }
            CustomValidation(schema: property).check(value, from: old?[name], at: inside(name), &errors)
        }
        for name in schema.required where members[name] == nil { errors.required(inside(name)) }
    }
}

// allOf, anyOf, oneOf, not.
extension CustomValidation {
    private func objections(_ schema: StructuralSchema, _ value: JSON, _ path: String) -> FieldErrors {
        var errors = FieldErrors()
        CustomValidation(schema: schema).check(value, at: path, &errors)
        return errors
    }

    /// A combination that fails is named without a field, and the closest alternative's own objections follow.
    private func report(_ path: String, _ what: String, _ errors: inout FieldErrors) {
        errors.add(.invalid, "<nil>", "Invalid value: \"\": \(FieldErrors.quoted(path)) \(what)")
    }

    private func checkCombinations(_ value: JSON, at path: String, _ errors: inout FieldErrors) {
        if !schema.anyOf.isEmpty {
            let results = schema.anyOf.map { objections($0, value, path) }
            if !results.contains(where: \.isEmpty) {
                report(path, "must validate at least one schema (anyOf)", &errors)
                errors.append(Self.closest(results))
            }
        }
        if !schema.oneOf.isEmpty {
            let results = schema.oneOf.map { objections($0, value, path) }
            let valid = results.count { $0.isEmpty }
            if valid != 1 {
                let found = valid == 0 ? "Found none valid" : "Found \(valid) valid alternatives"
                report(path, "must validate one and only one schema (oneOf). \(found)", &errors)
                if valid == 0 { errors.append(Self.closest(results)) }
            }
        }
        if !schema.allOf.isEmpty {
            let results = schema.allOf.map { objections($0, value, path) }
            for result in results { errors.append(result) }
            let valid = results.count { $0.isEmpty }
            if valid < results.count {
                report(path, "must validate all the schemas (allOf)\(valid == 0 ? ". None validated" : "")", &errors)
            }
        }
        if let not = schema.not, objections(not, value, path).isEmpty {
            report(path, "must not validate the schema (not)", &errors)
        }
    }

    private static func closest(_ results: [FieldErrors]) -> FieldErrors {
        results.min { $0.all.count < $1.all.count } ?? FieldErrors()
    }
}

extension JSONNumber {
    fileprivate func precedes(_ other: JSONNumber) -> Bool {
        if let left = Int(text), let right = Int(other.text) { return left < right }
        return (double ?? 0) < (other.double ?? 0)
    }
}
