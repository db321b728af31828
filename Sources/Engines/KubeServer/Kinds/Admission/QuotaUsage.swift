// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What an object takes of the quotas of its namespace.
enum QuotaUsage {
    private static let computed = ["cpu", "memory", "ephemeral-storage"]

    /// The amounts by the names under which quotas bound them; empty for what is not counted.
    static func of(_ object: JSON, _ type: ResourceType, now: Timestamp) -> [String: Quantity] {
        guard type.plural != "events" else { return [:] }
        var usage: [String: Quantity] = [
            "count/\(type.group.isEmpty ? type.plural : "\(type.plural).\(type.group)")": one
        ]
        switch type {
        case .pods: if isLive(object, now) { addPod(object, &usage) }
        case .services: addService(object, &usage)
        case .persistentVolumeClaims: addClaim(object, &usage)
        case .secrets, .configMaps, .resourceQuotas: usage[type.plural] = one
        default: break
        }
        return usage
    }

    private static let one = Quantity(nanos: 1_000_000_000)
    private static func whole(_ count: Int) -> Quantity { Quantity(nanos: Int128(count) * 1_000_000_000) }

    /// Pods that have ended, or should have by now, hold nothing any more.
    private static func isLive(_ pod: JSON, _ now: Timestamp) -> Bool {
        let phase = pod[path: "status", "phase"]?.string
        if phase == "Succeeded" || phase == "Failed" { return false }
        guard let text = pod[path: "metadata", "deletionTimestamp"]?.string, let end = Timestamp(text),
            pod[path: "metadata", "deletionGracePeriodSeconds"]?.int != nil
        else { return true }
        return now <= end
    }

    private static func addPod(_ pod: JSON, _ usage: inout [String: Quantity]) {
        usage["pods"] = one
        let object = KubeObject(pod)
        for (name, amount) in ResourceDemand(pod: object).amounts {
            if computed.contains(name) || ResourceNames.isHugePages(name) { usage[name] = amount }
            usage["requests.\(name)"] = amount
        }
        for (name, amount) in ResourceDemand(pod: object, of: "limits").amounts where computed.contains(name) {
            usage["limits.\(name)"] = amount
        }
    }

    private static func addService(_ service: JSON, _ usage: inout [String: Quantity]) {
        usage["services"] = one
        let ports = service[path: "spec", "ports"]?.array ?? []
        switch service[path: "spec", "type"]?.string {
        case "NodePort": usage["services.nodeports"] = whole(ports.count)
        case "LoadBalancer":
            let isAllocated = service[path: "spec", "allocateLoadBalancerNodePorts"]?.bool ?? true
            let count = isAllocated ? ports.count : ports.count { $0["nodePort"]?.int ?? 0 != 0 }
            usage["services.nodeports"] = whole(count)
            usage["services.loadbalancers"] = one
        default: break
        }
    }

    private static func addClaim(_ claim: JSON, _ usage: inout [String: Quantity]) {
        usage["persistentvolumeclaims"] = one
        let storage = ResourceNames.amounts(claim[path: "spec", "resources", "requests"])["storage"]
        usage["requests.storage"] = storage
        let annotated = claim[path: "metadata", "annotations", "volume.beta.kubernetes.io/storage-class"]?.string
        guard let name = annotated ?? claim[path: "spec", "storageClassName"]?.string, !name.isEmpty else { return }
        usage["\(name).storageclass.storage.k8s.io/persistentvolumeclaims"] = one
        usage["\(name).storageclass.storage.k8s.io/requests.storage"] = storage
    }
}

/// One quota against one object.
struct QuotaMatch {
    let quota: JSON

    var name: String { quota[path: "metadata", "name"]?.string ?? "" }
    var hard: [String: Quantity] { ResourceNames.amounts(quota[path: "status", "hard"]) }
    var wanted: [String: Quantity] { ResourceNames.amounts(quota[path: "spec", "hard"]) }

    /// Whether the quota's scopes take in the object.
    func isAbout(_ object: JSON, _ type: ResourceType) -> Bool {
        let plain = (quota[path: "spec", "scopes"]?.array ?? []).compactMap(\.string).map { ($0, "Exists", [String]()) }
        let terms = (quota[path: "spec", "scopeSelector", "matchExpressions"]?.array ?? []).map { term in
            (
                term["scopeName"]?.string ?? "", term["operator"]?.string ?? "Exists",
                (term["values"]?.array ?? []).compactMap(\.string)
            )
        }
        let all = plain + terms
        guard !all.isEmpty else { return true }
        guard type == .pods else { return false }
        return all.allSatisfy { Self.holds($0.0, $0.1, $0.2, of: object) }
    }

    private static func holds(_ scope: String, _ verb: String, _ values: [String], of pod: JSON) -> Bool {
        switch scope {
        case "Terminating": return (pod[path: "spec", "activeDeadlineSeconds"]?.int ?? -1) >= 0
        case "NotTerminating": return (pod[path: "spec", "activeDeadlineSeconds"]?.int ?? -1) < 0
        case "BestEffort": return PodQuality.isBestEffort(pod)
        case "NotBestEffort": return !PodQuality.isBestEffort(pod)
        case "PriorityClass":
            let name = pod[path: "spec", "priorityClassName"]?.string ?? ""
            switch verb {
            case "In": return values.contains(name)
            case "NotIn": return !values.contains(name)
            case "DoesNotExist": return name.isEmpty
            default: return !name.isEmpty
            }
        case "CrossNamespacePodAffinity": return reachesOtherNamespaces(pod)
        default: return false
        }
    }

    private static func reachesOtherNamespaces(_ pod: JSON) -> Bool {
        ["podAffinity", "podAntiAffinity"].contains { member in
            let affinity = pod[path: "spec", "affinity", member] ?? [:]
            let required = affinity["requiredDuringSchedulingIgnoredDuringExecution"]?.array ?? []
            let preferred = (affinity["preferredDuringSchedulingIgnoredDuringExecution"]?.array ?? [])
                .compactMap { $0["podAffinityTerm"] }
            return (required + preferred).contains {
                $0["namespaces"]?.array?.isEmpty == false || $0["namespaceSelector"] != nil
            }
        }
    }
}

/// Whether a pod asks for anything at all.
enum PodQuality {
    static func isBestEffort(_ pod: JSON) -> Bool {
        let containers = ["containers", "initContainers"].flatMap { pod[path: "spec", $0]?.array ?? [] }
        let all = containers.compactMap { $0["resources"] } + [pod[path: "spec", "resources"]].compactMap { $0 }
        return !all.contains { resources in
            ["requests", "limits"].contains { member in
                ResourceNames.amounts(resources[member]).contains {
                    ["cpu", "memory"].contains($0.key) && $0.value.nanos > 0
                }
            }
        }
    }
}
