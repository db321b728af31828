// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// `ResourceQuota`: how much of what a namespace may hold.
struct ResourceQuotaStrategy: KindStrategy {
    let traits = KindTraits(hasStatus: true)

    private static let standard: Set<String> = [
        "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.storage",
        "requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage", "pods",
        "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims",
        "services.nodeports", "services.loadbalancers",
    ]
    /// What is counted in whole numbers.
    static let counted: Set<String> = [
        "pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps",
        "persistentvolumeclaims", "services.nodeports", "services.loadbalancers",
    ]

    func prepareForCreate(_ object: inout JSON, _ context: WriteContext) { object["status"] = [:] }

    func prepareForStatusUpdate(_ object: inout JSON, from old: JSON, _ context: WriteContext) {
        object["spec"] = old["spec"]
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let spec = object["spec"] ?? [:]
        check(spec["hard"], "spec.hard", &errors)
        QuotaScopeRules.check(spec, &errors)
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let (new, before) = (object[path: "spec", "scopes"], old[path: "spec", "scopes"])
        func sorted(_ scopes: JSON?) -> [String] { (scopes?.array ?? []).compactMap(\.string).sorted() }
        guard sorted(new) != sorted(before) else { return }
        errors.invalid("spec.scopes", new ?? .null, "field is immutable")
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        check(object[path: "status", "hard"], "status.hard", &errors)
        check(object[path: "status", "used"], "status.used", &errors)
    }

    private func check(_ amounts: JSON?, _ field: String, _ errors: inout FieldErrors) {
        for (name, amount) in ResourceNames.amounts(amounts).sorted(by: { $0.key < $1.key }) {
            let place = "\(field)[\(name)]"
            checkName(name, place, &errors)
            if amount.nanos < 0 { errors.invalid(place, "\(amount)", "must be greater than or equal to 0") }
            if Self.counted.contains(name) || name.hasPrefix("count/"), amount.nanos % 1_000_000_000 != 0 {
                errors.invalid(place, "\(amount)", "must be an integer")
            }
        }
    }

    private func checkName(_ name: String, _ field: String, _ errors: inout FieldErrors) {
        ResourceNames.checkQualified(name, field, &errors)
        guard !name.contains("/"), !Self.standard.contains(name), !ResourceNames.isHugePages(name),
            !name.hasPrefix("requests.hugepages-")
        else { return }
        errors.invalid(field, name, "must be a standard resource for quota")
    }
}

/// What a quota's scopes may be.
private enum QuotaScopeRules {
    private static let known = [
        "Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity",
        "VolumeAttributesClass",
    ]

    static func check(_ spec: JSON, _ errors: inout FieldErrors) {
        let hard = (spec["hard"]?.object ?? [:]).keys
        let scopes = (spec["scopes"]?.array ?? []).compactMap(\.string)
        checkAll(scopes, hard, "spec.scopes", .array(scopes.map { .string($0) }), &errors)
        let terms = spec[path: "scopeSelector", "matchExpressions"]?.array ?? []
        let named = terms.compactMap { $0["scopeName"]?.string }
        checkAll(
            named,
            hard,
            "spec.scopeSelector.matchExpressions.scopeName",
            .array(named.map { .string($0) }),
            &errors
        )
        for term in terms { checkOperator(term, &errors) }
    }

    private static func checkAll(
        _ scopes: [String],
        _ hard: [String],
        _ field: String,
        _ shown: JSON,
        _ errors: inout FieldErrors
    ) {
        for scope in scopes {
            guard known.contains(scope) else {
                errors.invalid(field, shown, "unsupported scope")
                continue
            }
            for name in hard.sorted() where isStandard(name) && !fits(scope, name) {
                errors.invalid(field, shown, "unsupported scope applied to resource")
            }
        }
        let given = Set(scopes)
        for pair in [["BestEffort", "NotBestEffort"], ["Terminating", "NotTerminating"]]
        where given.isSuperset(of: pair) {
            errors.invalid(field, shown, "conflicting scopes")
        }
    }

    private static func isStandard(_ name: String) -> Bool { !name.contains("/") }

    private static func fits(_ scope: String, _ name: String) -> Bool {
        let ofPods: Set<String> = [
            "pods", "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory",
        ]
        switch scope {
        case "BestEffort": return name == "pods"
        case "VolumeAttributesClass": return name == "persistentvolumeclaims" || name == "requests.storage"
        default: return ofPods.contains(name)
        }
    }

    private static func checkOperator(_ term: JSON, _ errors: inout FieldErrors) {
        let field = "spec.scopeSelector.matchExpressions"
        let verb = term["operator"]?.string ?? ""
        let values = term["values"]?.array ?? []
        let scope = term["scopeName"]?.string ?? ""
        if !["PriorityClass", "VolumeAttributesClass"].contains(scope), verb != "Exists" {
            errors.invalid(
                "\(field).operator",
                verb,
                "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
                    + "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
                    + "ResourceQuotaScopeCrossNamespacePodAffinity"
            )
        }
        switch verb {
        case "In", "NotIn":
            if values.isEmpty {
                errors.required(
                    "\(field).values",
                    "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
                )
            }
        case "Exists", "DoesNotExist":
            if !values.isEmpty {
                errors.invalid(
                    "\(field).values",
                    .array(values),
                    "must be no value when `operator` is 'Exists' or 'DoesNotExist' for scope selector"
                )
            }
        default: errors.invalid("\(field).operator", verb, "not a valid selector operator")
        }
    }
}

struct ResourceQuotaColumns: TableColumns {
    let columns: [TableColumn] = [.name, .text("Request"), .text("Limit"), .age]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        let hard = object[path: "status", "hard"]?.object ?? [:]
        let used = object[path: "status", "used"] ?? [:]
        var parts: (requests: [String], limits: [String]) = ([], [])
        for name in hard.keys.sorted() {
            let text = "\(name): \(used[name]?.string ?? "0")/\(hard[name]?.string ?? "")"
            if name.hasPrefix("limits.") { parts.limits.append(text) } else { parts.requests.append(text) }
        }
        return [
            Cell.name(object), .string(parts.requests.joined(separator: ", ")),
            .string(parts.limits.joined(separator: ", ")), Age.of(object, now),
        ]
    }
}
