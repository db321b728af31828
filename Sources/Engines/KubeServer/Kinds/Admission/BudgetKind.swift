// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// `PodDisruptionBudget`: how many of some pods may be taken away at a time.
struct BudgetStrategy: KindStrategy {
    let traits = KindTraits(generationFields: ["spec"], hasStatus: true)

    private static let counts = ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"]
    private static let policies = ["AlwaysAllow", "IfHealthyBudget"]

    func prepareForCreate(_ object: inout JSON, _ context: WriteContext) {
        object["status"] = .object(JSONObject(Self.counts.map { ($0, 0) }))
    }

    func prepareForStatusUpdate(_ object: inout JSON, from old: JSON, _ context: WriteContext) {
        object["spec"] = old["spec"]
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let spec = object["spec"] ?? [:]
        if spec["minAvailable"] != nil, spec["maxUnavailable"] != nil {
            let shown: JSON = [
                "MinAvailable": spec["minAvailable"] ?? .null, "Selector": spec["selector"] ?? .null,
                "MaxUnavailable": spec["maxUnavailable"] ?? .null,
                "UnhealthyPodEvictionPolicy": spec["unhealthyPodEvictionPolicy"] ?? .null,
            ]
            errors.invalid("spec", shown, "minAvailable and maxUnavailable cannot be both set")
        }
        for member in ["minAvailable", "maxUnavailable"] {
            guard let amount = spec[member] else { continue }
            RolloutRules.checkAmount(amount, "spec.\(member)", &errors)
            if let text = amount.string, let percent = Int(text.dropLast()), percent > 100 {
                errors.invalid("spec.\(member)", text, "must not be greater than 100%")
            }
        }
        if let selector = spec["selector"] { SelectorRules.check(selector, "spec.selector", &errors) }
        if let policy = spec["unhealthyPodEvictionPolicy"]?.string, !Self.policies.contains(policy) {
            errors.notSupported("spec.unhealthyPodEvictionPolicy", policy, Self.policies)
        }
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        for member in Self.counts {
            guard let count = object[path: "status", member]?.int, count < 0 else { continue }
            errors.invalid("status.\(member)", count, "must be greater than or equal to 0")
        }
    }
}

struct BudgetColumns: TableColumns {
    let columns: [TableColumn] = [
        .name, .text("Min Available"), .text("Max Unavailable"), .whole("Allowed Disruptions"), .age,
    ]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        func amount(_ member: String) -> JSON {
            guard let value = object[path: "spec", member] else { return "N/A" }
            return .string(value.string ?? value.text)
        }
        return [
            Cell.name(object), amount("minAvailable"), amount("maxUnavailable"),
            Cell.whole(object[path: "status", "disruptionsAllowed"]), Age.of(object, now),
        ]
    }
}
