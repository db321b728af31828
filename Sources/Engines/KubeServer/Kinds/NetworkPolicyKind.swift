// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Network policies are kept, so that what brings them along can be applied; nothing here enforces them.
struct NetworkPolicyStrategy: KindStrategy {
    let traits = KindTraits(generationFields: ["spec"])
    /// Says that policies are only kept.
    let warnsOfLimits: Bool

    func setDefaults(_ object: inout JSON) {
        guard var spec = object["spec"], spec.object != nil else { return }
        for direction in ["ingress", "egress"] {
            PodDefaults.each(&spec, direction) { rule in
                PodDefaults.each(&rule, "ports") { PodDefaults.setIfAbsent(&$0, "protocol", "TCP") }
            }
        }
        if spec["policyTypes"]?.array?.isEmpty ?? true {
            spec["policyTypes"] = spec["egress"]?.array?.isEmpty ?? true ? ["Ingress"] : ["Ingress", "Egress"]
        }
        object["spec"] = spec
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let spec = object["spec"] ?? [:]
        SelectorRules.check(spec["podSelector"] ?? [:], "spec.podSelector", &errors)
        for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
            for (place, rule) in (spec[direction]?.array ?? []).enumerated() {
                let field = "spec.\(direction)[\(place)]"
                for (index, port) in (rule["ports"]?.array ?? []).enumerated() {
                    checkPort(port, "\(field).ports[\(index)]", &errors)
                }
                for (index, peer) in (rule[peers]?.array ?? []).enumerated() {
                    checkPeer(peer, "\(field).\(peers)[\(index)]", &errors)
                }
            }
        }
        let types = (spec["policyTypes"]?.array ?? []).compactMap(\.string)
        if types.count > 2 {
            return errors.invalid(
                "spec.policyTypes",
                spec["policyTypes"] ?? .null,
                "may not specify more than two policyTypes"
            )
        }
        for (place, type) in types.enumerated() where !["Ingress", "Egress"].contains(type) {
            errors.notSupported("spec.policyTypes[\(place)]", type, ["Ingress", "Egress"])
        }
    }

    private func checkPort(_ port: JSON, _ field: String, _ errors: inout FieldErrors) {
        let name = port["protocol"]?.string ?? ""
        if !["TCP", "UDP", "SCTP"].contains(name) {
            errors.notSupported("\(field).protocol", name, ["TCP", "UDP", "SCTP"])
        }
        let first = port["port"]?.int
        if let first, !(1...65_535).contains(first) {
            errors.invalid("\(field).port", first, "must be between 1 and 65535, inclusive")
        }
        if let text = port["port"]?.string {
            for problem in NameRules.portNameProblems(text) { errors.invalid("\(field).port", text, problem) }
        }
        guard let last = port["endPort"]?.int else { return }
        if let first {
            if last < first {
                errors.invalid("\(field).endPort", first, "must be greater than or equal to `port`")
            } else if last > 65_535 {
                errors.invalid("\(field).endPort", last, "must be between 1 and 65535, inclusive")
            }
        } else if port["port"] != nil {
            errors.invalid("\(field).endPort", last, "may not be specified when `port` is non-numeric")
        } else {
            errors.invalid("\(field).endPort", last, "may not be specified when `port` is not specified")
        }
    }

    private func checkPeer(_ peer: JSON, _ field: String, _ errors: inout FieldErrors) {
        let selectors = ["podSelector", "namespaceSelector"].filter { peer[$0] != nil }
        for member in selectors { SelectorRules.check(peer[member] ?? [:], "\(field).\(member)", &errors) }
        guard let block = peer["ipBlock"] else {
            if selectors.isEmpty { errors.required(field, "must specify a peer") }
            return
        }
        if !selectors.isEmpty { errors.forbidden(field, "may not specify both ipBlock and another peer") }
        let text = block["cidr"]?.string ?? ""
        guard !text.isEmpty else { return errors.required("\(field).ipBlock.cidr") }
        guard let range = AddressBlock(text) else {
            return errors.invalid("\(field).ipBlock.cidr", text, AddressBlock.expectation)
        }
        for (place, exception) in (block["except"]?.array ?? []).compactMap(\.string).enumerated() {
            let at = "\(field).ipBlock.except[\(place)]"
            guard let inner = AddressBlock(exception) else {
                errors.invalid(at, exception, AddressBlock.expectation)
                continue
            }
            if !range.strictlyContains(inner) { errors.invalid(at, exception, "must be a strict subset of `cidr`") }
        }
    }

    func warnings(_ object: JSON, from old: JSON?) -> [String] {
        guard warnsOfLimits, old == nil || old?["spec"] != object["spec"] else { return [] }
        return ["network policies are stored, but this cluster does not enforce them: all pods reach each other"]
    }
}

/// A range of IPv4 addresses such as `10.0.0.0/8`; of IPv6 ones only the form is known.
struct AddressBlock: Sendable, Hashable {
    static let expectation = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"

    private let first: UInt32?
    private let bits: Int

    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let bits = Int(parts[1]), bits >= 0, String(bits) == parts[1] else { return nil }
        self.bits = bits
        if parts[0].contains(":") {
            let isHex = parts[0].utf8.allSatisfy {
                $0 == 0x3A || $0 == 0x2E || Character(Unicode.Scalar($0)).isHexDigit
            }
            guard bits <= 128, isHex else { return nil }
            first = nil
            return
        }
        let bytes = parts[0].split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        guard bytes.count == 4, bits <= 32, bytes.allSatisfy({ $0 != nil }) else { return nil }
        let address = bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1 ?? 0) }
        first = bits == 0 ? 0 : address & ~UInt32(0) << UInt32(32 - bits)
    }

    func strictlyContains(_ other: AddressBlock) -> Bool {
        guard other.bits > bits else { return false }
        guard let first, let inner = other.first else { return first == nil && other.first == nil }
        return bits == 0 || inner & ~UInt32(0) << UInt32(32 - bits) == first
    }
}

struct NetworkPolicyColumns: TableColumns {
    let columns: [TableColumn] = [.name, .text("Pod-Selector"), .age]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        [Cell.name(object), Cell.selector(object[path: "spec", "podSelector"]), Age.of(object, now)]
    }
}

extension ResourceType {
    static let networkPolicies = ResourceType(
        group: "networking.k8s.io",
        version: "v1",
        plural: "networkpolicies",
        kind: "NetworkPolicy",
        isNamespaced: true
    )
}
