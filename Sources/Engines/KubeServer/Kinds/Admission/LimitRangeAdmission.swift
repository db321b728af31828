// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Holds new pods and claims to the LimitRanges of their namespace.
struct LimitRangeAdmission {
    private static let mark = "kubernetes.io/limit-ranger"

    let ranges: [JSON]

    private func limits(of types: String...) -> [JSON] {
        ranges.flatMap { $0[path: "spec", "limits"]?.array ?? [] }.filter { types.contains($0["type"]?.string ?? "") }
    }

    // MARK: - What is given unasked

    /// Gives the containers what they do not ask for themselves, and says so in an annotation.
    func fill(_ pod: inout JSON) {
        for range in ranges {
            var (limits, requests): (JSONObject, JSONObject) = ([:], [:])
            for limit in range[path: "spec", "limits"]?.array ?? [] where limit["type"] == "Container" {
                for (name, amount) in limit["default"]?.object ?? [:] { limits[name] = amount }
                for (name, amount) in limit["defaultRequest"]?.object ?? [:] { requests[name] = amount }
            }
            var notes: [String] = []
            for (member, kind) in [("containers", "container"), ("initContainers", "init container")] {
                guard var containers = pod[path: "spec", member]?.array else { continue }
                for place in containers.indices {
                    notes += Self.fill(&containers[place], kind, limits: limits, requests: requests)
                }
                pod.set(.array(containers), at: ["spec", member])
            }
            guard !notes.isEmpty else { continue }
            let text = "LimitRanger plugin set: " + notes.joined(separator: "; ")
            pod.set(.string(text), at: ["metadata", "annotations", Self.mark])
        }
    }

    private static func fill(
        _ container: inout JSON,
        _ kind: String,
        limits: JSONObject,
        requests: JSONObject
    ) -> [String] {
        let name = container["name"]?.string ?? ""
        var notes: [String] = []
        for (member, amounts, word) in [("limits", limits, "limit"), ("requests", requests, "request")] {
            var present = container[path: "resources", member]?.object ?? [:]
            let added = amounts.filter { present[$0.key] == nil }
            guard !added.isEmpty else { continue }
            for (key, amount) in added { present[key] = amount }
            container.set(JSON.object(present).sortedByKey, at: ["resources", member])
            let names = added.map(\.key).sorted().joined(separator: ", ")
            notes.append("\(names) \(word) for \(kind) \(name)")
        }
        return notes.reversed()  // requests are told of first
    }

    // MARK: - What is refused

    /// Why the pod may not be: all objections, in the real server's words.
    func problems(ofPod pod: JSON) -> [String] {
        var problems: [String] = []
        let members = ["containers", "initContainers"]
        let containers = members.flatMap { pod[path: "spec", $0]?.array ?? [] }
        let object = KubeObject(pod)
        for range in ranges {
            for limit in range[path: "spec", "limits"]?.array ?? [] {
                switch limit["type"]?.string {
                case "Container":
                    for container in containers {
                        let resources = container["resources"]
                        let requests = ResourceNames.amounts(resources?["requests"])
                        let limits = ResourceNames.amounts(resources?["limits"])
                        problems += Check("Container", limit, requests, limits).problems
                    }
                case "Pod":
                    let requests = ResourceDemand(pod: object).amounts
                    let limits = ResourceDemand(pod: object, of: "limits").amounts
                    problems += Check("Pod", limit, requests, limits).problems
                default: continue
                }
            }
        }
        return problems
    }

    func problems(ofClaim claim: JSON) -> [String] {
        let requests = ResourceNames.amounts(claim[path: "spec", "resources", "requests"])
        return limits(of: "PersistentVolumeClaim").flatMap { limit in
            Check("PersistentVolumeClaim", limit, requests, [:]).problemsOfClaim
        }
    }

    static func text(_ problems: [String]) -> String {
        problems.count == 1 ? problems[0] : "[\(problems.joined(separator: ", "))]"
    }
}

/// One item of a LimitRange against what one thing asks for.
private struct Check {
    let type: String
    let limit: JSON
    let requests: [String: Quantity]
    let limits: [String: Quantity]

    init(_ type: String, _ limit: JSON, _ requests: [String: Quantity], _ limits: [String: Quantity]) {
        self.type = type
        self.limit = limit
        self.requests = requests
        self.limits = limits
    }

    private func bounds(_ member: String) -> [(name: String, amount: Quantity)] {
        ResourceNames.amounts(limit[member]).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    var problems: [String] {
        bounds("min").compactMap { minimum($0.name, $0.amount) }
            + bounds("max").compactMap { maximum($0.name, $0.amount) }
            + bounds("maxLimitRequestRatio").compactMap { ratio($0.name, $0.amount) }
    }

    var problemsOfClaim: [String] {
        bounds("min").compactMap { minimum($0.name, $0.amount) }
            + bounds("max").compactMap { name, bound in
                let lead = "maximum \(name) usage per \(type) is \(bound)"
                guard let request = requests[name] else { return "\(lead).  No request is specified" }
                return request > bound ? "\(lead), but request is \(request)" : nil
            }
    }

    private func minimum(_ name: String, _ bound: Quantity) -> String? {
        let lead = "minimum \(name) usage per \(type) is \(bound)"
        guard let request = requests[name] else { return "\(lead).  No request is specified" }
        if request < bound { return "\(lead), but request is \(request)" }
        if let limit = limits[name], limit < bound { return "\(lead), but limit is \(limit)" }
        return nil
    }

    private func maximum(_ name: String, _ bound: Quantity) -> String? {
        let lead = "maximum \(name) usage per \(type) is \(bound)"
        guard let limit = limits[name] else { return "\(lead).  No limit is specified" }
        if limit > bound { return "\(lead), but limit is \(limit)" }
        if let request = requests[name], request > bound { return "\(lead), but request is \(request)" }
        return nil
    }

    private func ratio(_ name: String, _ bound: Quantity) -> String? {
        let lead = "\(name) max limit to request ratio per \(type) is \(bound), but"
        guard let request = requests[name], request.nanos != 0 else {
            return "\(lead) no request is specified or request is 0"
        }
        guard let limit = limits[name], limit.nanos != 0 else { return "\(lead) no limit is specified or limit is 0" }
        let ratio = Double(limit.nanos) / Double(request.nanos)
        guard ratio > Double(bound.nanos) / 1e9 else { return nil }
        return "\(lead) provided ratio is \(GoText.fixed(ratio))"
    }
}
