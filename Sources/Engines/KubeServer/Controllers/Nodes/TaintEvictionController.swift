// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Synchronization

/// Removes pods from nodes with NoExecute taints that they do not tolerate, or no longer tolerate.
struct TaintEvictionController: Reconciler {
    let context: ControllerContext
    let name = "taint-eviction-controller"
    private let seen = FirstSeen()

    /// Since when a pod has been under taints. Taints tell no time, as clients set them.
    private final class FirstSeen: Sendable {
        private let times = Mutex<[String: Timestamp]>([:])

        func time(of pod: String, now: Timestamp) -> Timestamp {
            times.withLock { times in
                let time = times[pod] ?? now
                times[pod] = time
                return time
            }
        }

        func forget(_ pod: String) { times.withLock { $0[pod] = nil } }
    }

    init(context: ControllerContext) { self.context = context }

    private var mirrors: ClusterMirrors { context.mirrors }

    var triggers: [Trigger] {
        [
            Trigger(mirrors.pods) { [seen] change in
                if case .deleted(let pod) = change { seen.forget(pod.uid) }
                return [ObjectName(change.object)]
            },
            Trigger(mirrors.nodes) { [mirrors] change in
                guard change.versions.contains(where: { !Self.taints(of: $0).isEmpty }) else { return [] }
                return mirrors.pods.objects.filter { $0.nodeName == change.object.name }.map { ObjectName($0) }
            },
        ]
    }

    func reconcile(_ name: ObjectName) async throws -> Duration? {
        guard let pod = mirrors.pods[name], !pod.nodeName.isEmpty, !pod.isTerminating,
            let node = mirrors.nodes[ObjectName(name: pod.nodeName)]
        else { return nil }
        let taints = Self.taints(of: node)
        guard !taints.isEmpty else {
            seen.forget(pod.uid)
            return nil
        }
        let since = seen.time(of: pod.uid, now: context.clock.now)
        guard let patience = NodeFit(pod).patience(with: taints) else { return nil }
        let left = since + patience - context.clock.now
        guard left <= .zero else { return left }
        try await evict(pod)
        return nil
    }

    private func evict(_ pod: KubeObject) async throws {
        let text = "Marking for deletion Pod \(pod.namespace ?? "")/\(pod.name)"
        context.events.record(.normal, "TaintManagerEviction", text, on: pod, by: name)
        let reference = ObjectReference(.pods, namespace: pod.namespace, name: pod.name)
        do {
            try await context.writer.api.delete(reference, options: DeleteOptions(uid: pod.uid))
        } catch let failure as Failure where failure.code == .notFound {}
    }

    private static func taints(of node: KubeObject) -> [JSON] {
        (node.spec["taints"]?.array ?? []).filter { $0["effect"]?.string == "NoExecute" }
    }
}

extension NodeFit {
    /// How long the pod may stay under these taints: `nil` for ever, zero where it does not tolerate one of them.
    func patience(with taints: [JSON]) -> Duration? {
        var shortest: Duration?
        for taint in taints {
            let tolerating = tolerations(of: taint)
            guard !tolerating.isEmpty else { return .zero }
            for seconds in tolerating.compactMap({ $0["tolerationSeconds"]?.int }) {
                shortest = min(shortest ?? .seconds(seconds), .seconds(max(0, seconds)))
            }
        }
        return shortest
    }
}
