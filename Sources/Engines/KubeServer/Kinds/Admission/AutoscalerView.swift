// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Autoscalers of `autoscaling/v1`, which know one percentage: whatever else version 2 says travels as annotations.
enum AutoscalerView {
    private static let lead = "autoscaling.alpha.kubernetes.io/"
    private static let percentage = "targetCPUUtilizationPercentage"

    // MARK: - From version 1

    static func stored(_ object: JSON) -> JSON {
        var result = object
        var spec = object["spec"] ?? [:]
        var annotations = object[path: "metadata", "annotations"]?.object ?? [:]
        func take(_ name: String) -> JSON? {
            let text = annotations[lead + name]?.string
            annotations[lead + name] = nil
            return text.flatMap { try? JSON(parsing: $0) }
        }
        var metrics = (take("metrics")?.array ?? []).map(newMetric)
        if let percent = spec[percentage]?.int {
            let target: JSON = ["type": "Utilization", "averageUtilization": JSON(percent)]
            metrics.insert(["type": "Resource", "resource": ["name": "cpu", "target": target]], at: 0)
        }
        spec[percentage] = nil
        if !metrics.isEmpty { spec["metrics"] = .array(metrics) }
        if let behavior = take("behavior") { spec["behavior"] = renamedBehavior(behavior, toNew: true) }
        result["spec"] = spec
        if var status = object["status"], status.object != nil {
            var current = (take("current-metrics")?.array ?? []).map(newCurrent)
            if let percent = status["currentCPUUtilizationPercentage"]?.int {
                current.insert(
                    [
                        "type": "Resource",
                        "resource": ["name": "cpu", "current": ["averageUtilization": JSON(percent)]],
                    ],
                    at: 0
                )
            }
            status["currentCPUUtilizationPercentage"] = nil
            status["currentMetrics"] = current.isEmpty ? .null : .array(current)
            if let conditions = take("conditions") { status["conditions"] = conditions }
            result["status"] = status
        }
        result.set(annotations.isEmpty ? nil : JSON.object(annotations), at: ["metadata", "annotations"])
        return result
    }

    // MARK: - To version 1

    static func shown(_ object: JSON) -> JSON {
        var result = object
        var spec = object["spec"] ?? [:]
        var annotations = object[path: "metadata", "annotations"]?.object ?? [:]
        func note(_ name: String, _ value: JSON?) {
            guard let value, value.array?.isEmpty != true else { return }
            annotations[lead + name] = .string(value.text)
        }
        let metrics = spec["metrics"]?.array ?? []
        let plain = metrics.firstIndex { isShareOfProcessor($0, "target") }
        note("metrics", .array(metrics.indices.filter { $0 != plain }.map { oldMetric(metrics[$0]) }))
        note("behavior", spec["behavior"].map { renamedBehavior($0, toNew: false) })
        spec["metrics"] = nil
        spec["behavior"] = nil
        if let plain { spec[percentage] = metrics[plain][path: "resource", "target", "averageUtilization"] }
        result["spec"] = spec
        if var status = object["status"], status.object != nil {
            let current = status["currentMetrics"]?.array ?? []
            let share = current.firstIndex { isShareOfProcessor($0, "current") }
            note("current-metrics", .array(current.indices.filter { $0 != share }.map { oldCurrent(current[$0]) }))
            note("conditions", status["conditions"])
            for member in ["currentMetrics", "conditions"] { status[member] = nil }
            // In the order in which version 1 prints them; these two always.
            for member in ["currentReplicas", "desiredReplicas"] where status[member] == nil { status[member] = 0 }
            if let share {
                status["currentCPUUtilizationPercentage"] =
                    current[share][path: "resource", "current", "averageUtilization"]
            }
            result["status"] = status
        }
        result.set(annotations.isEmpty ? nil : JSON.object(annotations), at: ["metadata", "annotations"])
        return result
    }

    private static func isShareOfProcessor(_ metric: JSON, _ member: String) -> Bool {
        metric["type"] == "Resource" && metric[path: "resource", "name"] == "cpu"
            && metric[path: "resource", member, "averageUtilization"] != nil
    }

    // MARK: - Metrics

    private static let members = [
        "Resource": "resource", "ContainerResource": "containerResource", "Pods": "pods", "Object": "object",
        "External": "external",
    ]

    private static func newMetric(_ metric: JSON) -> JSON {
        guard let member = members[metric["type"]?.string ?? ""], let source = metric[member] else { return metric }
        var new = JSONObject()
        var target = JSONObject()
        if let percent = source["targetAverageUtilization"] {
            target = ["type": "Utilization", "averageUtilization": percent]
        } else if let amount = source["targetAverageValue"] ?? source["averageValue"] {
            target = ["type": "AverageValue", "averageValue": amount]
        } else if let amount = source["targetValue"] {
            target = ["type": "Value", "value": amount]
        }
        for name in ["name", "container"] { new[name] = source[name] }
        if let name = source["metricName"] {
            var identity: JSONObject = ["name": name]
            identity["selector"] = source["selector"] ?? source["metricSelector"]
            new["metric"] = .object(identity)
        }
        if member == "object" { new["describedObject"] = source["target"] }
        new["target"] = .object(target)
        return ["type": metric["type"] ?? "", member: .object(new)]
    }

    private static func oldMetric(_ metric: JSON) -> JSON {
        guard let member = members[metric["type"]?.string ?? ""], let source = metric[member] else { return metric }
        let target = source["target"] ?? [:]
        var old = JSONObject()
        if member == "object" { old["target"] = source["describedObject"] }
        for name in ["name", "container"] { old[name] = source[name] }
        old["metricName"] = source[path: "metric", "name"]
        old[member == "external" ? "metricSelector" : "selector"] = source[path: "metric", "selector"]
        old["targetAverageUtilization"] = target["averageUtilization"]
        old["targetValue"] = target["value"]
        old[member == "object" ? "averageValue" : "targetAverageValue"] = target["averageValue"]
        return ["type": metric["type"] ?? "", member: .object(old)]
    }

    private static func newCurrent(_ metric: JSON) -> JSON {
        guard let member = members[metric["type"]?.string ?? ""], let source = metric[member] else { return metric }
        var current = JSONObject()
        current["averageUtilization"] = source["currentAverageUtilization"]
        current["averageValue"] = source["currentAverageValue"]
        var new = JSONObject()
        for name in ["name", "container"] { new[name] = source[name] }
        new["current"] = .object(current)
        return ["type": metric["type"] ?? "", member: .object(new)]
    }

    private static func oldCurrent(_ metric: JSON) -> JSON {
        guard let member = members[metric["type"]?.string ?? ""], let source = metric[member] else { return metric }
        var old = JSONObject()
        for name in ["name", "container"] { old[name] = source[name] }
        old["currentAverageUtilization"] = source[path: "current", "averageUtilization"]
        old["currentAverageValue"] = source[path: "current", "averageValue"]
        return ["type": metric["type"] ?? "", member: .object(old)]
    }

    /// The annotation spells the members as Go's older structures did.
    private static func renamedBehavior(_ behavior: JSON, toNew: Bool) -> JSON {
        let names = [
            ("ScaleUp", "scaleUp"), ("ScaleDown", "scaleDown"),
            ("StabilizationWindowSeconds", "stabilizationWindowSeconds"), ("SelectPolicy", "selectPolicy"),
            ("Policies", "policies"), ("Tolerance", "tolerance"), ("Type", "type"), ("Value", "value"),
            ("PeriodSeconds", "periodSeconds"),
        ]
        let map = Dictionary(uniqueKeysWithValues: toNew ? names : names.map { ($1, $0) })
        func rename(_ json: JSON) -> JSON {
            switch json {
            case .object(let object): .object(JSONObject(object.map { (map[$0.key] ?? $0.key, rename($0.value)) }))
            case .array(let elements): .array(elements.map(rename))
            default: json
            }
        }
        return rename(behavior)
    }
}
