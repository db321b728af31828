// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// `LimitRange`: what the containers, pods and claims of a namespace may ask for, and what they get unasked.
struct LimitRangeStrategy: KindStrategy {
    let traits = KindTraits()

    func setDefaults(_ object: inout JSON) {
        guard var limits = object[path: "spec", "limits"]?.array else { return }
        for place in limits.indices where limits[place]["type"] == "Container" {
            fill(&limits[place], "default", from: "max")
            fill(&limits[place], "defaultRequest", from: "default")
            fill(&limits[place], "defaultRequest", from: "min")
        }
        object.set(.array(limits), at: ["spec", "limits"])
    }

    private func fill(_ limit: inout JSON, _ member: String, from other: String) {
        guard let given = limit[other]?.object, !given.isEmpty else { return }
        var amounts = limit[member]?.object ?? [:]
        for (name, amount) in given where amounts[name] == nil { amounts[name] = amount }
        // As Go prints maps.
        limit[member] = JSON.object(amounts).sortedByKey
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        var seen: Set<String> = []
        for (place, limit) in (object[path: "spec", "limits"]?.array ?? []).enumerated() {
            let field = "spec.limits[\(place)]"
            let type = limit["type"]?.string ?? ""
            checkType(type, "\(field).type", &errors)
            if !seen.insert(type).inserted { errors.duplicate("\(field).type", .string(type)) }
            LimitRules(limit: limit, type: type, field: field).check(&errors)
        }
    }

    private func checkType(_ type: String, _ field: String, _ errors: inout FieldErrors) {
        ResourceNames.checkQualified(type, field, &errors)
        guard !type.contains("/"), !["Pod", "Container", "PersistentVolumeClaim"].contains(type) else { return }
        errors.invalid(field, type, "must be a standard limit type or fully qualified")
    }
}

/// What must hold within one item of a LimitRange.
private struct LimitRules {
    private static let members = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"]

    let limit: JSON
    let type: String
    let field: String
    private let amounts: [String: [String: Quantity]]

    init(limit: JSON, type: String, field: String) {
        self.limit = limit
        self.type = type
        self.field = field
        amounts = Dictionary(uniqueKeysWithValues: Self.members.map { ($0, ResourceNames.amounts(limit[$0])) })
    }

    private func amount(_ member: String, _ name: String) -> Quantity? { amounts[member]?[name] }

    func check(_ errors: inout FieldErrors) {
        let defaults = ["default", "defaultRequest"]
        for member in Self.members where type != "Pod" || !defaults.contains(member) { checkNames(member, &errors) }
        if type == "Pod" {
            for member in defaults where limit[member]?.object?.isEmpty == false {
                errors.forbidden("\(field).\(member)", "may not be specified when `type` is 'Pod'")
            }
        }
        if type == "PersistentVolumeClaim", amount("min", "storage") == nil, amount("max", "storage") == nil {
            errors.required(
                "\(field).limits",
                "either minimum or maximum storage value is required, but neither was provided"
            )
        }
        for name in Set(amounts.values.flatMap(\.keys)).sorted() {
            checkOrder(name, &errors)
            checkRatio(name, &errors)
        }
    }

    private func checkNames(_ member: String, _ errors: inout FieldErrors) {
        for name in (amounts[member] ?? [:]).keys.sorted() {
            let place = "\(field).\(member)[\(name)]"
            if type == "Pod" || type == "Container" {
                ResourceNames.checkOfContainer(name, place, &errors)
            } else {
                ResourceNames.checkQualified(name, place, &errors)
            }
        }
    }

    private func checkOrder(_ name: String, _ errors: inout FieldErrors) {
        let words = ["min": "min", "max": "max", "default": "default", "defaultRequest": "default request"]
        /// `low` must not be above `high`; the objection is to `place`, and quotes `quoted`.
        func check(_ low: String, _ high: String, at place: String, quoting quoted: String, of limits: String = "") {
            guard let one = amount(low, name), let two = amount(high, name), one > two else { return }
            errors.invalid(
                "\(field).\(place)[\(name)]",
                "\(amount(quoted, name) ?? one)",
                "\(words[low] ?? low) value \(one) is greater than \(words[high] ?? high)\(limits) value \(two)"
            )
        }
        check("min", "max", at: "min", quoting: "min")
        check("min", "defaultRequest", at: "defaultRequest", quoting: "defaultRequest")
        check("defaultRequest", "max", at: "defaultRequest", quoting: "defaultRequest")
        check("defaultRequest", "default", at: "defaultRequest", quoting: "defaultRequest", of: " limit")
        check("min", "default", at: "default", quoting: "min")
        check("default", "max", at: "default", quoting: "max")
    }

    private func checkRatio(_ name: String, _ errors: inout FieldErrors) {
        guard let ratio = amount("maxLimitRequestRatio", name) else { return }
        let place = "\(field).maxLimitRequestRatio[\(name)]"
        if ratio < Quantity(nanos: 1_000_000_000) {
            errors.invalid(place, "\(ratio)", "ratio \(ratio) is less than 1")
        }
        guard let low = amount("min", name), let high = amount("max", name), low.nanos > 0 else { return }
        let limit = Double(high.nanos) / Double(low.nanos)
        if Double(ratio.nanos) / 1e9 > limit {
            errors.invalid(place, "\(ratio)", "ratio \(ratio) is greater than max/min = \(GoText.fixed(limit))")
        }
    }
}

struct CreatedAtColumns: TableColumns {
    let columns: [TableColumn] = [.name, TableColumn(name: "Created At", type: "date")]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        [Cell.name(object), object[path: "metadata", "creationTimestamp"] ?? ""]
    }
}
