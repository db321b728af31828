// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Works out how many pods of each disruption budget may be taken away now.
struct BudgetController: Reconciler {
    let context: ControllerContext
    let name = "controllermanager"

    private var mirrors: ClusterMirrors { context.mirrors }
    private var writer: ClusterWriter { context.writer }

    var triggers: [Trigger] {
        let all: @Sendable (ObjectChange) -> [ObjectName] = { [mirrors] change in
            if case .updated(let object, let before) = change, object.spec == before.spec { return [] }
            return mirrors.budgets.objects(in: change.object.namespace ?? "").map { ObjectName($0) }
        }
        return [
            .each(mirrors.budgets),
            Trigger(mirrors.pods) { [mirrors] change in
                mirrors.budgets.objects(in: change.object.namespace ?? "")
                    .filter { budget in change.versions.contains { budget.coversPod($0) } }
                    .map { ObjectName($0) }
            },
            Trigger(mirrors.deployments, all), Trigger(mirrors.replicaSets, all), Trigger(mirrors.statefulSets, all),
        ]
    }

    func reconcile(_ name: ObjectName) async throws -> Duration? {
        guard let budget = mirrors.budgets[name], !budget.isTerminating else { return nil }
        let pods = mirrors.pods.objects(in: name.namespace).filter { budget.coversPod($0) }
        if pods.isEmpty { record(.normal, "NoPods", "No matching pods found", on: budget) }
        let demand: BudgetDemand
        do throws(BudgetDemand.Problem) {
            demand = try BudgetDemand(budget, pods: pods, owners: owners)
        } catch {
            let text = "Failed to calculate the number of expected pods: \(error.text)"
            record(.warning, "CalculateExpectedPodCountFailed", text, on: budget)
            try await fail(budget, error.text)
            return .seconds(60)
        }
        if demand.unmanaged > 0 { warnOfUnmanaged(budget) }
        let view = BudgetView(budget, pods: pods, demand: demand, at: context.clock.now)
        for pod in view.survivors {
            let text = "Pod was expected by PDB \(budget.namespace ?? "")/\(budget.name) to be deleted but it wasn't"
            record(.warning, "NotDeleted", text, on: pod)
        }
        try await writer.setStatus(view.status, of: budget, as: .podDisruptionBudgets)
        return view.nextLook
    }

    private func owners(_ pod: KubeObject) -> BudgetDemand.Owner? {
        guard let reference = pod.controller, let kind = reference["kind"]?.string,
            let name = reference["name"]?.string
        else { return nil }
        let place = ObjectName(namespace: pod.namespace, name: name)
        switch kind {
        case "ReplicaSet":
            guard let set = mirrors.replicaSets[place], set.uid == reference["uid"]?.string else { return nil }
            guard let above = set.controller, above["kind"] == "Deployment", let name = above["name"]?.string else {
                return BudgetDemand.Owner(uid: set.uid, replicas: set.replicas)
            }
            let deployment = mirrors.deployments[ObjectName(namespace: pod.namespace, name: name)]
            return deployment.map { BudgetDemand.Owner(uid: $0.uid, replicas: $0.replicas) }
        case "StatefulSet":
            guard let set = mirrors.statefulSets[place], set.uid == reference["uid"]?.string else { return nil }
            return BudgetDemand.Owner(uid: set.uid, replicas: set.replicas)
        default: return nil
        }
    }

    /// As long as the count is unknown nothing may be disrupted.
    private func fail(_ budget: KubeObject, _ problem: String) async throws {
        var status = budget.status
        status["disruptionsAllowed"] = 0
        status["observedGeneration"] = budget.metadata["generation"]
        var conditions = ConditionList(status)
        conditions.put(
            BudgetView.condition(
                isAllowed: false,
                "SyncFailed",
                problem,
                budget,
                conditions["DisruptionAllowed"],
                context.clock.now
            )
        )
        status["conditions"] = conditions.json
        try await writer.setStatus(status, of: budget, as: .podDisruptionBudgets)
    }

    private func warnOfUnmanaged(_ budget: KubeObject) {
        let selector = SelectorText.of(budget.spec["selector"]) ?? ""
        record(
            .warning,
            "UnmanagedPods",
            "Pods selected by this PodDisruptionBudget (selector: \(selector)) were found to be unmanaged. As a result, "
                + "the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account "
                + "for these pods please set \".spec.minAvailable\" field of the PDB to an integer value.",
            on: budget
        )
    }

    private func record(_ severity: EventRecorder.Severity, _ reason: String, _ message: String, on object: KubeObject)
    {
        context.events.record(severity, reason, message, on: object, by: name)
    }
}

extension KubeObject {
    /// A budget without a selector is about no pod, one with an empty selector about all.
    fileprivate func coversPod(_ pod: KubeObject) -> Bool {
        spec["selector"].flatMap { LabelSelector(json: $0) }?.matches(pod.labels) ?? false
    }
}

/// How many pods a budget expects, and how many of them are to stay healthy.
struct BudgetDemand: Sendable, Equatable {
    /// What brings pods back: its size counts, not how many pods are there.
    struct Owner: Sendable, Equatable {
        var uid: String
        var replicas: Int
    }

    struct Problem: Error { var text: String }

    private(set) var expected: Int
    private(set) var desired: Int
    /// Pods that nobody brings back.
    private(set) var unmanaged = 0

    init(_ budget: KubeObject, pods: [KubeObject], owners: (KubeObject) -> Owner?) throws(Problem) {
        let spec = budget.spec
        if let count = spec["minAvailable"]?.int {
            (expected, desired) = (pods.count, count)
            return
        }
        var sizes: [String: Int] = [:]
        var unmanaged = 0
        for pod in pods {
            guard pod.controller != nil else {
                unmanaged += 1
                continue
            }
            guard let owner = owners(pod) else { throw Problem(text: "found no controllers for pod \"\(pod.name)\"") }
            sizes[owner.uid] = owner.replicas
        }
        expected = sizes.values.reduce(0, +)
        self.unmanaged = unmanaged
        if let least = spec["minAvailable"] {
            desired = Self.count(least, of: expected)
        } else if let most = spec["maxUnavailable"] {
            desired = max(0, expected - Self.count(most, of: expected))
        } else {
            desired = 0
        }
    }

    /// Percentages round up.
    private static func count(_ amount: JSON, of whole: Int) -> Int {
        if let count = amount.int { return count }
        return (whole * (RolloutRules.amount(amount) ?? 0) + 99) / 100
    }
}

/// A budget's status, from its pods.
struct BudgetView: Sendable {
    /// So long an evicted pod may take to begin to go.
    static let patience = Duration.seconds(120)

    let status: JSON
    /// Pods that were evicted and are there all the same.
    let survivors: [KubeObject]
    let nextLook: Duration?

    init(_ budget: KubeObject, pods: [KubeObject], demand: BudgetDemand, at now: Timestamp) {
        var (disrupted, survivors, next): (JSONObject, [KubeObject], Duration?) = ([:], [], nil)
        let known = budget.status["disruptedPods"]?.object ?? [:]
        for pod in pods where !pod.isTerminating {
            guard let text = known[pod.name]?.string, let since = Timestamp(text) else { continue }
            let left = since + Self.patience - now
            guard left > .zero else {
                survivors.append(pod)
                continue
            }
            disrupted[pod.name] = .string(text)
            next = min(next ?? left, left)
        }
        let healthy = pods.count { !$0.isTerminating && $0.isReadyPod && disrupted[$0.name] == nil }
        let allowed = demand.expected > 0 ? max(0, healthy - demand.desired) : 0
        var status = budget.status
        status["disruptionsAllowed"] = JSON(allowed)
        status["currentHealthy"] = JSON(healthy)
        status["desiredHealthy"] = JSON(demand.desired)
        status["expectedPods"] = JSON(demand.expected)
        status["observedGeneration"] = budget.metadata["generation"]
        status["disruptedPods"] = disrupted.isEmpty ? JSON?.none : .object(disrupted)
        var conditions = ConditionList(status)
        conditions.put(
            Self.condition(
                isAllowed: allowed > 0,
                allowed > 0 ? "SufficientPods" : "InsufficientPods",
                "",
                budget,
                conditions["DisruptionAllowed"],
                now
            )
        )
        status["conditions"] = conditions.json
        self.status = status
        self.survivors = survivors
        nextLook = next
    }

    static func condition(
        isAllowed: Bool,
        _ reason: String,
        _ message: String,
        _ budget: KubeObject,
        _ before: JSON?,
        _ now: Timestamp
    ) -> JSON {
        let status: JSON = isAllowed ? "True" : "False"
        let since = before?["status"] == status ? before?["lastTransitionTime"] : nil
        var condition: JSON = ["type": "DisruptionAllowed", "status": status]
        condition["observedGeneration"] = budget.metadata["generation"]
        condition["lastTransitionTime"] = since ?? .string(now.description)
        condition["reason"] = .string(reason)
        condition["message"] = .string(message)
        return condition
    }
}
