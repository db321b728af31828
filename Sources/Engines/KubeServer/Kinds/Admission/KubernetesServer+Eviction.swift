// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

extension KubernetesServer {
    private static let evictionType = ResourceType(
        group: "policy",
        version: "v1",
        plural: "evictions",
        kind: "Eviction",
        isNamespaced: true
    )
    private static let evicted: JSON = [
        "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "code": 201,
    ]

    /// A delete that asks the pod's disruption budget first.
    func evictionResponse(_ call: Call, _ name: String) async throws(KubeStatus) -> APIResponse {
        let parameters = try WriteParameters(call, kind: "CreateOptions")
        let eviction = try BodyDecoder(call.resource, as: Self.evictionType, parameters.validation)
            .decode(call.request).object
        guard eviction[path: "metadata", "name"]?.string == name else {
            throw .badRequest("name in URL does not match name in Eviction object")
        }
        var deletion = try DeleteParameters(call.query, body: eviction["deleteOptions"])
        deletion.isDryRun = deletion.isDryRun || parameters.isDryRun
        let pod = try StoredJSON.parse(try find(call.resource, call.namespace, name).value, as: nil)
        if !Self.needsNoBudget(pod) {
            try await takeFromBudget(pod, call.namespace ?? "", name, isDryRun: deletion.isDryRun)
            if !deletion.isDryRun { try await markEvicted(call.resource, call.namespace, name) }
        }
        _ = try await delete(call.resource, call.namespace, name, deletion)
        return Self.response(Self.evicted, status: 201)
    }

    /// Pods that have ended, never ran or are on their way out disrupt nobody.
    private static func needsNoBudget(_ pod: JSON) -> Bool {
        let phase = pod[path: "status", "phase"]?.string ?? "Pending"
        return ["Succeeded", "Failed", "Pending"].contains(phase)
            || pod[path: "metadata", "deletionTimestamp"]?.string != nil
    }

    private func budgets(of pod: JSON, _ namespace: String) throws(KubeStatus) -> [JSON] {
        guard let resource = catalog.resource(of: .podDisruptionBudgets) else { return [] }
        let labels = pod[path: "metadata", "labels"]?.stringMap ?? [:]
        return try objects(resource, in: namespace).filter { budget in
            guard let selector = budget[path: "spec", "selector"].flatMap({ LabelSelector(json: $0) }) else {
                return false
            }
            return selector.matches(labels)
        }
    }

    private func takeFromBudget(
        _ pod: JSON,
        _ namespace: String,
        _ name: String,
        isDryRun: Bool
    ) async throws(KubeStatus) {
        let budgets = try budgets(of: pod, namespace)
        guard let budget = budgets.first else { return }
        guard budgets.count == 1 else {
            throw .fault(
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
            )
        }
        guard !Self.isUnhealthyAnyway(pod, budget), let resource = catalog.resource(of: .podDisruptionBudgets) else {
            return
        }
        var parameters = WriteParameters()
        parameters.client = "kube-apiserver"
        parameters.isDryRun = isDryRun
        let budgetName = budget[path: "metadata", "name"]?.string ?? ""
        let change = Change(
            resource: resource,
            namespace: namespace,
            name: budgetName,
            parameters: parameters,
            part: .status
        )
        let now = clock.now
        _ = try await apply(change) { (old) throws(KubeStatus) in
            var object = try Self.taken(old, for: name, now)
            object.set(nil, at: ["metadata", "resourceVersion"])
            return (object, [])
        }
    }

    /// A pod that is not ready does not count, where the budget says so or has enough healthy ones.
    private static func isUnhealthyAnyway(_ pod: JSON, _ budget: JSON) -> Bool {
        guard !KubeObject(pod).isReadyPod else { return false }
        if budget[path: "spec", "unhealthyPodEvictionPolicy"] == "AlwaysAllow" { return true }
        let desired = budget[path: "status", "desiredHealthy"]?.int ?? 0
        return desired > 0 && (budget[path: "status", "currentHealthy"]?.int ?? 0) >= desired
    }

    /// The budget with one disruption less; refused where there is none left.
    private static func taken(_ budget: JSON, for pod: String, _ now: Timestamp) throws(KubeStatus) -> JSON {
        let name = budget[path: "metadata", "name"]?.string ?? ""
        let status = budget["status"] ?? [:]
        func count(_ member: String) -> Int { status[member]?.int ?? 0 }
        guard count("observedGeneration") >= budget[path: "metadata", "generation"]?.int ?? 0 else {
            throw refusal("The disruption budget \(name) is still being processed by the server.", again: 10)
        }
        let allowed = count("disruptionsAllowed")
        guard allowed > 0 else {
            let condition = ConditionList(status)["DisruptionAllowed"]
            if condition?["status"] == "False", condition?["reason"] == "SyncFailed" {
                throw refusal(
                    "The disruption budget \(name) does not allow evicting pods currently because it failed sync: "
                        + "\(condition?["message"]?.string ?? "")"
                )
            }
            throw refusal(
                "The disruption budget \(name) needs \(count("desiredHealthy")) healthy pods and has "
                    + "\(count("currentHealthy")) currently"
            )
        }
        var result = budget
        result.set(JSON(allowed - 1), at: ["status", "disruptionsAllowed"])
        result.set(.string(now.description), at: ["status", "disruptedPods", pod])
        if allowed == 1 {
            Conditions.set(
                &result,
                "DisruptionAllowed",
                isTrue: false,
                reason: "InsufficientPods",
                message: "",
                now: now
            )
        }
        return result
    }

    private static func refusal(_ why: String, again seconds: Int = 0) -> KubeStatus {
        KubeStatus(
            code: 429,
            reason: "TooManyRequests",
            message: "Cannot evict pod as it would violate the pod's disruption budget.",
            causes: [KubeStatus.Cause(reason: "DisruptionBudget", message: why)],
            details: seconds == 0 ? [:] : ["retryAfterSeconds": JSON(seconds)]
        )
    }

    /// The pod says why it goes.
    private func markEvicted(_ resource: Resource, _ namespace: String?, _ name: String) async throws(KubeStatus) {
        var parameters = WriteParameters()
        parameters.client = "kube-apiserver"
        let change = Change(resource: resource, namespace: namespace, name: name, parameters: parameters, part: .status)
        let now = clock.now
        _ = try await apply(change) { (old) throws(KubeStatus) in
            var pod = old
            pod.set(nil, at: ["metadata", "resourceVersion"])
            Conditions.set(
                &pod,
                "DisruptionTarget",
                isTrue: true,
                reason: "EvictionByEvictionAPI",
                message: "Eviction API: evicting",
                now: now
            )
            return (pod, [])
        }
    }
}
