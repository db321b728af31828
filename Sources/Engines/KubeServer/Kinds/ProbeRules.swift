// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

enum ProbeRules {
    static func check(_ probe: JSON, _ at: String, _ errors: inout FieldErrors) {
        checkHandler(probe, at, ["exec", "httpGet", "tcpSocket", "grpc"], &errors)
        for member in [
            "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold",
        ] {
            if let number = probe[member]?.int, number < 0 {
                errors.invalid("\(at).\(member)", number, "must be greater than or equal to 0")
            }
        }
        if let seconds = probe["terminationGracePeriodSeconds"]?.int, seconds <= 0 {
            errors.invalid("\(at).terminationGracePeriodSeconds", seconds, "must be greater than 0")
        }
    }

    /// Exactly one kind of action, complete.
    static func checkHandler(
        _ handler: JSON,
        _ at: String,
        _ kinds: [String],
        grace: Int = 30,
        _ errors: inout FieldErrors
    ) {
        var isFirst = true
        for kind in kinds {
            guard let action = handler[kind] else { continue }
            guard isFirst else {
                errors.forbidden("\(at).\(kind)", "may not specify more than 1 handler type")
                continue
            }
            isFirst = false
            checkAction(kind, action, "\(at).\(kind)", grace, &errors)
        }
        if isFirst { errors.required(at, "must specify a handler type") }
    }

    private static func checkAction(
        _ kind: String,
        _ action: JSON,
        _ at: String,
        _ grace: Int,
        _ errors: inout FieldErrors
    ) {
        switch kind {
        case "exec":
            if (action["command"]?.array ?? []).isEmpty { errors.required("\(at).command") }
        case "httpGet":
            if (action["path"]?.string ?? "").isEmpty { errors.required("\(at).path") }
            PortReference.check(action["port"], "\(at).port", &errors)
            let scheme = action["scheme"]?.string ?? ""
            if !["HTTP", "HTTPS"].contains(scheme) { errors.notSupported("\(at).scheme", scheme, ["HTTP", "HTTPS"]) }
            for header in action["httpHeaders"]?.array ?? [] {
                let name = header["name"]?.string ?? ""
                for problem in NameRules.httpHeaderNameProblems(name) {
                    errors.invalid("\(at).httpHeaders", name, problem)
                }
            }
        case "tcpSocket": PortReference.check(action["port"], "\(at).port", &errors)
        case "grpc":
            let port = action["port"]?.int ?? 0
            if !NameRules.isPort(port) { errors.invalid("\(at).port", port, NameRules.portRange) }
        case "sleep":
            let seconds = action["seconds"]?.int ?? 0
            if seconds < 0 || seconds > grace {
                errors.invalid(
                    at,
                    seconds,
                    "must be non-negative and less than terminationGracePeriodSeconds (\(grace))"
                )
            }
        default: break
        }
    }
}

/// A port by number or name.
enum PortReference {
    static func check(_ port: JSON?, _ field: String, _ errors: inout FieldErrors) {
        if let number = port?.int {
            if !NameRules.isPort(number) { errors.invalid(field, number, NameRules.portRange) }
        } else if let name = port?.string {
            for problem in NameRules.portNameProblems(name) { errors.invalid(field, name, problem) }
        } else {
            errors.invalid(field, 0, NameRules.portRange)
        }
    }
}

/// Requests and limits of a container.
enum ResourceRules {
    private static let standard: Set<String> = ["cpu", "memory", "ephemeral-storage"]
    /// Resources that the API knows, but not of containers.
    private static let knownElsewhere: Set<String> = [
        "pods", "storage", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps",
        "persistentvolumeclaims", "services.nodeports", "services.loadbalancers", "requests.cpu", "requests.memory",
        "requests.storage", "requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage",
    ]

    static func check(_ resources: JSON, _ at: String, _ errors: inout FieldErrors) {
        let limits = resources["limits"]?.object ?? [:]
        let requests = resources["requests"]?.object ?? [:]
        for (name, amount) in limits.sorted(by: { $0.key < $1.key }) {
            checkAmount(name, amount, "\(at).limits", &errors)
        }
        for (name, amount) in requests.sorted(by: { $0.key < $1.key }) {
            checkAmount(name, amount, "\(at).requests", &errors)
            let isDivisible = standard.contains(name)
            guard let limit = limits[name]?.string.flatMap({ Quantity($0) }),
                let request = amount.string.flatMap({ Quantity($0) })
            else {
                if !isDivisible, limits[name] == nil {
                    errors.required("\(at).limits", "Limit must be set for non overcommitable resources")
                }
                continue
            }
            if !isDivisible, request != limit {
                errors.invalid("\(at).requests", amount, "must be equal to \(name) limit of \(limit.description)")
            } else if request > limit {
                errors.invalid(
                    "\(at).requests",
                    amount,
                    "must be less than or equal to \(name) limit of \(limit.description)"
                )
            }
        }
        let names = Set(limits.keys).union(requests.keys)
        if names.contains(where: { $0.hasPrefix("hugepages-") }), names.isDisjoint(with: ["cpu", "memory"]) {
            errors.forbidden(at, "HugePages require cpu or memory")
        }
    }

    private static func checkAmount(_ name: String, _ amount: JSON, _ at: String, _ errors: inout FieldErrors) {
        let field = "\(at)[\(name)]"
        for problem in NameRules.qualifiedNameProblems(name) { errors.invalid(field, name, problem) }
        if !name.contains("/"), !standard.contains(name), !name.hasPrefix("hugepages-") {
            if !knownElsewhere.contains(name) {
                errors.invalid(field, name, "must be a standard resource type or fully qualified")
            }
            errors.invalid(field, name, "must be a standard resource for containers")
        }
        guard let quantity = amount.string.flatMap({ Quantity($0) }) else { return }
        if quantity.nanos < 0 { errors.invalid(field, amount, "must be greater than or equal to 0") }
        if name.hasPrefix("hugepages-"), let size = Quantity(String(name.dropFirst("hugepages-".count))),
            size.nanos > 0,
            quantity.nanos % size.nanos != 0
        {
            let text = amount.string ?? ""
            errors.invalid(field, amount, "\(text) is not positive integer multiple of \(name)")
        }
        if name.contains("/"), quantity.milliValue % 1000 != 0 {
            errors.invalid(field, amount, "must be an integer")
        }
    }
}
