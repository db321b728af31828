// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Synchronization

/// Sizes what autoscalers name by what its pods use.
struct AutoscalerController: Reconciler {
    let context: ControllerContext
    let name = "horizontal-pod-autoscaler"
    private let memory = AutoscalerMemory()

    private static let period = Duration.seconds(15)

    init(context: ControllerContext) { self.context = context }

    private var mirrors: ClusterMirrors { context.mirrors }
    private var api: any ClusterAPI { context.writer.api }

    var triggers: [Trigger] {
        [
            Trigger(mirrors.autoscalers) { change in
                // Its own writes of the status do not count.
                if case .updated(let autoscaler, let before) = change, autoscaler.spec == before.spec { return [] }
                return [ObjectName(change.object)]
            }
        ]
    }

    func reconcile(_ name: ObjectName) async throws -> Duration? {
        guard let autoscaler = mirrors.autoscalers[name], !autoscaler.isTerminating else {
            memory.forget(name)
            return nil
        }
        var run = AutoscalerRun(autoscaler, history: memory[name], at: context.clock.now)
        let scale = await scale(of: autoscaler, &run)
        if let scale {
            run.start(scale)
            if run.needsMetrics {
                for metric in autoscaler.spec["metrics"]?.array ?? [] { await propose(metric, scale, &run) }
            }
            run.decide()
            if run.desired != run.current { await resize(scale, &run) }
        }
        memory[name] = run.history
        for event in run.events {
            context.events.record(event.severity, event.reason, event.message, on: autoscaler, by: self.name)
        }
        try await context.writer.setStatus(run.status, of: autoscaler, as: .horizontalPodAutoscalers)
        return Self.period
    }

    // MARK: - The target

    private func target(of autoscaler: KubeObject) throws -> ObjectReference {
        let reference = autoscaler.spec["scaleTargetRef"] ?? [:]
        let version = reference["apiVersion"]?.string ?? ""
        let kind = reference["kind"]?.string ?? ""
        let name = reference["name"]?.string ?? ""
        let known: [ResourceType] = [.deployments, .replicaSets, .statefulSets]
        if let type = known.first(where: { $0.kind == kind && $0.apiVersion == version }) {
            return ObjectReference(type, namespace: autoscaler.namespace, name: name)
        }
        let parts = version.split(separator: "/").map(String.init)
        let definition = mirrors.definitions.objects.first {
            $0.spec["group"]?.string == parts.first && $0.spec["names"]?["kind"]?.string == kind
        }
        guard parts.count == 2, let plural = definition?.spec["names"]?["plural"]?.string else {
            throw Failure(.notFound, "no matches for kind \"\(kind)\" in group \"\(parts.first ?? "")\"")
        }
        let type = ResourceType(group: parts[0], version: parts[1], plural: plural, kind: kind, isNamespaced: true)
        return ObjectReference(type, namespace: autoscaler.namespace, name: name)
    }

    private func scale(of autoscaler: KubeObject, _ run: inout AutoscalerRun) async -> KubeObject? {
        do {
            return try await api.get(try target(of: autoscaler), subresource: "scale")
        } catch {
            run.lostScale((error as? Failure)?.message ?? "\(error)")
            return nil
        }
    }

    private func resize(_ scale: KubeObject, _ run: inout AutoscalerRun) async {
        do {
            let target = try target(of: run.autoscaler)
            for attempt in 0... {
                var wanted = attempt == 0 ? scale : try await api.get(target, subresource: "scale")
                wanted.json.set(JSON(run.desired), at: ["spec", "replicas"])
                do {
                    _ = try await api.update(wanted, as: target.type, subresource: "scale", options: WriteOptions())
                    return run.resized()
                } catch let failure as Failure where failure.code == .conflict && attempt < 3 { continue }
            }
        } catch {
            run.couldNotResize((error as? Failure)?.message ?? "\(error)")
        }
    }

    // MARK: - Metrics

    private func propose(_ metric: JSON, _ scale: KubeObject, _ run: inout AutoscalerRun) async {
        let type = metric["type"]?.string ?? ""
        guard type == "Resource" || type == "ContainerResource" else {
            let text = "unable to get \(type.lowercased()) metric: no such metrics are served by this cluster"
            return run.propose(metric, failed: "FailedGet\(type)Metric", text)
        }
        let source = metric[type == "Resource" ? "resource" : "containerResource"] ?? [:]
        let resource = source["name"]?.string ?? ""
        let container = source["container"]?.string
        let goal = source["target"] ?? [:]
        let isShare = goal["averageUtilization"] != nil
        let kind = isShare ? "\(resource) utilization" : "\(resource) usage"
        do {
            guard let text = scale.status["selector"]?.string, !text.isEmpty else {
                return run.lacksSelector()
            }
            let selector = try LabelSelectorText.parse(text)
            let pods = mirrors.pods.objects(in: run.autoscaler.namespace ?? "").filter { selector.matches($0.labels) }
            let samples = try await samples(run.autoscaler.namespace, selector, resource, container)
            let target: MetricTarget =
                isShare
                ? .utilization(goal["averageUtilization"]?.int ?? 80)
                : .average((goal["averageValue"]?.string.flatMap { Quantity($0) } ?? Quantity(nanos: 0)).milliValue)
            let proposal = try ResourceProposal(
                resource,
                container: container,
                target: target,
                tolerance: run.tolerance,
                current: run.current,
                pods: pods,
                samples: samples,
                at: context.clock.now
            )
            run.propose(metric, proposal, resource: resource, container: container, isShare: isShare)
        } catch {
            let why = (error as? ResourceProposal.Problem)?.text ?? (error as? Failure)?.message ?? "\(error)"
            run.propose(metric, failed: "FailedGet\(type)Metric", "failed to get \(kind): \(why)")
        }
    }

    private func samples(
        _ namespace: String?,
        _ selector: LabelSelector,
        _ resource: String,
        _ container: String?
    ) async throws -> [String: PodSample] {
        let query = ListQuery(.podMetrics, namespace: namespace, labelSelector: selector)
        let items: [KubeObject]
        do {
            items = try await api.list(query).items
        } catch {
            let why = (error as? Failure)?.message ?? "\(error)"
            throw Failure(
                .unavailable,
                "unable to get metrics for resource \(resource): unable to fetch metrics from resource metrics API: \(why)"
            )
        }
        var samples: [String: PodSample] = [:]
        for item in items { samples[item.name] = PodSample(item, resource: resource, container: container) }
        guard !samples.isEmpty else {
            throw Failure(
                .unavailable,
                "unable to get metrics for resource \(resource): no metrics returned from resource metrics API"
            )
        }
        return samples
    }
}

/// What is remembered of each autoscaler, as long as the process lives.
private final class AutoscalerMemory: Sendable {
    private let known = Mutex<[ObjectName: AutoscalerHistory]>([:])

    subscript(_ name: ObjectName) -> AutoscalerHistory? {
        get { known.withLock { $0[name] } }
        set { known.withLock { $0[name] = newValue } }
    }

    func forget(_ name: ObjectName) { known.withLock { $0[name] = nil } }
}
