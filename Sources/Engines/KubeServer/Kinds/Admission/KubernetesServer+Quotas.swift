// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

// Quotas are kept by the server itself: a write is charged before it is stored, and what goes is given back with it.
extension KubernetesServer {
    private static let quotaPrefix = "/registry/resourcequotas/"

    /// Counts at once what a new quota bounds: as long as nothing is counted, it lets nothing in.
    func afterQuotaWrite(_ quota: JSON) async {
        quotaNamespaces.note(quota[path: "metadata", "namespace"]?.string ?? "")
        let match = QuotaMatch(quota: quota)
        guard match.wanted != match.hard || quota[path: "status", "used"] == nil else { return }
        await recountQuota(quota)
    }

    private func quotas(in namespace: String) throws(KubeStatus) -> [JSON] {
        guard quotaNamespaces.contains(namespace), let resource = catalog.resource(of: .resourceQuotas) else {
            return []
        }
        return try objects(resource, in: namespace)
    }

    func objects(_ resource: Resource, in namespace: String) throws(KubeStatus) -> [JSON] {
        do {
            var found: [JSON] = []
            for stored in try log.list(prefix: resource.prefix(namespace: namespace)).items {
                found.append(try StoredJSON.parse(stored.value, as: nil))
            }
            return found
        } catch {
            throw Self.status(of: error) { .fault("\(error)") }
        }
    }

    /// Which writes are counted: everything new, and changes of services and claims.
    private func isCharged(_ resource: Resource, _ object: JSON, from old: JSON?) -> Bool {
        guard resource.type.isNamespaced, resource.type.plural != "events" else { return false }
        guard let old else { return true }
        switch resource.type {
        case .services, .persistentVolumeClaims: return true
        case .pods:
            func hasDeadline(_ pod: JSON) -> Bool { pod[path: "spec", "activeDeadlineSeconds"]?.int != nil }
            return hasDeadline(old) != hasDeadline(object)
        default: return false
        }
    }

    /// Refuses what a quota of the namespace has no room for, and notes what is used from now on.
    func chargeQuotas(
        _ object: JSON,
        from old: JSON?,
        _ resource: Resource,
        isDryRun: Bool
    ) async throws(KubeStatus) {
        guard isCharged(resource, object, from: old), let namespace = object[path: "metadata", "namespace"]?.string
        else { return }
        let all = try quotas(in: namespace)
        guard !all.isEmpty else { return }
        let name = object[path: "metadata", "name"]?.string ?? ""
        let usage = QuotaUsage.of(object, resource.type, now: clock.now)
        let before = old.map { QuotaUsage.of($0, resource.type, now: clock.now) } ?? [:]
        var matching: [String] = []
        for quota in all {
            let match = QuotaMatch(quota: quota)
            let bounds = match.hard.isEmpty ? match.wanted : match.hard
            guard match.isAbout(object, resource.type),
                bounds.keys.contains(where: { usage[$0] != nil || isAsked($0, of: resource.type) })
            else { continue }
            if resource.type == .pods, old == nil { try checkConstraints(object, bounds, match.name, name) }
            let delta = Self.delta(usage, before, bounds)
            guard !delta.isEmpty else { continue }
            try check(delta, quota, resource, name)
            matching.append(match.name)
        }
        guard !isDryRun else { return }
        for quotaName in matching {
            try await updateQuota(quotaName, namespace) { (quota) throws(KubeStatus) in
                let hard = ResourceNames.amounts(quota[path: "status", "hard"])
                let delta = Self.delta(usage, before, hard)
                try self.check(delta, quota, resource, name)
                return Self.used(quota) { $0 + (delta[$1] ?? Quantity(nanos: 0)) }
            }
        }
    }

    /// Amounts that pods must name for their quota to be kept.
    private func isAsked(_ name: String, of type: ResourceType) -> Bool {
        type == .pods && Self.constrained.contains(name)
    }

    private static let constrained: Set<String> = [
        "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory",
    ]

    /// Where a quota bounds an amount, every container has to say how much of it it takes.
    private func checkConstraints(
        _ pod: JSON,
        _ bounds: [String: Quantity],
        _ quota: String,
        _ name: String
    ) throws(KubeStatus) {
        let resources = pod[path: "spec", "resources"]?.object ?? [:]
        guard resources.isEmpty else { return }
        let containers = ["containers", "initContainers"].flatMap { pod[path: "spec", $0]?.array ?? [] }
        var missing: [String: [String]] = [:]
        for bound in bounds.keys where Self.constrained.contains(bound) {
            let (member, resource) =
                bound.hasPrefix("limits.")
                ? ("limits", bound.dropFirst(7))
                : ("requests", bound.hasPrefix("requests.") ? bound.dropFirst(9) : bound[...])
            let without = containers.filter { $0[path: "resources", member]?[String(resource)] == nil }
            if !without.isEmpty { missing[bound] = without.map { $0["name"]?.string ?? "" }.sorted() }
        }
        guard !missing.isEmpty else { return }
        let list = missing.sorted { $0.key < $1.key }.map { "\($0.key) for: \($0.value.joined(separator: ","))" }
        throw .forbidden(.pods, name, "failed quota: \(quota): must specify \(list.joined(separator: "; "))")
    }

    /// What more is asked of the bounded amounts.
    private static func delta(
        _ usage: [String: Quantity],
        _ before: [String: Quantity],
        _ bounds: [String: Quantity]
    ) -> [String: Quantity] {
        var delta: [String: Quantity] = [:]
        for (name, amount) in usage where bounds[name] != nil {
            let more = amount - (before[name] ?? Quantity(nanos: 0))
            if more.nanos > 0 { delta[name] = more }
        }
        return delta
    }

    private func check(
        _ delta: [String: Quantity],
        _ quota: JSON,
        _ resource: Resource,
        _ name: String
    ) throws(KubeStatus) {
        let match = QuotaMatch(quota: quota)
        let hard = match.hard.isEmpty ? match.wanted : match.hard
        let used = ResourceNames.amounts(quota[path: "status", "used"])
        let unknown = delta.keys.filter { used[$0] == nil }.sorted()
        guard unknown.isEmpty else {
            throw .forbidden(
                resource.type,
                name,
                "status unknown for quota: \(match.name), resources: \(unknown.joined(separator: ","))"
            )
        }
        let exceeded = delta.filter { name, more in
            guard let bound = hard[name] else { return false }
            return (used[name] ?? Quantity(nanos: 0)) + more > bound
        }.keys.sorted()
        guard !exceeded.isEmpty else { return }
        func list(_ amounts: [String: Quantity]) -> String {
            exceeded.map { "\($0)=\(amounts[$0] ?? Quantity(nanos: 0))" }.joined(separator: ",")
        }
        throw .forbidden(
            resource.type,
            name,
            "exceeded quota: \(match.name), requested: \(list(delta)), used: \(list(used)), limited: \(list(hard))"
        )
    }

    /// The status with other amounts used.
    private static func used(_ quota: JSON, _ change: (Quantity, String) -> Quantity) -> JSON {
        var quota = quota
        var used = JSONObject()
        for (name, amount) in ResourceNames.amounts(quota[path: "status", "used"]).sorted(by: { $0.key < $1.key }) {
            let changed = change(amount, name)
            used[name] = .string("\(changed.nanos < 0 ? Quantity(nanos: 0) : changed)")
        }
        quota.set(.object(used), at: ["status", "used"])
        return quota
    }

    private func updateQuota(
        _ name: String,
        _ namespace: String,
        _ make: (JSON) throws(KubeStatus) -> JSON
    ) async throws(KubeStatus) {
        guard let resource = catalog.resource(of: .resourceQuotas) else { return }
        var parameters = WriteParameters()
        parameters.client = "kube-apiserver"
        let change = Change(resource: resource, namespace: namespace, name: name, parameters: parameters, part: .status)
        _ = try await apply(change) { (old) throws(KubeStatus) in
            var quota = try make(old)
            quota.set(nil, at: ["metadata", "resourceVersion"])
            return (quota, [])
        }
    }

    // MARK: - Giving back and counting anew

    /// Gives back what an object held that is gone, or a part of it; a pod's share is counted anew, since it ends more
    /// than once: with its last container, its grace period and its removal.
    func releaseQuotas(_ object: JSON, _ resource: Resource, keeping left: JSON? = nil) async {
        guard isCharged(resource, object, from: nil), let namespace = object[path: "metadata", "namespace"]?.string,
            let all = try? quotas(in: namespace)
        else { return }
        guard !all.isEmpty else { return }
        if resource.type == .pods {
            let phase = left?[path: "status", "phase"]
            guard left == nil || phase != object[path: "status", "phase"] else { return }
            for quota in all { await recountQuota(quota) }
            return
        }
        let usage = QuotaUsage.of(object, resource.type, now: clock.now)
        let rest = left.map { QuotaUsage.of($0, resource.type, now: clock.now) } ?? [:]
        for quota in all where QuotaMatch(quota: quota).isAbout(object, resource.type) {
            let freed = Self.delta(usage, rest, ResourceNames.amounts(quota[path: "status", "used"]))
            guard !freed.isEmpty else { continue }
            // A quota that is going itself needs nothing.
            try? await updateQuota(QuotaMatch(quota: quota).name, namespace) { (quota) throws(KubeStatus) in
                Self.used(quota) { $0 - (freed[$1] ?? Quantity(nanos: 0)) }
            }
        }
    }

    /// Counts what is there, for one quota.
    func recountQuota(_ quota: JSON) async {
        let match = QuotaMatch(quota: quota)
        guard let namespace = quota[path: "metadata", "namespace"]?.string else { return }
        let wanted = match.wanted
        // A quota that was removed meanwhile needs no count.
        try? await updateQuota(match.name, namespace) { (quota) throws(KubeStatus) in
            var used = wanted.mapValues { _ in Quantity(nanos: 0) }
            let match = QuotaMatch(quota: quota)
            for resource in self.catalog.snapshot.all where resource.type.isNamespaced && !resource.isView {
                guard !resource.type.isTransient else { continue }
                for object in try self.countable(resource, namespace, wanted) where match.isAbout(object, resource.type)
                {
                    for (name, amount) in QuotaUsage.of(object, resource.type, now: self.clock.now) {
                        used[name] = used[name].map { $0 + amount }
                    }
                }
            }
            var result = quota
            let texts = used.sorted { $0.key < $1.key }.map { ($0.key, JSON.string("\($0.value)")) }
            result["status"] = ["hard": quota[path: "spec", "hard"] ?? [:], "used": .object(JSONObject(texts))]
            return result
        }
    }

    /// The objects of a resource, where a quota bounds anything of it.
    private func countable(
        _ resource: Resource,
        _ namespace: String,
        _ wanted: [String: Quantity]
    ) throws(KubeStatus) -> [JSON] {
        let type = resource.type
        let count = "count/\(type.group.isEmpty ? type.plural : "\(type.plural).\(type.group)")"
        let isWanted = wanted.keys.contains { name in
            if name == count { return true }
            switch type {
            case .pods:
                return name == "pods" || Self.constrained.contains(name) || name.contains("ephemeral-storage")
                    || (name.hasPrefix("requests.") && name != "requests.storage")
            case .services: return name.hasPrefix("services")
            case .persistentVolumeClaims:
                return name == "persistentvolumeclaims" || name == "requests.storage" || name.contains(".storageclass.")
            default: return type.group.isEmpty && name == type.plural
            }
        }
        return isWanted ? try objects(resource, in: namespace) : []
    }

    /// Counts everything anew, against what crashes have left charged.
    func recountQuotas() async {
        guard let stored = try? log.list(prefix: Self.quotaPrefix).items else { return }
        for item in stored {
            guard let quota = try? StoredJSON.parse(item.value, as: nil) else { continue }
            await recountQuota(quota)
        }
    }
}
