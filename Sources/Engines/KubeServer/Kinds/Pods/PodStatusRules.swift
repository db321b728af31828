// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What the API demands of a pod's status.
struct PodStatusRules {
    private let new: JSON
    private let old: JSON
    private let spec: JSON

    init(_ object: JSON, from former: JSON) {
        new = object["status"] ?? [:]
        old = former["status"] ?? [:]
        spec = former["spec"] ?? [:]
    }

    func check(_ errors: inout FieldErrors) {
        checkConditions(&errors)
        checkNomination(&errors)
        if let generation = new["observedGeneration"]?.int, generation < 0 {
            errors.invalid("status.observedGeneration", generation, "must be a non-negative integer")
        }
        if let quality = new["qosClass"], quality != old["qosClass"] {
            errors.invalid("status.qosClass", quality, "field is immutable")
        }
        for member in ["containerStatuses", "initContainerStatuses"] { checkTransitions(member, &errors) }
        checkAddresses("podIPs", &errors)
        checkHosts(&errors)
    }

    private static let ownConditions: Set<String> = ["PodScheduled", "Ready", "Initialized"]

    private func checkConditions(_ errors: inout FieldErrors) {
        for (place, condition) in (new["conditions"]?.array ?? []).enumerated() {
            let at = "status.conditions[\(place)]"
            if let generation = condition["observedGeneration"]?.int, generation < 0 {
                errors.invalid("\(at).observedGeneration", generation, "must be a non-negative integer")
            }
            let type = condition["type"]?.string ?? ""
            guard !Self.ownConditions.contains(type) else { continue }
            // The real server writes this field large.
            for problem in NameRules.qualifiedNameProblems(type) { errors.invalid("\(at).Type", type, problem) }
        }
    }

    private func checkNomination(_ errors: inout FieldErrors) {
        let field = "status.nominatedNodeName"
        let name = new["nominatedNodeName"]?.string ?? ""
        guard !name.isEmpty, name != old["nominatedNodeName"]?.string else { return }
        for problem in NameRules.dnsSubdomainProblems(name) { errors.invalid(field, name, problem) }
        if !(spec["nodeName"]?.string ?? "").isEmpty {
            errors.forbidden(field, "may not be set on pods that are already bound to a node")
        }
    }

    /// What has ended for good does not run again.
    private func checkTransitions(_ member: String, _ errors: inout FieldErrors) {
        let policy = spec["restartPolicy"]?.string ?? "Always"
        guard policy != "Always" else { return }
        let now = Dictionary(
            (new[member]?.array ?? []).map { ($0["name"]?.string ?? "", $0) }
        ) { first, _ in first }
        for (place, status) in (old[member]?.array ?? []).enumerated() {
            guard let ended = status[path: "state", "terminated"], let later = now[status["name"]?.string ?? ""],
                later[path: "state", "terminated"] == nil, !restarts(status, ended, member, policy)
            else { continue }
            errors.forbidden(
                "status.\(member)[\(place)].state",
                "may not be transitioned to non-terminated state"
            )
        }
    }

    private func restarts(_ status: JSON, _ ended: JSON, _ member: String, _ policy: String) -> Bool {
        let list = member == "containerStatuses" ? "containers" : "initContainers"
        let container = (spec[list]?.array ?? []).first { $0["name"] == status["name"] }
        let own = container?["restartPolicy"]?.string ?? policy
        return own == "Always" || own == "OnFailure" && ended["exitCode"]?.int != 0
    }

    private func checkAddresses(_ member: String, _ errors: inout FieldErrors) {
        let field = "status.\(member)"
        let addresses = (new[member]?.array ?? []).map { $0["ip"]?.string ?? "" }
        let known = (old[member]?.array ?? []).compactMap { $0["ip"]?.string }
        for (place, address) in addresses.enumerated() where !known.contains(address) {
            IPAddressRules.check(address, "\(field)[\(place)]", &errors)
        }
        guard addresses.count > 1 else { return }
        let isPair = Set(addresses.map { IPAddressRules.isFour($0) }).count == 2
        guard !isPair || addresses.count > 2 else { return }
        errors.invalid(
            field,
            InternalForm.list(new[member], of: "PodIP"),
            "may specify no more than one IP for each IP family"
        )
    }

    private func checkHosts(_ errors: inout FieldErrors) {
        guard let first = new["hostIPs"]?[0]?["ip"]?.string else { return }
        if first != new["hostIP"]?.string ?? "" {
            errors.invalid("status.hostIPs[0].ip", first, "must be equal to `hostIP`")
        }
        checkAddresses("hostIPs", &errors)
    }
}
