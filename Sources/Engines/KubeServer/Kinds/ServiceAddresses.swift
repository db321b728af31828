// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Synchronization

/// Hands out the addresses and node ports of Services, each to one Service at a time.
final class ServiceAddresses: Sendable {
    /// What a write took; kept when it succeeds, given back when it does not.
    struct Claim: Sendable {
        var addresses: [UInt32] = []
        var ports: [Int] = []
        /// What the Service gives up once the write is through.
        var formerAddresses: [UInt32] = []
        var formerPorts: [Int] = []

        var isEmpty: Bool {
            addresses.isEmpty && ports.isEmpty && formerAddresses.isEmpty && formerPorts.isEmpty
        }
    }

    private struct Taken {
        var addresses: Set<UInt32> = []
        var ports: Set<Int> = []
    }

    private let range: AddressRange
    private let ports: ClosedRange<Int>
    private let randomness: Randomness
    private let taken = Mutex(Taken())

    init(range: String, ports: ClosedRange<Int>, randomness: Randomness) throws {
        guard let parsed = AddressRange(range), parsed.count >= 8 else {
            throw Failure(.invalidInput, "the service range '\(range)' is no IPv4 network of at least 8 addresses")
        }
        self.range = parsed
        self.ports = ports
        self.randomness = randomness
    }

    /// Marks what a stored Service holds.
    func note(_ service: JSON) {
        let held = Self.held(by: service)
        taken.withLock {
            $0.addresses.formUnion(held.addresses)
            $0.ports.formUnion(held.ports)
        }
    }

    func forget(_ service: JSON) {
        let held = Self.held(by: service)
        taken.withLock {
            $0.addresses.subtract(held.addresses)
            $0.ports.subtract(held.ports)
        }
    }

    private static func held(by service: JSON) -> (addresses: [UInt32], ports: [Int]) {
        let addresses = (service[path: "spec", "clusterIPs"]?.array ?? []).compactMap {
            $0.string.flatMap(AddressRange.number)
        }
        let ports =
            (service[path: "spec", "ports"]?.array ?? []).compactMap { $0["nodePort"]?.int }
            + [service[path: "spec", "healthCheckNodePort"]?.int ?? 0]
        return (addresses, ports.filter { $0 > 0 })
    }

    func release(_ claim: Claim) {
        guard !claim.isEmpty else { return }
        taken.withLock {
            $0.addresses.subtract(claim.addresses)
            $0.ports.subtract(claim.ports)
        }
    }

    func settle(_ claim: Claim) {
        guard !claim.isEmpty else { return }
        taken.withLock {
            $0.addresses.subtract(claim.formerAddresses)
            $0.ports.subtract(claim.formerPorts)
        }
    }

    /// Gives a Service the address and ports it needs and lacks. Other kinds need none.
    func claim(
        _ object: inout JSON,
        from old: JSON?,
        _ resource: Resource,
        isDryRun: Bool
    ) throws(KubeStatus) -> Claim {
        guard resource.type == .services else { return Claim() }
        var errors = FieldErrors()
        let before = Self.held(by: old ?? [:])
        let claim = taken.withLock { taken -> Claim in
            var claim = Claim()
            ServiceFamilies.check(object["spec"] ?? [:], from: old?["spec"], &errors)
            guard errors.isEmpty else { return claim }
            Self.claimAddress(&object, &taken, &claim, before.addresses, range, randomness, &errors)
            Self.claimPorts(&object, &taken, &claim, before.ports, ports, randomness, &errors)
            let after = Self.held(by: object)
            claim.formerAddresses = before.addresses.filter { !after.addresses.contains($0) }
            claim.formerPorts = before.ports.filter { !after.ports.contains($0) }
            if isDryRun || !errors.isEmpty {
                taken.addresses.subtract(claim.addresses)
                taken.ports.subtract(claim.ports)
                return Claim()
            }
            return claim
        }
        guard errors.isEmpty else {
            throw .invalid(
                errors,
                kind: "Service",
                group: "",
                name: object[path: "metadata", "name"]?.string ?? ""
            )
        }
        return claim
    }

    private static func claimAddress(
        _ object: inout JSON,
        _ taken: inout Taken,
        _ claim: inout Claim,
        _ before: [UInt32],
        _ range: AddressRange,
        _ randomness: Randomness,
        _ errors: inout FieldErrors
    ) {
        let type = object[path: "spec", "type"]?.string ?? "ClusterIP"
        let given = object[path: "spec", "clusterIP"]?.string ?? ""
        guard type != "ExternalName", given != "None" else { return }
        if given.isEmpty {
            guard let address = free(in: range, taken.addresses, randomness) else {
                return errors.add(
                    .internalError,
                    "spec.clusterIPs",
                    "failed to allocate a serviceIP: range is full"
                )
            }
            taken.addresses.insert(address)
            claim.addresses.append(address)
            let text = JSON.string(AddressRange.text(address))
            object.set(text, at: ["spec", "clusterIP"])
            object.set([text], at: ["spec", "clusterIPs"])
            return
        }
        guard let address = AddressRange.number(given), !before.contains(address) else { return }
        let shown: JSON = [.string(given)]
        if !range.contains(address) {
            errors.invalid(
                "spec.clusterIPs",
                shown,
                "failed to allocate IP \(given): the provided network does not match the current range"
            )
        } else if !taken.addresses.insert(address).inserted {
            errors.invalid(
                "spec.clusterIPs",
                shown,
                "failed to allocate IP \(given): provided IP is already allocated"
            )
        } else {
            claim.addresses.append(address)
        }
    }

    /// A random start and then upwards, so that a freed address is not the next one handed out.
    private static func free(in range: AddressRange, _ taken: Set<UInt32>, _ randomness: Randomness) -> UInt32? {
        let usable = range.count - 2
        let start = randomness.below(usable)
        for step in 0..<usable {
            let address = range.first + 1 + UInt32((start + step) % usable)
            if !taken.contains(address) { return address }
        }
        return nil
    }

    private static func claimPorts(
        _ object: inout JSON,
        _ taken: inout Taken,
        _ claim: inout Claim,
        _ before: [Int],
        _ range: ClosedRange<Int>,
        _ randomness: Randomness,
        _ errors: inout FieldErrors
    ) {
        let type = object[path: "spec", "type"]?.string ?? ""
        let allocates = object[path: "spec", "allocateLoadBalancerNodePorts"]?.bool ?? true
        guard type == "NodePort" || type == "LoadBalancer", var ports = object[path: "spec", "ports"]?.array else {
            return
        }
        for place in ports.indices {
            let field = "spec.ports[\(place)].nodePort"
            if let wanted = ports[place]["nodePort"]?.int, wanted > 0 {
                guard !before.contains(wanted) else { continue }
                if !range.contains(wanted) {
                    errors.invalid(
                        field,
                        wanted,
                        "provided port is not in the valid range. The range of valid ports is "
                            + "\(range.lowerBound)-\(range.upperBound)"
                    )
                } else if !taken.ports.insert(wanted).inserted {
                    errors.invalid(field, wanted, "provided port is already allocated")
                } else {
                    claim.ports.append(wanted)
                }
            } else if type == "NodePort" || allocates {
                let start = randomness.below(range.count)
                let free = (0..<range.count).lazy.map { range.lowerBound + (start + $0) % range.count }
                    .first { !taken.ports.contains($0) }
                guard let free else {
                    errors.add(.internalError, field, "failed to allocate a nodePort: range is full")
                    continue
                }
                taken.ports.insert(free)
                claim.ports.append(free)
                ports[place]["nodePort"] = JSON(free)
            }
        }
        object.set(.array(ports), at: ["spec", "ports"])
        claimHealthPort(&object, &taken, &claim, before, range, randomness, &errors)
    }

    /// Balancers ask a port of its own whether a node has pods of a Service that keeps traffic local.
    private static func claimHealthPort(
        _ object: inout JSON,
        _ taken: inout Taken,
        _ claim: inout Claim,
        _ before: [Int],
        _ range: ClosedRange<Int>,
        _ randomness: Randomness,
        _ errors: inout FieldErrors
    ) {
        let path = ["spec", "healthCheckNodePort"]
        guard object[path: "spec", "type"] == "LoadBalancer", object[path: "spec", "externalTrafficPolicy"] == "Local"
        else { return }
        if let wanted = object[path: path]?.int, wanted > 0 {
            guard !before.contains(wanted) else { return }
            guard taken.ports.insert(wanted).inserted else {
                errors.add(
                    .internalError,
                    "spec.healthCheckNodePort",
                    "Internal error: failed to allocate requested HealthCheck NodePort \(wanted): "
                        + "provided port is already allocated"
                )
                return
            }
            claim.ports.append(wanted)
            return
        }
        let start = randomness.below(range.count)
        let free = (0..<range.count).lazy.map { range.lowerBound + (start + $0) % range.count }
            .first { !taken.ports.contains($0) }
        guard let free else { return }
        taken.ports.insert(free)
        claim.ports.append(free)
        object.set(JSON(free), at: path)
    }
}

/// The families of addresses a Service asks for: there is only IPv4 here.
enum ServiceFamilies {
    static func check(_ spec: JSON, from old: JSON?, _ errors: inout FieldErrors) {
        guard spec["type"] != "ExternalName" else { return }
        let families = (spec["ipFamilies"]?.array ?? []).compactMap(\.string)
        let policy = spec["ipFamilyPolicy"]?.string ?? ""
        guard old == nil || spec["ipFamilies"] != old?["ipFamilies"] || spec["ipFamilyPolicy"] != old?["ipFamilyPolicy"]
        else { return }
        let isOpen = spec["clusterIP"] == "None" && (spec["selector"]?.object?.isEmpty ?? true)
        let addresses = (spec["clusterIPs"]?.array ?? []).compactMap(\.string)
        if addresses.contains(where: { $0.contains(":") }) {
            errors.invalid("spec.clusterIPs", spec["clusterIPs"] ?? [], "IPv6 is not configured on this cluster")
        }
        guard !isOpen else { return }
        if policy == "SingleStack", families.count > 1 {
            return errors.invalid(
                "spec.ipFamilyPolicy",
                policy,
                "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified"
            )
        }
        if policy == "RequireDualStack" {
            errors.invalid("spec.ipFamilyPolicy", policy, "this cluster is not configured for dual-stack services")
        }
        for (place, family) in families.enumerated() where family != "IPv4" && policy != "PreferDualStack" {
            errors.invalid("spec.ipFamilies[\(place)]", family, "not configured on this cluster")
        }
    }
}

/// An IPv4 network, such as `10.96.0.0/16`.
struct AddressRange: Sendable, Hashable {
    let first: UInt32
    let count: Int

    init?(_ text: String) {
        let parts = text.split(separator: "/")
        guard parts.count == 2, let base = Self.number(String(parts[0])), let bits = Int(parts[1]), 8...32 ~= bits
        else { return nil }
        count = 1 << (32 - bits)
        first = base & ~UInt32(count - 1)
    }

    func contains(_ address: UInt32) -> Bool {
        address > first && Int(address) < Int(first) + count - 1
    }

    /// The number of a dotted address in canonical form; `nil` where the text is none.
    static func number(_ text: String) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var number: UInt32 = 0
        for part in parts {
            guard let byte = UInt8(part), String(byte) == part else { return nil }
            number = number << 8 | UInt32(byte)
        }
        return number
    }

    static func text(_ number: UInt32) -> String {
        [24, 16, 8, 0].map { String(number >> UInt32($0) & 255) }.joined(separator: ".")
    }
}
