// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

// The kinds that bound what a namespace may hold, and how it may be disturbed.
extension ResourceType {
    static let resourceQuotas = ResourceType(
        group: "",
        version: "v1",
        plural: "resourcequotas",
        kind: "ResourceQuota",
        isNamespaced: true
    )
    static let limitRanges = ResourceType(
        group: "",
        version: "v1",
        plural: "limitranges",
        kind: "LimitRange",
        isNamespaced: true
    )
    static let endpoints = ResourceType(
        group: "",
        version: "v1",
        plural: "endpoints",
        kind: "Endpoints",
        isNamespaced: true
    )
    static let podDisruptionBudgets = ResourceType(
        group: "policy",
        version: "v1",
        plural: "poddisruptionbudgets",
        kind: "PodDisruptionBudget",
        isNamespaced: true
    )
    static let horizontalPodAutoscalers = ResourceType(
        group: "autoscaling",
        version: "v2",
        plural: "horizontalpodautoscalers",
        kind: "HorizontalPodAutoscaler",
        isNamespaced: true
    )
    /// The same under an older version.
    static let horizontalPodAutoscalersV1 = ResourceType(
        group: "autoscaling",
        version: "v1",
        plural: "horizontalpodautoscalers",
        kind: "HorizontalPodAutoscaler",
        isNamespaced: true
    )
}

/// Names of resources in limits, requests and quotas.
enum ResourceNames {
    static let ofContainers: Set<String> = ["cpu", "memory", "ephemeral-storage"]

    static func isHugePages(_ name: String) -> Bool { name.hasPrefix("hugepages-") }

    /// What a container may ask for: a standard resource, or one with a domain in front.
    static func checkOfContainer(_ name: String, _ field: String, _ errors: inout FieldErrors) {
        guard !name.contains("/") else { return checkQualified(name, field, &errors) }
        if ofContainers.contains(name) || isHugePages(name) { return }
        errors.invalid(field, name, "must be a standard resource for containers")
    }

    static func checkQualified(_ name: String, _ field: String, _ errors: inout FieldErrors) {
        for problem in NameRules.qualifiedNameProblems(name) { errors.invalid(field, name, problem) }
    }

    /// The amounts of an object such as `requests`, by name.
    static func amounts(_ json: JSON?) -> [String: Quantity] { ResourceDemand.amounts(json) }
}
