// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What the API demands of a pod's or a template's `spec`.
struct PodRules {
    private let spec: JSON
    private let field: String
    private let volumeNames: Set<String>
    private let claimVolumes: Set<String>

    /// `field` is where the spec is: `spec` of a pod, `spec.template.spec` of a workload.
    init(_ spec: JSON, at field: String) {
        self.spec = spec
        self.field = field
        let volumes = spec["volumes"]?.array ?? []
        volumeNames = Set(volumes.compactMap { $0["name"]?.string })
        claimVolumes = Set(volumes.filter { $0["persistentVolumeClaim"] != nil }.compactMap { $0["name"]?.string })
    }

    func check(_ errors: inout FieldErrors) {
        VolumeRules.check(spec["volumes"]?.array ?? [], "\(field).volumes", spec, &errors)
        PlacementRules.checkClaims(spec, field, &errors)
        checkContainers(&errors)
        checkPolicies(&errors)
        MetadataRules.labels(spec["nodeSelector"], at: "\(field).nodeSelector", &errors)
        SecurityRules.checkPod(spec, field, &errors)
        AffinityRules.check(spec["affinity"] ?? [:], "\(field).affinity", &errors)
        PlacementRules.checkDNS(spec, "\(field).dnsConfig", &errors)
        PlacementRules.checkGates(spec, field, &errors)
        PlacementRules.checkSpread(spec, "\(field).topologySpreadConstraints", &errors)
        checkNames(&errors)
        for (place, toleration) in (spec["tolerations"]?.array ?? []).enumerated() {
            TolerationRules.check(toleration, "\(field).tolerations[\(place)]", &errors)
        }
        checkAliases(&errors)
        PlacementRules.checkSystem(spec, field, &errors)
        checkTokens(&errors)
    }

    private func checkContainers(_ errors: inout FieldErrors) {
        let main = spec["containers"]?.array ?? []
        let initial = spec["initContainers"]?.array ?? []
        if main.isEmpty { errors.required("\(field).containers") }
        var names: Set<String> = []
        for (place, container) in main.enumerated() {
            checkContainer(container, "\(field).containers[\(place)]", isInitial: false, &names, &errors)
        }
        for (place, container) in initial.enumerated() {
            checkContainer(container, "\(field).initContainers[\(place)]", isInitial: true, &names, &errors)
        }
    }

    private func checkContainer(
        _ container: JSON,
        _ at: String,
        isInitial: Bool,
        _ names: inout Set<String>,
        _ errors: inout FieldErrors
    ) {
        let name = container["name"]?.string ?? ""
        if name.isEmpty {
            errors.required("\(at).name")
        } else {
            for problem in NameRules.dnsLabelProblems(name) { errors.invalid("\(at).name", name, problem) }
            if !names.insert(name).inserted { errors.duplicate("\(at).name", .string(name)) }
        }
        let grace = spec["terminationGracePeriodSeconds"]?.int ?? 30
        let rules = ContainerRules(container, at, volumeNames, isInitial: isInitial, grace: grace)
        rules.check(&errors)
    }

    private func checkPolicies(_ errors: inout FieldErrors) {
        choice("restartPolicy", ["Always", "OnFailure", "Never"], &errors)
        choice("dnsPolicy", ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"], &errors)
    }

    private func choice(_ member: String, _ supported: [String], _ errors: inout FieldErrors) {
        let value = spec[member]?.string ?? ""
        if value.isEmpty {
            errors.required("\(field).\(member)")
        } else if !supported.contains(value) {
            errors.notSupported("\(field).\(member)", value, supported)
        }
    }

    private func checkNames(_ errors: inout FieldErrors) {
        if let name = spec["hostnameOverride"]?.string {
            for problem in NameRules.dnsSubdomainProblems(name) {
                errors.invalid("\(field).hostnameOverride", name, problem)
            }
        }
        checkSubdomains(["serviceAccountName", "nodeName"], &errors)
        if let seconds = spec["activeDeadlineSeconds"]?.int, seconds < 1 || seconds > Int(Int32.max) {
            errors.invalid(
                "\(field).activeDeadlineSeconds",
                seconds,
                "must be between 1 and 2147483647, inclusive"
            )
        }
        for member in ["hostname", "subdomain"] {
            let name = spec[member]?.string ?? ""
            guard !name.isEmpty else { continue }
            for problem in NameRules.dnsLabelProblems(name) { errors.invalid("\(field).\(member)", name, problem) }
        }
    }

    private func checkSubdomains(_ members: [String], _ errors: inout FieldErrors) {
        for member in members {
            let name = spec[member]?.string ?? ""
            guard !name.isEmpty else { continue }
            for problem in NameRules.dnsSubdomainProblems(name) { errors.invalid("\(field).\(member)", name, problem) }
        }
    }

    private func checkAliases(_ errors: inout FieldErrors) {
        for (place, alias) in (spec["hostAliases"]?.array ?? []).enumerated() {
            let address = alias["ip"]?.string ?? ""
            let at = "\(field).hostAliases[\(place)]"
            IPAddressRules.check(address, "\(at).ip", &errors)
            for (index, name) in (alias["hostnames"]?.array ?? []).compactMap(\.string).enumerated() {
                for problem in NameRules.dnsSubdomainProblems(name) {
                    errors.invalid("\(at).hostnames[\(index)]", name, problem)
                }
            }
        }
        checkSubdomains(["priorityClassName", "runtimeClassName"], &errors)
    }

    /// A token is some account's.
    private func checkTokens(_ errors: inout FieldErrors) {
        guard field == "spec", (spec["serviceAccountName"]?.string ?? "").isEmpty else { return }
        for (place, volume) in (spec["volumes"]?.array ?? []).enumerated() {
            for (index, source) in (volume[path: "projected", "sources"]?.array ?? []).enumerated()
            where source["serviceAccountToken"] != nil {
                errors.forbidden(
                    "\(field).volumes[\(place)].projected.sources[\(index)].serviceAccountToken",
                    "must not be specified when serviceAccountName is not set"
                )
            }
        }
    }
}

enum TolerationRules {
    static func check(_ toleration: JSON, _ at: String, _ errors: inout FieldErrors) {
        let key = toleration["key"]?.string ?? ""
        let op = toleration["operator"]?.string ?? ""
        let effect = toleration["effect"]?.string ?? ""
        let value = toleration["value"]?.string ?? ""
        if !key.isEmpty {
            for problem in NameRules.qualifiedNameProblems(key) { errors.invalid("\(at).key", key, problem) }
        }
        if key.isEmpty, op != "Exists" {
            errors.invalid(
                "\(at).operator",
                op,
                "operator must be Exists when `key` is empty, which means \"match all values and all keys\""
            )
        }
        if toleration["tolerationSeconds"] != nil, effect != "NoExecute" {
            errors.invalid("\(at).effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")
        }
        switch op {
        case "Equal", "":
            for problem in NameRules.labelValueProblems(value) { errors.invalid("\(at).operator", value, problem) }
        case "Exists":
            if !value.isEmpty {
                errors.invalid(
                    "\(at).operator",
                    .string(value),
                    "value must be empty when `operator` is 'Exists'"
                )
            }
        default: errors.notSupported("\(at).operator", op, ["Equal", "Exists", "Lt", "Gt"])
        }
        if !effect.isEmpty { Taints.checkEffect(effect, "\(at).effect", &errors) }
    }
}
