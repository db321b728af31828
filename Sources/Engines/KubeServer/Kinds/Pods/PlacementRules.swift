// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What the API demands of the parts of a pod's spec that say where and with what surroundings it runs.
enum PlacementRules {
    static func checkClaims(_ spec: JSON, _ field: String, _ errors: inout FieldErrors) {
        let claims = spec["resourceClaims"]?.array ?? []
        for (place, claim) in claims.enumerated() {
            let given = ["resourceClaimName", "resourceClaimTemplateName"].filter { claim[$0] != nil }
            guard given.count != 1 else { continue }
            let value: JSON = [
                "Name": claim["name"] ?? "", "ResourceClaimName": claim["resourceClaimName"] ?? .null,
                "ResourceClaimTemplateName": claim["resourceClaimTemplateName"] ?? .null,
            ]
            let words =
                given.isEmpty
                ? "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"
                : "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
            errors.invalid("\(field).resourceClaims[\(place)]", value, words)
        }
        let names = claims.compactMap { $0["name"]?.string }
        for member in ["containers", "initContainers"] {
            for (place, container) in (spec[member]?.array ?? []).enumerated() {
                for (index, claim) in (container[path: "resources", "claims"]?.array ?? []).enumerated() {
                    let name = claim["name"]?.string ?? ""
                    guard !names.contains(name) else { continue }
                    let which = names.isEmpty ? " which is empty" : ""
                    errors.add(
                        .notFound,
                        "\(field).\(member)[\(place)].resources.claims[\(index)]",
                        "Not found: \(FieldErrors.quoted(name)): must be one of the names in pod.spec.resourceClaims\(which)"
                    )
                }
            }
        }
    }

    static func checkDNS(_ spec: JSON, _ at: String, _ errors: inout FieldErrors) {
        let config = spec["dnsConfig"]
        if spec["dnsPolicy"] == "None" {
            guard let config else { return errors.required(at, "must provide `dnsConfig` when `dnsPolicy` is None") }
            if (config["nameservers"]?.array ?? []).isEmpty {
                errors.required(
                    "\(at).nameservers",
                    "must provide at least one DNS nameserver when `dnsPolicy` is None"
                )
            }
        }
        guard let config else { return }
        let servers = config["nameservers"]?.array ?? []
        if servers.count > 3 {
            errors.invalid("\(at).nameservers", .array(servers), "must not have more than 3 nameservers")
        }
        for (place, server) in servers.enumerated() {
            IPAddressRules.check(server.string ?? "", "\(at).nameservers[\(place)]", &errors)
        }
        let searches = (config["searches"]?.array ?? []).compactMap(\.string)
        if searches.count > 32 {
            errors.invalid("\(at).searches", config["searches"] ?? [], "must not have more than 32 search paths")
        }
        for (place, search) in searches.enumerated() where search != "." {
            let name = search.hasSuffix(".") ? String(search.dropLast()) : search
            for problem in searchProblems(name) { errors.invalid("\(at).searches[\(place)]", name, problem) }
        }
        for (place, option) in (config["options"]?.array ?? []).enumerated()
        where (option["name"]?.string ?? "").isEmpty {
            errors.required("\(at).options[\(place)]", "must not be empty")
        }
    }

    /// A domain in which underscores may stand for hyphens.
    private static func searchProblems(_ name: String) -> [String] {
        let pattern = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
        var problems = name.utf8.count > 253 ? [NameRules.tooLong(253)] : []
        let isFine = name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
            let rest = part.hasPrefix("_") ? part.dropFirst() : part
            return NameRules.dnsLabelProblems(rest.replacing("_", with: "-").prefix(63).description).isEmpty
        }
        if !isFine {
            problems.append(
                NameRules.regexMessage(
                    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', "
                        + "and must start and end with an alphanumeric character",
                    "\(pattern)(\\.\(pattern))*",
                    examples: ["example.com"]
                )
            )
        }
        return problems
    }

    static func checkGates(_ spec: JSON, _ field: String, _ errors: inout FieldErrors) {
        for (place, gate) in (spec["readinessGates"]?.array ?? []).enumerated() {
            let type = gate["conditionType"]?.string ?? ""
            let at = "\(field).readinessGates[\(place)].conditionType"
            for problem in NameRules.qualifiedNameProblems(type) { errors.invalid(at, type, problem) }
        }
        var seen: Set<String> = []
        for (place, gate) in (spec["schedulingGates"]?.array ?? []).enumerated() {
            let name = gate["name"]?.string ?? ""
            let at = "\(field).schedulingGates[\(place)]"
            for problem in NameRules.qualifiedNameProblems(name) { errors.invalid(at, name, problem) }
            if !seen.insert(name).inserted { errors.duplicate(at, .string(name)) }
        }
    }

    static func checkSpread(_ spec: JSON, _ field: String, _ errors: inout FieldErrors) {
        let constraints = spec["topologySpreadConstraints"]?.array ?? []
        for (place, constraint) in constraints.enumerated() {
            let at = "\(field)[\(place)]"
            let skew = constraint["maxSkew"]?.int ?? 0
            if skew <= 0 { errors.invalid("\(at).maxSkew", skew, "must be greater than zero") }
            let key = constraint["topologyKey"]?.string ?? ""
            if key.isEmpty { errors.required("\(at).topologyKey", "can not be empty") }
            let otherwise = constraint["whenUnsatisfiable"]?.string ?? ""
            let known = ["DoNotSchedule", "ScheduleAnyway"]
            if !known.contains(otherwise) { errors.notSupported("\(at).whenUnsatisfiable", otherwise, known) }
            let isRepeated = constraints[(place + 1)...].contains {
                ($0["topologyKey"]?.string ?? "") == key && ($0["whenUnsatisfiable"]?.string ?? "") == otherwise
            }
            if isRepeated {
                errors.duplicate("\(at).{topologyKey, whenUnsatisfiable}", .string("{\(key), \(otherwise)}"))
            }
            checkDomains(constraint["minDomains"]?.int, otherwise, "\(at).minDomains", &errors)
            for member in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
                guard let policy = constraint[member]?.string, policy != "Honor", policy != "Ignore" else { continue }
                errors.notSupported("\(at).\(member)", policy, ["Honor", "Ignore"])
            }
            if let selector = constraint["labelSelector"] {
                SelectorRules.check(selector, "\(at).labelSelector", &errors)
            }
        }
    }

    private static func checkDomains(_ count: Int?, _ otherwise: String, _ at: String, _ errors: inout FieldErrors) {
        guard let count else { return }
        if count <= 0 { errors.invalid(at, count, "must be greater than zero") }
        if otherwise != "DoNotSchedule" {
            let words = "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not \(otherwise)"
            errors.invalid(at, count, words)
        }
    }

    static func checkSystem(_ spec: JSON, _ field: String, _ errors: inout FieldErrors) {
        guard let system = spec["os"] else { return }
        let name = system["name"]?.string ?? ""
        if name.isEmpty {
            errors.required("\(field).os.name", "cannot be empty")
        } else if name != "linux", name != "windows" {
            errors.notSupported("\(field).os", name, ["linux", "windows"])
        } else if name == "windows" {
            for member in ["hostPID", "hostIPC"] where spec[member]?.bool == true {
                errors.forbidden("\(field).\(member)", "cannot be set for a windows pod")
            }
        }
    }

    /// What a pod may not have from the start, or not yet.
    static func checkNewPod(_ spec: JSON, _ errors: inout FieldErrors) {
        if !(spec["ephemeralContainers"]?.array ?? []).isEmpty {
            errors.forbidden("spec.ephemeralContainers", "cannot be set on create")
        }
        if !(spec["schedulingGates"]?.array ?? []).isEmpty, !(spec["nodeName"]?.string ?? "").isEmpty {
            errors.forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared")
        }
    }
}
