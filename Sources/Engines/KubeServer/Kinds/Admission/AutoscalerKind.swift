// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// `HorizontalPodAutoscaler` (autoscaling/v2).
struct AutoscalerStrategy: KindStrategy {
    let traits = KindTraits(hasStatus: true)

    func setDefaults(_ object: inout JSON) {
        var spec = object["spec"] ?? [:]
        PodDefaults.setIfAbsent(&spec, "minReplicas", 1)
        if spec["metrics"]?.array?.isEmpty ?? true {
            let target: JSON = ["type": "Utilization", "averageUtilization": 80]
            spec["metrics"] = [["type": "Resource", "resource": ["name": "cpu", "target": target]]]
        }
        if var behavior = spec["behavior"], behavior.object != nil {
            behavior["scaleUp"] = Self.rules(
                behavior["scaleUp"],
                window: 0,
                policies: [
                    ["type": "Pods", "value": 4, "periodSeconds": 15],
                    ["type": "Percent", "value": 100, "periodSeconds": 15],
                ]
            )
            behavior["scaleDown"] = Self.rules(
                behavior["scaleDown"],
                window: nil,
                policies: [["type": "Percent", "value": 100, "periodSeconds": 15]]
            )
            spec["behavior"] = behavior
        }
        object["spec"] = spec
    }

    private static func rules(_ given: JSON?, window: Int?, policies: [JSON]) -> JSON {
        let given = given ?? [:]
        var rules = JSONObject()
        rules["stabilizationWindowSeconds"] = given["stabilizationWindowSeconds"] ?? window.map { JSON($0) }
        rules["selectPolicy"] = given["selectPolicy"] ?? "Max"
        rules["policies"] = given["policies"] ?? .array(policies)
        rules["tolerance"] = given["tolerance"]
        return .object(rules)
    }

    func prepareForCreate(_ object: inout JSON, _ context: WriteContext) {
        object["status"] = ["desiredReplicas": 0, "currentMetrics": .null]
    }

    func prepareForStatusUpdate(_ object: inout JSON, from old: JSON, _ context: WriteContext) {
        object["spec"] = old["spec"]
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let spec = object["spec"] ?? [:]
        let least = spec["minReplicas"]?.int ?? 1
        if least < 1 { errors.invalid("spec.minReplicas", least, "must be greater than or equal to 1") }
        let most = spec["maxReplicas"]?.int ?? 0
        if most == 0 {
            errors.required("spec.maxReplicas", "must be set and greater than 0")
        } else if most < 1 {
            errors.invalid("spec.maxReplicas", most, "must be greater than or equal to 1")
        }
        if most < least, spec["minReplicas"] != nil {
            errors.invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
        }
        Self.checkReference(spec["scaleTargetRef"] ?? [:], "spec.scaleTargetRef", &errors)
        for (place, metric) in (spec["metrics"]?.array ?? []).enumerated() {
            AutoscalerMetricRules.check(metric, "spec.metrics[\(place)]", &errors)
        }
        for (member, rules) in spec["behavior"]?.object ?? [:] {
            AutoscalerMetricRules.checkBehavior(rules, "spec.behavior.\(member)", &errors)
        }
    }

    func validateCreate(_ object: JSON, _ errors: inout FieldErrors) { checkVersion(object, &errors) }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let (new, before) = (object[path: "spec", "scaleTargetRef"] ?? [:], old[path: "spec", "scaleTargetRef"] ?? [:])
        guard new["apiVersion"] != before["apiVersion"] || new["kind"] != before["kind"] else { return }
        checkVersion(object, &errors)
    }

    static func checkReference(_ reference: JSON, _ field: String, _ errors: inout FieldErrors) {
        for member in ["kind", "name"] {
            let text = reference[member]?.string ?? ""
            if text.isEmpty {
                errors.required("\(field).\(member)")
            } else if text == "." || text == ".." {
                errors.invalid("\(field).\(member)", text, "may not be '\(text)'")
            } else {
                for bad in ["/", "%"] where text.contains(bad) {
                    errors.invalid("\(field).\(member)", text, "may not contain '\(bad)'")
                }
            }
        }
    }

    private func checkVersion(_ object: JSON, _ errors: inout FieldErrors) {
        let reference = object[path: "spec", "scaleTargetRef"] ?? [:]
        guard reference["kind"] != "ReplicationController" else { return }
        let version = reference["apiVersion"]?.string ?? ""
        let parts = version.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count != 2 || parts[0].isEmpty else { return }
        errors.invalid("spec.scaleTargetRef.apiVersion", version, "apiVersion must specify API group")
    }
}

/// What must hold of one metric of an autoscaler, and of its behaviour.
enum AutoscalerMetricRules {
    private static let types = ["ContainerResource", "External", "Object", "Pods", "Resource"]

    static func check(_ metric: JSON, _ field: String, _ errors: inout FieldErrors) {
        let type = metric["type"]?.string ?? ""
        if type.isEmpty { errors.required("\(field).type", "must specify a metric source type") }
        if !types.contains(type) { errors.notSupported("\(field).type", type, types) }
        let present = sources.filter { metric[$0] != nil }
        if let first = present.first { checkSource(metric[first] ?? [:], first, "\(field).\(first)", &errors) }
        let wanted = sources.first { $0.lowercased() == type.lowercased() && types.contains(type) }
        if let wanted {
            if metric[wanted] == nil {
                errors.required("\(field).\(wanted)", "must populate information for the given metric source")
            }
        } else {
            errors.notSupported("\(field).type", type, types)
        }
        guard present.count != 1 else { return }
        for member in present where member != wanted {
            errors.forbidden("\(field).\(member)", "must populate the given metric source only")
        }
    }

    /// In the order in which the real server looks at them.
    private static let sources = ["object", "external", "pods", "resource", "containerResource"]

    private static func checkSource(_ source: JSON, _ kind: String, _ field: String, _ errors: inout FieldErrors) {
        let target = source["target"] ?? [:]
        switch kind {
        case "resource", "containerResource":
            if (source["name"]?.string ?? "").isEmpty {
                errors.required("\(field).name", "must specify a resource name")
            }
            if kind == "containerResource" { checkContainer(source["container"]?.string ?? "", field, &errors) }
            checkTarget(target, "\(field).target", &errors)
            checkUse(target, "\(field).target", &errors)
        default:
            if kind == "object" {
                AutoscalerStrategy.checkReference(
                    source["describedObject"] ?? [:],
                    "\(field).describedObject",
                    &errors
                )
            }
            checkMetricName(source[path: "metric", "name"]?.string ?? "", "\(field).metric.name", &errors)
            checkTarget(target, "\(field).target", &errors)
            checkAmounts(target, kind, "\(field).target", &errors)
        }
    }

    private static func checkContainer(_ name: String, _ field: String, _ errors: inout FieldErrors) {
        if name.isEmpty { return errors.required("\(field).container", "must specify a container") }
        for problem in NameRules.dnsLabelProblems(name) { errors.invalid("\(field).container", name, problem) }
    }

    private static func checkMetricName(_ name: String, _ field: String, _ errors: inout FieldErrors) {
        if name.isEmpty { return errors.required(field, "must specify a metric name") }
        if name == "." || name == ".." { return errors.invalid(field, name, "may not be '\(name)'") }
        for bad in ["/", "%"] where name.contains(bad) { errors.invalid(field, name, "may not contain '\(bad)'") }
    }

    /// What is asked of a resource: a share or an amount.
    private static func checkUse(_ target: JSON, _ field: String, _ errors: inout FieldErrors) {
        switch (target["averageUtilization"] != nil, target["averageValue"] != nil) {
        case (false, false):
            errors.required(
                "\(field).averageUtilization",
                "must set either a target raw value or a target utilization"
            )
        case (true, true):
            errors.forbidden(
                "\(field).averageValue",
                "may not set both a target raw value and a target utilization"
            )
        default: break
        }
    }

    /// What is asked of any other metric.
    private static func checkAmounts(_ target: JSON, _ kind: String, _ field: String, _ errors: inout FieldErrors) {
        let (hasValue, hasAverage) = (target["value"] != nil, target["averageValue"] != nil)
        switch kind {
        case "pods":
            if !hasAverage {
                errors.required("\(field).averageValue", "must specify a positive target averageValue")
            }
        case "object":
            if !hasValue, !hasAverage {
                errors.required("\(field).averageValue", "must set either a target value or averageValue")
            }
        default:
            if !hasValue, !hasAverage {
                errors.required(
                    "\(field).averageValue",
                    "must set either a target value for metric or a per-pod target"
                )
            }
            if hasValue, hasAverage {
                errors.forbidden(
                    "\(field).value",
                    "may not set both a target value for metric and a per-pod target"
                )
            }
        }
    }

    private static func checkTarget(_ target: JSON, _ field: String, _ errors: inout FieldErrors) {
        let type = target["type"]?.string ?? ""
        if type.isEmpty { errors.required("\(field).type", "must specify a metric target type") }
        if !["Utilization", "Value", "AverageValue"].contains(type) {
            errors.invalid("\(field).type", type, "must be either Utilization, Value, or AverageValue")
        }
        for member in ["value", "averageValue"] {
            guard let text = target[member]?.string, let amount = Quantity(text), amount.nanos <= 0 else { continue }
            errors.invalid("\(field).\(member)", text, "must be positive")
        }
        if let percent = target["averageUtilization"]?.int, percent < 1 {
            errors.invalid("\(field).averageUtilization", percent, "must be greater than 0")
        }
    }

    static func checkBehavior(_ rules: JSON, _ field: String, _ errors: inout FieldErrors) {
        if let window = rules["stabilizationWindowSeconds"]?.int {
            let place = "\(field).stabilizationWindowSeconds"
            if window < 0 { errors.invalid(place, window, "must be greater than or equal to zero") }
            if window > 3600 { errors.invalid(place, window, "must be less than or equal to 3600") }
        }
        if let policy = rules["selectPolicy"]?.string, !["Disabled", "Max", "Min"].contains(policy) {
            errors.notSupported("\(field).selectPolicy", policy, ["Disabled", "Max", "Min"])
        }
        if let text = rules["tolerance"]?.string, let amount = Quantity(text), amount.nanos < 0 {
            errors.invalid("\(field).tolerance", text, "must be greater than or equal to 0")
        }
        let policies = rules["policies"]?.array ?? []
        if policies.isEmpty { errors.required("\(field).policies", "must specify at least one Policy") }
        for (place, policy) in policies.enumerated() { checkPolicy(policy, "\(field).policies[\(place)]", &errors) }
    }

    private static func checkPolicy(_ policy: JSON, _ field: String, _ errors: inout FieldErrors) {
        let type = policy["type"]?.string ?? ""
        if !["Percent", "Pods"].contains(type) { errors.notSupported("\(field).type", type, ["Percent", "Pods"]) }
        for member in ["value", "periodSeconds"] {
            let number = policy[member]?.int ?? 0
            if number <= 0 { errors.invalid("\(field).\(member)", number, "must be greater than zero") }
            if member == "periodSeconds", number > 1800 {
                errors.invalid("\(field).\(member)", number, "must be less than or equal to 1800")
            }
        }
    }
}

struct AutoscalerColumns: TableColumns {
    let columns: [TableColumn] = [
        .name, .text("Reference"), .text("Targets"), .text("MinPods"), .text("MaxPods"), .text("Replicas"), .age,
    ]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        let spec = object["spec"] ?? [:]
        let target = spec["scaleTargetRef"] ?? [:]
        return [
            Cell.name(object), .string("\(target["kind"]?.string ?? "")/\(target["name"]?.string ?? "")"),
            .string(Self.targets(spec, object["status"] ?? [:])),
            .string(spec["minReplicas"]?.int.map(String.init) ?? "<unset>"), Cell.whole(spec["maxReplicas"]),
            Cell.whole(object[path: "status", "currentReplicas"]), Age.of(object, now),
        ]
    }

    private static func targets(_ spec: JSON, _ status: JSON) -> String {
        let metrics = spec["metrics"]?.array ?? []
        let current = status["currentMetrics"]?.array ?? []
        guard !metrics.isEmpty else { return "<none>" }
        let texts = metrics.enumerated().map { place, metric in
            text(metric, current.indices.contains(place) ? current[place] : [:])
        }
        let shown = texts.prefix(2).joined(separator: ", ")
        return texts.count > 2 ? "\(shown) + \(texts.count - 2) more..." : shown
    }

    private static func text(_ metric: JSON, _ current: JSON) -> String {
        let members = [
            "Resource": "resource", "ContainerResource": "containerResource", "Pods": "pods", "Object": "object",
            "External": "external",
        ]
        guard let member = members[metric["type"]?.string ?? ""] else { return "<unknown type>" }
        let target = metric[path: member, "target"] ?? [:]
        let now = current[path: member, "current"] ?? [:]
        switch member {
        case "resource", "containerResource":
            let name = metric[path: member, "name"]?.string ?? ""
            if let amount = target["averageValue"]?.string {
                return "\(name): \(now["averageValue"]?.string ?? "<unknown>")/\(amount)"
            }
            let percent = target["averageUtilization"]?.int.map { "\($0)%" } ?? "<auto>"
            return "\(name): \(now["averageUtilization"]?.int.map { "\($0)%" } ?? "<unknown>")/\(percent)"
        case "pods":
            return "\(now["averageValue"]?.string ?? "<unknown>")/\(target["averageValue"]?.string ?? "")"
        default:
            if let amount = target["averageValue"]?.string {
                return "\(now["averageValue"]?.string ?? "<unknown>")/\(amount) (avg)"
            }
            return "\(now["value"]?.string ?? "<unknown>")/\(target["value"]?.string ?? "")"
        }
    }
}
