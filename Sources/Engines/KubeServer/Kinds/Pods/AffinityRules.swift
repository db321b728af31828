// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What the API demands of `affinity`, though one node has little use for it.
enum AffinityRules {
    private static let required = "requiredDuringSchedulingIgnoredDuringExecution"
    private static let preferred = "preferredDuringSchedulingIgnoredDuringExecution"

    static func check(_ affinity: JSON, _ at: String, _ errors: inout FieldErrors) {
        if let node = affinity["nodeAffinity"] { checkNode(node, "\(at).nodeAffinity", &errors) }
        for member in ["podAffinity", "podAntiAffinity"] {
            if let pods = affinity[member] { checkPods(pods, "\(at).\(member)", &errors) }
        }
    }

    private static func checkNode(_ affinity: JSON, _ at: String, _ errors: inout FieldErrors) {
        if let must = affinity[required] {
            let terms = must["nodeSelectorTerms"]?.array ?? []
            let field = "\(at).\(required).nodeSelectorTerms"
            if terms.isEmpty { errors.required(field, "must have at least one node selector term") }
            for (place, term) in terms.enumerated() { checkTerm(term, "\(field)[\(place)]", isStrict: true, &errors) }
        }
        for (place, choice) in (affinity[preferred]?.array ?? []).enumerated() {
            let field = "\(at).\(preferred)[\(place)]"
            checkWeight(choice, field, &errors)
            checkTerm(choice["preference"] ?? [:], "\(field).preference", isStrict: false, &errors)
        }
    }

    private static func checkWeight(_ choice: JSON, _ field: String, _ errors: inout FieldErrors) {
        let weight = choice["weight"]?.int ?? 0
        if !(1...100).contains(weight) { errors.invalid("\(field).weight", weight, "must be in the range 1-100") }
    }

    private static func checkTerm(_ term: JSON, _ at: String, isStrict: Bool, _ errors: inout FieldErrors) {
        for (place, one) in (term["matchExpressions"]?.array ?? []).enumerated() {
            checkRequirement(one, "\(at).matchExpressions[\(place)]", isStrict: isStrict, &errors)
        }
        for (place, one) in (term["matchFields"]?.array ?? []).enumerated() {
            checkField(one, "\(at).matchFields[\(place)]", &errors)
        }
    }

    private static func checkRequirement(_ one: JSON, _ at: String, isStrict: Bool, _ errors: inout FieldErrors) {
        let values = (one["values"]?.array ?? []).compactMap(\.string)
        let op = one["operator"]?.string ?? ""
        switch op {
        case "In", "NotIn":
            if values.isEmpty {
                errors.required("\(at).values", "must be specified when `operator` is 'In' or 'NotIn'")
            }
        case "Exists", "DoesNotExist":
            if !values.isEmpty {
                errors.forbidden("\(at).values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
            }
        case "Gt", "Lt":
            if values.count != 1 {
                errors.required("\(at).values", "must be specified single value when `operator` is 'Lt' or 'Gt'")
            }
        default: errors.invalid("\(at).operator", op, "not a valid selector operator")
        }
        let key = one["key"]?.string ?? ""
        for problem in NameRules.qualifiedNameProblems(key) { errors.invalid("\(at).key", key, problem) }
        guard isStrict else { return }
        for (place, value) in values.enumerated() {
            for problem in NameRules.labelValueProblems(value) {
                errors.invalid("\(at).values[\(place)]", value, problem)
            }
        }
    }

    private static func checkField(_ one: JSON, _ at: String, _ errors: inout FieldErrors) {
        let op = one["operator"]?.string ?? ""
        if op != "In", op != "NotIn" {
            errors.invalid("\(at).operator", op, "not a valid selector operator")
        } else if one["values"]?.array?.count != 1 {
            errors.required(
                "\(at).values",
                "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
            )
        }
        let key = one["key"]?.string ?? ""
        if key != "metadata.name" { errors.invalid("\(at).key", key, "not a valid field selector key") }
    }

    private static func checkPods(_ affinity: JSON, _ at: String, _ errors: inout FieldErrors) {
        for (place, term) in (affinity[required]?.array ?? []).enumerated() {
            checkPodTerm(term, "\(at).\(required)[\(place)]", &errors)
        }
        for (place, choice) in (affinity[preferred]?.array ?? []).enumerated() {
            let field = "\(at).\(preferred)[\(place)]"
            checkWeight(choice, field, &errors)
            checkPodTerm(choice["podAffinityTerm"] ?? [:], "\(field).podAffinityTerm", &errors)
        }
    }

    private static func checkPodTerm(_ term: JSON, _ at: String, _ errors: inout FieldErrors) {
        for member in ["labelSelector", "namespaceSelector"] {
            if let selector = term[member] { SelectorRules.check(selector, "\(at).\(member)", &errors) }
        }
        for name in (term["namespaces"]?.array ?? []).compactMap(\.string) {
            for problem in NameRules.dnsLabelProblems(name) { errors.invalid("\(at).namespace", name, problem) }
        }
        let key = term["topologyKey"]?.string ?? ""
        if key.isEmpty { errors.required("\(at).topologyKey", "can not be empty") }
        for problem in NameRules.qualifiedNameProblems(key) { errors.invalid("\(at).topologyKey", key, problem) }
    }
}
