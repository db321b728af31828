// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What a pod asks of a node: amounts by resource name.
struct ResourceDemand: Sendable, Equatable {
    private(set) var amounts: [String: Quantity] = [:]

    init(_ amounts: [String: Quantity] = [:]) { self.amounts = amounts }

    /// The larger of all containers together and any single init container, plus overhead. An init container that
    /// restarts always keeps running, so it counts with the containers and beneath the init containers after it.
    ///
    /// `member` is `requests`, or `limits` for what the pod may take at most.
    init(pod: KubeObject, of member: String = "requests") {
        var running = ResourceDemand()
        var peak = ResourceDemand()
        for container in pod.spec["initContainers"]?.array ?? [] {
            let request = Self.asked(member, of: container)
            if container["restartPolicy"]?.string == "Always" {
                running.add(request)
                peak.raise(to: running)
            } else {
                var together = running
                together.add(request)
                peak.raise(to: together)
            }
        }
        for container in pod.spec["containers"]?.array ?? [] { running.add(Self.asked(member, of: container)) }
        peak.raise(to: running)
        for (name, amount) in Self.amounts(pod.spec["resources"]?[member]) { peak.amounts[name] = amount }
        let overhead = Self.amounts(pod.spec["overhead"])
        peak.add(ResourceDemand(overhead.filter { member == "requests" || peak.amounts[$0.key] != nil }))
        self = peak
    }

    private static func asked(_ member: String, of container: JSON) -> ResourceDemand {
        ResourceDemand(amounts(container["resources"]?[member]))
    }

    static func amounts(_ json: JSON?) -> [String: Quantity] {
        var amounts: [String: Quantity] = [:]
        for (name, value) in json?.object ?? [:] {
            amounts[name] = value.string.flatMap { Quantity($0) } ?? value.int.flatMap { Quantity(String($0)) }
        }
        return amounts
    }

    mutating func add(_ other: ResourceDemand) {
        for (name, amount) in other.amounts { amounts[name] = amounts[name].map { $0 + amount } ?? amount }
    }

    private mutating func raise(to other: ResourceDemand) {
        for (name, amount) in other.amounts { amounts[name] = max(amounts[name] ?? amount, amount) }
    }
}
