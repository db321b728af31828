// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Role and ClusterRole.
struct RoleStrategy: KindStrategy {
    let isNamespaced: Bool
    let traits = KindTraits(
        nameProblems: NameRules.pathSegmentProblems,
        checksMetadataAgain: true,
        allowsCreateOnUpdate: true
    )

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        for (place, rule) in (object["rules"]?.array ?? []).enumerated() { check(rule, "rules[\(place)]", &errors) }
        guard let aggregation = object["aggregationRule"], aggregation.object != nil else { return }
        let field = "aggregationRule.clusterRoleSelectors"
        if aggregation["clusterRoleSelectors"]?.array?.isEmpty ?? true {
            errors.required(field, "at least one clusterRoleSelector required if aggregationRule is non-nil")
        }
        for (place, selector) in (aggregation["clusterRoleSelectors"]?.array ?? []).enumerated() {
            var problems = FieldErrors()
            SelectorRules.check(selector, "\(field)[\(place)]", &problems)
            errors.append(problems)
            if !problems.isEmpty { errors.invalid("\(field)[\(place)]", .null, "invalid label selector.") }
        }
    }

    private func check(_ json: JSON, _ field: String, _ errors: inout FieldErrors) {
        let rule = PolicyRule(json)
        if rule.verbs.isEmpty { errors.required("\(field).verbs", "verbs must contain at least one value") }
        guard rule.nonResourceURLs.isEmpty else {
            let paths = json["nonResourceURLs"] ?? []
            if isNamespaced {
                errors.invalid("\(field).nonResourceURLs", paths, "namespaced rules cannot apply to non-resource URLs")
            }
            if !(rule.apiGroups.isEmpty && rule.resources.isEmpty && rule.resourceNames.isEmpty) {
                let words = "rules cannot apply to both regular resources and non-resource URLs"
                errors.invalid("\(field).nonResourceURLs", paths, words)
            }
            return
        }
        if rule.apiGroups.isEmpty {
            errors.required("\(field).apiGroups", "resource rules must supply at least one api group")
        }
        if rule.resources.isEmpty {
            errors.required("\(field).resources", "resource rules must supply at least one resource")
        }
    }
}

/// RoleBinding and ClusterRoleBinding.
struct BindingStrategy: KindStrategy {
    private static let group = "rbac.authorization.k8s.io"

    let isNamespaced: Bool
    let traits = KindTraits(
        nameProblems: NameRules.pathSegmentProblems,
        checksMetadataAgain: true,
        allowsCreateOnUpdate: true
    )

    func setDefaults(_ object: inout JSON) {
        if object["roleRef"]?.object != nil, (object[path: "roleRef", "apiGroup"]?.string ?? "").isEmpty {
            object.set(.string(Self.group), at: ["roleRef", "apiGroup"])
        }
        guard let subjects = object["subjects"]?.array else { return }
        object["subjects"] = .array(
            subjects.map { subject in
                let kind = subject["kind"]?.string
                let isNamed = !(subject["apiGroup"]?.string ?? "").isEmpty
                guard kind == "User" || kind == "Group", !isNamed else { return subject }
                var result = subject
                result["apiGroup"] = .string(Self.group)
                return result
            }
        )
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let role = object["roleRef"] ?? [:]
        let group = role["apiGroup"]?.string ?? ""
        if group != Self.group { errors.notSupported("roleRef.apiGroup", group, [Self.group]) }
        let kinds = isNamespaced ? ["Role", "ClusterRole"] : ["ClusterRole"]
        let kind = role["kind"]?.string ?? ""
        if !kinds.contains(kind) { errors.notSupported("roleRef.kind", kind, kinds) }
        let name = role["name"]?.string ?? ""
        if name.isEmpty {
            errors.required("roleRef.name")
        } else {
            for problem in NameRules.pathSegmentProblems(name) { errors.invalid("roleRef.name", name, problem) }
        }
        for (place, subject) in (object["subjects"]?.array ?? []).enumerated() {
            check(subject, "subjects[\(place)]", &errors)
        }
    }

    private func check(_ subject: JSON, _ field: String, _ errors: inout FieldErrors) {
        let name = subject["name"]?.string ?? ""
        let group = subject["apiGroup"]?.string ?? ""
        if name.isEmpty { errors.required("\(field).name") }
        switch subject["kind"]?.string ?? "" {
        case "ServiceAccount":
            if !name.isEmpty {
                for problem in NameRules.dnsSubdomainProblems(name) { errors.invalid("\(field).name", name, problem) }
            }
            if !group.isEmpty { errors.notSupported("\(field).apiGroup", group, [""]) }
            if !isNamespaced, (subject["namespace"]?.string ?? "").isEmpty { errors.required("\(field).namespace") }
        case "User", "Group":
            if group != Self.group { errors.notSupported("\(field).apiGroup", group, [Self.group]) }
        case let kind: errors.notSupported("\(field).kind", kind, ["ServiceAccount", "User", "Group"])
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let (now, before) = (object["roleRef"] ?? [:], old["roleRef"] ?? [:])
        guard now != before else { return }
        let shown: JSON = [
            "APIGroup": now["apiGroup"] ?? "", "Kind": now["kind"] ?? "", "Name": now["name"] ?? "",
        ]
        errors.invalid("roleRef", shown, "cannot change roleRef")
    }
}

struct BindingColumns: TableColumns {
    let columns: [TableColumn] = [
        .name, .text("Role"), .age, .text("Users", wide: true), .text("Groups", wide: true),
        .text("ServiceAccounts", wide: true),
    ]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        let role = "\(object[path: "roleRef", "kind"]?.string ?? "")/\(object[path: "roleRef", "name"]?.string ?? "")"
        let subjects = object["subjects"]?.array ?? []
        func names(_ kind: String) -> JSON {
            let found = subjects.filter { $0["kind"]?.string == kind }.map { subject in
                let name = subject["name"]?.string ?? ""
                return kind == "ServiceAccount" ? "\(subject["namespace"]?.string ?? "")/\(name)" : name
            }
            return .string(found.joined(separator: ", "))
        }
        return [
            Cell.name(object), .string(role), Age.of(object, now), names("User"), names("Group"),
            names("ServiceAccount"),
        ]
    }
}
