// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Synchronization

/// What the pods of the newest revision say of themselves: containers that ended, and readiness probes that fail.
///
/// For one verification: what had ended before its first reading does not count.
final class PodSignals: ReleaseSignals {
    private let cluster: any ClusterAPI
    /// Restarts by pod and container as of the first reading; pods that came later count from 0.
    private let baseline = Mutex<[String: Int]?>(nil)

    init(cluster: any ClusterAPI) { self.cluster = cluster }

    var kinds: Set<ReleaseSignal.Kind> { [.restarts, .unready] }

    func read(
        _ kinds: Set<ReleaseSignal.Kind>,
        of subject: ReleaseSubject,
        since start: Timestamp
    ) async throws -> [ReleaseSignal] {
        let pods = try await newPods(of: subject)
        return [restarts(pods), unready(pods)].filter { kinds.contains($0.kind) }
    }

    private func newPods(of subject: ReleaseSubject) async throws -> [KubeObject] {
        let (namespace, labels) = (
            subject.namespace.text, LabelSelector(matching: [AppObjects.selectorLabel: subject.app.text])
        )
        let reference = ObjectReference(.deployments, namespace: namespace, name: subject.workload)
        let deployment = try await cluster.get(reference)
        let sets = try await cluster.list(ListQuery(.replicaSets, namespace: namespace, labelSelector: labels))
        let pods = try await cluster.list(ListQuery(.pods, namespace: namespace, labelSelector: labels))
        return Self.newest(of: deployment, sets.items, pods.items)
    }

    /// Those of the newest replica set; none before the controller has seen the newest template.
    private static func newest(of deployment: KubeObject, _ sets: [KubeObject], _ pods: [KubeObject]) -> [KubeObject] {
        let key = "deployment.kubernetes.io/revision"
        func revision(_ set: KubeObject) -> Int { set.annotations[key].flatMap { Int($0) } ?? 0 }
        guard (deployment.status["observedGeneration"]?.int ?? 0) >= deployment.generation else { return [] }
        let own = sets.filter { $0.controller?["uid"]?.string == deployment.uid }
        guard let newest = own.max(by: { revision($0) < revision($1) }) else { return [] }
        return pods.filter { $0.controller?["uid"]?.string == newest.uid && !$0.isTerminating }
    }

    private func restarts(_ pods: [KubeObject]) -> ReleaseSignal {
        var counts: [String: Int] = [:]
        var details: [String: String] = [:]
        for pod in pods {
            for status in pod.status["containerStatuses"]?.array ?? [] {
                let name = status["name"]?.string ?? ""
                let key = "\(pod.uid)/\(name)"
                let isDown = status[path: "state", "terminated"] != nil
                // A container that has ended and waits for its restart counts already.
                counts[key] = (status["restartCount"]?.int ?? 0) + (isDown ? 1 : 0)
                details[key] = "the container '\(name)' of \(pod.name) \(Self.end(of: status))"
            }
        }
        let first = baseline.withLock { baseline in
            baseline = baseline ?? counts
            return baseline ?? [:]
        }
        let new = counts.mapValues { $0 }.reduce(into: [String: Int]()) { sum, entry in
            let more = entry.value - (first[entry.key] ?? 0)
            if more > 0 { sum[entry.key] = more }
        }
        let worst = new.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
        return ReleaseSignal(
            .restarts,
            value: Double(new.values.reduce(0, +)),
            samples: counts.count,
            detail: worst.flatMap { details[$0] } ?? ""
        )
    }

    /// How it ended last, in words.
    private static func end(of status: JSON) -> String {
        let last = status[path: "state", "terminated"] ?? status[path: "lastState", "terminated"]
        if last?["reason"]?.string == "OOMKilled" { return "ran out of memory" }
        guard let code = last?["exitCode"]?.int else { return "was restarted" }
        return "ended with exit code \(code)"
    }

    private func unready(_ pods: [KubeObject]) -> ReleaseSignal {
        let down = pods.filter { !PodWords.isReady($0) }
        let names = down.map { "\($0.name) (\(PodWords.trouble(of: $0) ?? "not ready"))" }
        let verb = down.count == 1 ? "is" : "are"
        return ReleaseSignal(
            .unready,
            value: Double(down.count),
            samples: pods.count,
            detail: "\(down.count) of \(pods.count) new pods \(verb) no longer ready: \(names.joined(separator: ", "))"
        )
    }
}
