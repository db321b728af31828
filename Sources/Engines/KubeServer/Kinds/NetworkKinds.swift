// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

struct IngressStrategy: KindStrategy {
    let traits = KindTraits(generationFields: ["spec"], hasStatus: true)

    func prepareForCreate(_ object: inout JSON, _ context: WriteContext) { object["status"] = ["loadBalancer": [:]] }

    func warnings(_ object: JSON, from old: JSON?) -> [String] {
        let ingress = KubeObject(object)
        guard old == nil, ingress.annotations[EdgeClasses.annotation] != nil,
            ingress.spec["ingressClassName"] == nil
        else { return [] }
        return ["annotation \"\(EdgeClasses.annotation)\" is deprecated, please use 'spec.ingressClassName' instead"]
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        BalancerStatus.check(object, &errors)
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let spec = object["spec"] ?? [:]
        let rules = spec["rules"]?.array ?? []
        if rules.isEmpty, spec["defaultBackend"] == nil {
            errors.invalid("spec", spec["rules"] ?? .null, "either `defaultBackend` or `rules` must be specified")
        }
        if let backend = spec["defaultBackend"] { checkBackend(backend, "spec.defaultBackend", &errors) }
        for (place, rule) in rules.enumerated() { checkRule(rule, "spec.rules[\(place)]", &errors) }
        for (place, entry) in (spec["tls"]?.array ?? []).enumerated() {
            for (index, host) in (entry["hosts"]?.array ?? []).compactMap(\.string).enumerated() {
                let problems =
                    host.contains("*") ? NameRules.wildcardProblems(host) : NameRules.dnsSubdomainProblems(host)
                for problem in problems { errors.invalid("spec.tls[\(place)].hosts[\(index)]", host, problem) }
            }
        }
        if let name = spec["ingressClassName"]?.string {
            for problem in NameRules.dnsSubdomainProblems(name) {
                errors.invalid("spec.ingressClassName", name, problem)
            }
        }
    }

    func validateCreate(_ object: JSON, _ errors: inout FieldErrors) {
        guard let named = object[path: "metadata", "annotations"]?[EdgeClasses.annotation]?.string,
            let name = object[path: "spec", "ingressClassName"]?.string, name != named
        else { return }
        errors.invalid(
            "annotations.\(EdgeClasses.annotation)",
            named,
            "must match `ingressClassName` when both are specified"
        )
    }

    private func checkRule(_ rule: JSON, _ at: String, _ errors: inout FieldErrors) {
        let host = rule["host"]?.string ?? ""
        if !host.isEmpty {
            if AddressRange.number(host) != nil {
                errors.invalid("\(at).host", host, "must be a DNS name, not an IP address")
            } else {
                let problems =
                    host.contains("*") ? NameRules.wildcardProblems(host) : NameRules.dnsSubdomainProblems(host)
                for problem in problems { errors.invalid("\(at).host", host, problem) }
            }
        }
        guard let http = rule["http"] else { return }
        let paths = http["paths"]?.array ?? []
        if paths.isEmpty { errors.required("\(at).http.paths") }
        for (place, path) in paths.enumerated() { checkPath(path, "\(at).http.paths[\(place)]", &errors) }
    }

    private static let pathTypes = ["Exact", "ImplementationSpecific", "Prefix"]

    private func checkPath(_ entry: JSON, _ at: String, _ errors: inout FieldErrors) {
        let path = entry["path"]?.string ?? ""
        switch entry["pathType"]?.string {
        case "Exact"?, "Prefix"?:
            if !path.hasPrefix("/") { errors.invalid("\(at).path", path, "must be an absolute path") }
            for bad in ["//", "/./", "/../", "%2f", "%2F"] where path.contains(bad) {
                errors.invalid("\(at).path", path, "must not contain '\(bad)'")
            }
            for bad in ["/..", "/."] where path.hasSuffix(bad) {
                errors.invalid("\(at).path", path, "cannot end with '\(bad)'")
            }
        case "ImplementationSpecific"?:
            if !path.isEmpty, !path.hasPrefix("/") {
                errors.invalid("\(at).path", path, "must be an absolute path")
            }
        case nil: return errors.required("\(at).pathType", "pathType must be specified")
        case let other?: errors.notSupported("\(at).pathType", other, Self.pathTypes)
        }
        checkBackend(entry["backend"] ?? [:], "\(at).backend", &errors)
    }

    private func checkBackend(_ backend: JSON, _ at: String, _ errors: inout FieldErrors) {
        let service = backend["service"]
        let resource = backend["resource"]
        if service != nil, resource != nil {
            return errors.invalid(at, "", "cannot set both resource and service backends")
        }
        guard let service else {
            if resource == nil { errors.invalid(at, "", "resource or service backend is required") }
            return
        }
        let name = service["name"]?.string ?? ""
        if name.isEmpty {
            errors.required("\(at).service.name")
        } else {
            for problem in NameRules.dns1035Problems(name) { errors.invalid("\(at).service.name", name, problem) }
        }
        let portName = service[path: "port", "name"]?.string ?? ""
        let portNumber = service[path: "port", "number"]?.int ?? 0
        if !portName.isEmpty, portNumber != 0 {
            errors.invalid(at, "", "cannot set both port name & port number")
        } else if !portName.isEmpty {
            for problem in NameRules.portNameProblems(portName) {
                errors.invalid("\(at).service.port.name", portName, problem)
            }
        } else if portNumber == 0 {
            errors.required(at, "port name or number is required")
        } else if !NameRules.isPort(portNumber) {
            errors.invalid("\(at).service.port.number", portNumber, NameRules.portRange)
        }
    }
}

struct EndpointSliceStrategy: KindStrategy {
    let traits = KindTraits(generationCountsAll: true, generationCountsLabels: true)

    func setDefaults(_ object: inout JSON) {
        PodDefaults.each(&object, "ports") { port in
            if port["name"] == nil { port["name"] = "" }
            PodDefaults.setIfAbsent(&port, "protocol", "TCP")
        }
        PodDefaults.each(&object, "endpoints") { endpoint in
            if endpoint["conditions"] == nil { endpoint["conditions"] = [:] }
        }
    }

    private static let families = ["FQDN", "IPv4", "IPv6"]

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let type = object["addressType"]?.string ?? ""
        if type.isEmpty {
            errors.required("addressType")
        } else if !Self.families.contains(type) {
            errors.notSupported("addressType", type, Self.families)
        }
        for (place, endpoint) in (object["endpoints"]?.array ?? []).enumerated() {
            checkEndpoint(endpoint, type, "endpoints[\(place)]", &errors)
        }
        var names: Set<String> = []
        for (place, port) in (object["ports"]?.array ?? []).enumerated() {
            let name = port["name"]?.string ?? ""
            if !name.isEmpty {
                for problem in NameRules.dnsLabelProblems(name) {
                    errors.invalid("ports[\(place)].name", name, problem)
                }
            }
            if !names.insert(name).inserted { errors.duplicate("ports[\(place)].name", .string(name)) }
            let transport = port["protocol"]?.string ?? ""
            if !["SCTP", "TCP", "UDP"].contains(transport) {
                errors.notSupported("ports[\(place)].protocol", transport, ["SCTP", "TCP", "UDP"])
            }
        }
    }

    private func checkEndpoint(_ endpoint: JSON, _ type: String, _ at: String, _ errors: inout FieldErrors) {
        let addresses = (endpoint["addresses"]?.array ?? []).compactMap(\.string)
        if addresses.isEmpty { errors.required("\(at).addresses", "must contain at least 1 address") }
        if addresses.count > 100 { errors.tooMany("\(at).addresses", addresses.count, 100) }
        for (place, address) in addresses.enumerated() {
            let field = "\(at).addresses[\(place)]"
            switch type {
            case "IPv4":
                checkAddress(address, isFour: true, field, "\(at).addresses", &errors)
            case "IPv6":
                checkAddress(address, isFour: false, field, "\(at).addresses", &errors)
            case "FQDN":
                for problem in NameRules.dnsSubdomainProblems(address) { errors.invalid(field, address, problem) }
            default: break
            }
        }
        if let host = endpoint["hostname"]?.string {
            for problem in NameRules.dnsLabelProblems(host) { errors.invalid("\(at).hostname", host, problem) }
        }
    }

    private func checkAddress(
        _ address: String,
        isFour: Bool,
        _ field: String,
        _ list: String,
        _ errors: inout FieldErrors
    ) {
        let isOther = IPAddressRules.isAddress(address) && IPAddressRules.isFour(address) != isFour
        guard !isOther else {
            return errors.invalid(list, address, "must be an IPv\(isFour ? 4 : 6) address")
        }
        IPAddressRules.checkOrdinary(address, field, &errors)
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        if object["addressType"] != old["addressType"] {
            errors.invalid("addressType", object["addressType"] ?? "", "field is immutable")
        }
    }
}
