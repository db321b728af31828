// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

struct ServiceStrategy: KindStrategy {
    let traits = KindTraits(
        nameProblems: NameRules.dnsLabelProblems,
        hasStatus: true,
        checksMetadataAgain: true,
        allowsCreateOnUpdate: true,
        returnsDeleted: true
    )
    let refusesUDP: Bool

    func setDefaults(_ object: inout JSON) {
        guard var spec = object["spec"], spec.object != nil else { return }
        PodDefaults.setIfAbsent(&spec, "sessionAffinity", "None")
        PodDefaults.setIfAbsent(&spec, "type", "ClusterIP")
        if spec["sessionAffinity"]?.string == "ClientIP",
            spec[path: "sessionAffinityConfig", "clientIP", "timeoutSeconds"] == nil
        {
            spec.set(10800, at: ["sessionAffinityConfig", "clientIP", "timeoutSeconds"])
        }
        if spec["sessionAffinity"] == "None" { spec["sessionAffinityConfig"] = nil }
        PodDefaults.each(&spec, "ports") { port in
            PodDefaults.setIfAbsent(&port, "protocol", "TCP")
            if port["targetPort"] == nil || port["targetPort"] == 0 || port["targetPort"] == "" {
                port["targetPort"] = port["port"] ?? 0
            }
        }
        let type = spec["type"]?.string ?? ""
        let isReached = type == "ClusterIP" && !(spec["externalIPs"]?.array ?? []).isEmpty
        if isReached || ["NodePort", "LoadBalancer"].contains(type) {
            PodDefaults.setIfAbsent(&spec, "externalTrafficPolicy", "Cluster")
        }
        if ["ClusterIP", "NodePort", "LoadBalancer"].contains(type) {
            PodDefaults.setIfAbsent(&spec, "internalTrafficPolicy", "Cluster")
        }
        if type == "LoadBalancer" {
            PodDefaults.setIfAbsent(&spec, "allocateLoadBalancerNodePorts", true)
            BalancerStatus.setModes(&object)
        }
        object["spec"] = spec
    }

    func prepareForCreate(_ object: inout JSON, _ context: WriteContext) {
        object["status"] = ["loadBalancer": [:]]
        settleFamilies(&object)
    }

    /// Addresses come in the one family there is; Services without selector and address leave it open.
    private func settleFamilies(_ object: inout JSON) {
        guard var spec = object["spec"], spec.object != nil else { return }
        let type = spec["type"]?.string ?? ""
        guard type != "ExternalName" else { return }
        let address = spec["clusterIP"]?.string ?? ""
        if !address.isEmpty, spec["clusterIPs"] == nil { spec["clusterIPs"] = [.string(address)] }
        let isOpen = address == "None" && (spec["selector"]?.object?.isEmpty ?? true)
        if spec["ipFamilyPolicy"] == nil { spec["ipFamilyPolicy"] = isOpen ? "RequireDualStack" : "SingleStack" }
        if spec["ipFamilies"] == nil { spec["ipFamilies"] = isOpen ? ["IPv4", "IPv6"] : ["IPv4"] }
        object["spec"] = spec
    }

    func prepareForUpdate(_ object: inout JSON, from old: JSON, _ context: WriteContext) {
        guard var spec = object["spec"], spec.object != nil, let before = old["spec"] else { return }
        let type = spec["type"]?.string ?? ""
        let former = before["type"]?.string ?? ""
        if type != "ExternalName", former != "ExternalName" {
            for member in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] where spec[member] == nil {
                spec[member] = before[member]
            }
            if spec["clusterIP"] != before["clusterIP"], spec["clusterIPs"] == before["clusterIPs"] {
                spec["clusterIPs"] = spec["clusterIP"].map { [$0] }
            }
        }
        if type == "ExternalName" {
            for member in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"]
            where spec[member] == before[member] { spec[member] = nil }
        }
        keepNodePorts(&spec, before, type, former)
        if !["NodePort", "LoadBalancer"].contains(type),
            spec["externalTrafficPolicy"] == before["externalTrafficPolicy"]
        {
            spec["externalTrafficPolicy"] = nil
        }
        if type != "LoadBalancer", spec["allocateLoadBalancerNodePorts"] == before["allocateLoadBalancerNodePorts"] {
            spec["allocateLoadBalancerNodePorts"] = nil
        }
        object["spec"] = spec
        if former == "ExternalName" { settleFamilies(&object) }
    }

    /// Ports keep their node ports while the type has them, and lose them with it.
    private func keepNodePorts(_ spec: inout JSON, _ before: JSON, _ type: String, _ former: String) {
        let hasPorts = ["NodePort", "LoadBalancer"].contains(type)
        let hadPorts = ["NodePort", "LoadBalancer"].contains(former)
        guard hadPorts else { return }
        let old = before["ports"]?.array ?? []
        PodDefaults.each(&spec, "ports") { port in
            let same = old.first { $0["port"] == port["port"] && $0["protocol"] == port["protocol"] }
            if hasPorts, port["nodePort"] == nil {
                port["nodePort"] = same?["nodePort"]
            } else if !hasPorts, port["nodePort"] == same?["nodePort"] {
                port["nodePort"] = nil
            }
        }
    }

    private static let types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let spec = object["spec"] ?? [:]
        let type = spec["type"]?.string ?? ""
        let isHeadless = spec["clusterIP"]?.string == "None"
        let ports = spec["ports"]?.array ?? []
        if ports.isEmpty, !isHeadless, type != "ExternalName" { errors.required("spec.ports") }
        if type == "ExternalName" { checkExternalName(spec, &errors) }
        checkPorts(ports, isHeadless: isHeadless, &errors)
        MetadataRules.labels(spec["selector"], at: "spec.selector", &errors)
        choice(spec, "sessionAffinity", ["ClientIP", "None"], &errors)
        if type.isEmpty {
            errors.required("spec.type")
        } else if !Self.types.contains(type) {
            errors.notSupported("spec.type", type, Self.types)
        }
        if let policy = spec["externalTrafficPolicy"]?.string, !["Cluster", "Local"].contains(policy) {
            errors.notSupported("spec.externalTrafficPolicy", policy, ["Cluster", "Local"])
        }
        if let policy = spec["internalTrafficPolicy"]?.string, !["Cluster", "Local"].contains(policy) {
            errors.notSupported("spec.internalTrafficPolicy", policy, ["Cluster", "Local"])
        }
        ServiceDetails.check(spec, type, &errors)
        checkAddress(spec, type, &errors)
        if type == "ClusterIP" {
            for (place, port) in ports.enumerated() where (port["nodePort"]?.int ?? 0) != 0 {
                errors.forbidden("spec.ports[\(place)].nodePort", "may not be used when `type` is 'ClusterIP'")
            }
        }
    }

    private func choice(_ spec: JSON, _ member: String, _ supported: [String], _ errors: inout FieldErrors) {
        let value = spec[member]?.string ?? ""
        if value.isEmpty {
            errors.required("spec.\(member)")
        } else if !supported.contains(value) {
            errors.notSupported("spec.\(member)", value, supported)
        }
    }

    private func checkExternalName(_ spec: JSON, _ errors: inout FieldErrors) {
        let name = spec["externalName"]?.string ?? ""
        if name.isEmpty {
            errors.required("spec.externalName")
        } else {
            let bare = name.hasSuffix(".") ? String(name.dropLast()) : name
            for problem in NameRules.dnsSubdomainProblems(bare) { errors.invalid("spec.externalName", name, problem) }
        }
        if !(spec["clusterIP"]?.string ?? "").isEmpty {
            errors.forbidden("spec.clusterIPs", "may not be set for ExternalName services")
        }
    }

    private func checkPorts(_ ports: [JSON], isHeadless: Bool, _ errors: inout FieldErrors) {
        var names: Set<String> = []
        var seen: Set<String> = []
        for (place, port) in ports.enumerated() {
            let at = "spec.ports[\(place)]"
            let name = port["name"]?.string ?? ""
            if name.isEmpty {
                if ports.count > 1 { errors.required("\(at).name") }
            } else {
                for problem in NameRules.dnsLabelProblems(name) { errors.invalid("\(at).name", name, problem) }
                if !names.insert(name).inserted { errors.duplicate("\(at).name", .string(name)) }
            }
            let number = port["port"]?.int ?? 0
            if !NameRules.isPort(number) { errors.invalid("\(at).port", number, NameRules.portRange) }
            checkProtocol(port["protocol"]?.string ?? "", at, isHeadless: isHeadless, &errors)
            PortReference.check(port["targetPort"], "\(at).targetPort", &errors)
            if let application = port["appProtocol"]?.string {
                for problem in NameRules.qualifiedNameProblems(application) {
                    errors.invalid("\(at).appProtocol", application, problem)
                }
            }
            let pair: JSON = ["port": JSON(number), "protocol": port["protocol"] ?? ""]
            if !seen.insert(pair.text).inserted {
                errors.duplicate(at, InternalForm.value(pair, as: "ServicePort"))
            }
        }
    }

    private func checkProtocol(_ transport: String, _ at: String, isHeadless: Bool, _ errors: inout FieldErrors) {
        let supported = ["SCTP", "TCP", "UDP"]
        if transport.isEmpty {
            errors.required("\(at).protocol")
        } else if !supported.contains(transport) {
            errors.notSupported("\(at).protocol", transport, supported)
        } else if refusesUDP, transport != "TCP", !isHeadless {
            errors.forbidden(
                "\(at).protocol",
                "this cluster forwards TCP only; a Service with clusterIP None reaches pods by \(transport) directly"
            )
        }
    }

    private func checkAddress(_ spec: JSON, _ type: String, _ errors: inout FieldErrors) {
        let addresses = (spec["clusterIPs"]?.array ?? []).compactMap(\.string)
        let primary = spec["clusterIP"]?.string ?? ""
        if primary == "None", type == "NodePort" || type == "LoadBalancer" {
            errors.invalid("spec.clusterIPs[0]", primary, "may not be set to 'None' for \(type) services")
        }
        if let first = addresses.first, first != primary {
            errors.invalid(
                "spec.clusterIPs",
                .array(addresses.map { .string($0) }),
                primary.isEmpty
                    ? "must be empty when `clusterIP` is not specified" : "first value must match `clusterIP`"
            )
        }
        for (place, address) in addresses.enumerated() where address != "None" && !IPAddressRules.isAddress(address) {
            errors.invalid("spec.clusterIPs[\(place)]", address, IPAddressRules.message)
        }
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let isBalanced = object[path: "spec", "type"] == "LoadBalancer"
        let ingress = object[path: "status", "loadBalancer", "ingress"]?.array ?? []
        guard isBalanced || ingress.isEmpty else {
            let only = "may only be used when `spec.type` is 'LoadBalancer'"
            return errors.forbidden("status.loadBalancer.ingress", only)
        }
        BalancerStatus.check(object, &errors)
        for (place, entry) in ingress.enumerated() {
            guard let mode = entry["ipMode"]?.string else { continue }
            let field = "status.loadBalancer.ingress[\(place)].ipMode"
            if (entry["ip"]?.string ?? "").isEmpty {
                errors.forbidden(field, "may not be specified when `ip` is not set")
            } else if !["Proxy", "VIP"].contains(mode) {
                errors.notSupported(field, mode, ["Proxy", "VIP"])
            }
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let spec = object["spec"] ?? [:]
        let before = old["spec"] ?? [:]
        if before["type"] == "LoadBalancer", spec["type"] == "LoadBalancer",
            spec["loadBalancerClass"] != before["loadBalancerClass"]
        {
            errors.invalid("spec.loadBalancerClass", spec["loadBalancerClass"] ?? .null, "may not change once set")
        }
        guard spec["type"]?.string != "ExternalName", before["type"]?.string != "ExternalName" else { return }
        let former = before["clusterIPs"]?.array ?? []
        guard let first = former.first, spec["clusterIPs"]?[0] != first else { return }
        errors.invalid("spec.clusterIPs[0]", spec["clusterIPs"] ?? .null, "may not change once set")
    }

    func warnings(_ object: JSON, from old: JSON?) -> [String] {
        let spec = object["spec"] ?? [:]
        var texts: [String] = []
        let isAlias = spec["type"] == "ExternalName"
        if !(spec["externalIPs"]?.array ?? []).isEmpty {
            texts.append(
                isAlias
                    ? "spec.externalIPs is ignored when spec.type is \"ExternalName\""
                    : "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
            )
        }
        if !isAlias, !(spec["externalName"]?.string ?? "").isEmpty {
            texts.append("spec.externalName is ignored when spec.type is not \"ExternalName\"")
        }
        if spec["trafficDistribution"] == "PreferClose" {
            texts.append("spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"")
        }
        if refusesUDP, spec["sessionAffinity"] == "ClientIP", old == nil {
            texts.append("spec.sessionAffinity: ClientIP has no effect on this cluster")
        }
        return texts
    }
}
