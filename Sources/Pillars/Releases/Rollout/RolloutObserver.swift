// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Synchronization

/// Follows one app's rollout in a cluster and shows it at each change.
///
/// Nothing is lost between a list and its watch, an expired watch lists anew, and a cluster that does not answer is asked
/// again until the caller has seen enough.
final class RolloutObserver: Sendable {
    /// What a look shows.
    struct Look: Sendable {
        /// `nil` until everything was listed once.
        var view: RolloutView?
        /// The last thing that went wrong in asking the cluster, and when.
        var trouble: (failure: Failure, at: Timestamp)?
    }

    private struct Notes {
        var trouble: (failure: Failure, at: Timestamp)?
        var pullMessages: [String: String] = [:]
    }

    private let app: App
    private let cluster: any ClusterAPI
    private let clock: WallClock
    private let sleeper: any Clock<Duration>
    private let notes = Mutex(Notes())

    init(cluster: any ClusterAPI, app: App, clock: WallClock, sleeper: any Clock<Duration>) {
        self.cluster = cluster
        self.app = app
        self.clock = clock
        self.sleeper = sleeper
    }

    /// Calls `decide` at each change, and at each second because time is a change too, until it returns a value.
    func follow<Value: Sendable>(_ decide: (Look) async throws -> Value?) async throws -> Value {
        let (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let labels = LabelSelector(matching: [AppObjects.selectorLabel: app.name.text])
        let deployments = mirror(.deployments, fields: "metadata.name=\(app.name)", signal)
        let sets = mirror(.replicaSets, labels, signal)
        let pods = mirror(.pods, labels, signal)
        let events = mirror(.events, fields: "involvedObject.kind=Pod", signal, isEssential: false)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            for mirror in [deployments, sets, pods, events] {
                group.addTask { await mirror.run() }
                group.addTask {
                    await mirror.waitUntilSynced()
                    signal.yield()
                    for await _ in mirror.changes() { signal.yield() }
                }
            }
            group.addTask { [sleeper] in
                while true {
                    signal.yield()
                    try await sleeper.sleep(for: .seconds(1))
                }
            }
            for await _ in signals {
                var look = Look(trouble: notes.withLock(\.trouble))
                if [deployments, sets, pods].allSatisfy(\.isSynced) {
                    look.view = view(deployments.objects.first, sets.objects, pods.objects, events.objects)
                }
                if let value = try await decide(look) { return value }
            }
            throw CancellationError()
        }
    }

    private func mirror(
        _ type: ResourceType,
        _ labels: LabelSelector = LabelSelector(),
        fields: String = "",
        _ signal: AsyncStream<Void>.Continuation,
        isEssential: Bool = true
    ) -> ObjectMirror {
        ObjectMirror(
            ListQuery(type, namespace: app.namespace.text, labelSelector: labels, fieldSelector: fields),
            of: cluster,
            clock: sleeper,
            backoff: BackoffSchedule(first: .milliseconds(200), limit: .seconds(5)),
            onFailure: { [weak self, clock] error, _ in
                guard isEssential else { return }
                let failure = error as? Failure ?? Failure(.fault, ErrorWords.text(of: error))
                self?.notes.withLock { $0.trouble = (failure, clock.now) }
                signal.yield()
            }
        )
    }

    private func view(
        _ deployment: KubeObject?,
        _ sets: [KubeObject],
        _ pods: [KubeObject],
        _ events: [KubeObject]
    ) -> RolloutView {
        let events = told(events, of: Set(pods.map(\.name)))
        let messages = notes.withLock { notes in
            for pod in pods where notes.pullMessages[pod.name] == nil {
                notes.pullMessages[pod.name] = Self.pullMessage(pod, events[pod.name] ?? [])
            }
            return notes.pullMessages
        }
        return RolloutView(
            deployment: deployment,
            replicaSets: sets,
            pods: pods,
            events: events,
            pullMessages: messages
        )
    }

    /// The registry's own words. Once there is a back-off, the status says only that; the first event still has them.
    private static func pullMessage(_ pod: KubeObject, _ events: [RolloutView.Event]) -> String? {
        let statuses = ["initContainerStatuses", "containerStatuses"].flatMap { pod.status[$0]?.array ?? [] }
        for status in statuses {
            let waiting = status[path: "state", "waiting"]
            if waiting?["reason"]?.string == "ErrImagePull", let message = waiting?["message"]?.string {
                return message
            }
        }
        return events.first { $0.reason == "Failed" && $0.message.hasPrefix("Failed to pull image") }?.message
    }

    /// The pods' events by pod, oldest first.
    private func told(_ events: [KubeObject], of pods: Set<String>) -> [String: [RolloutView.Event]] {
        func time(_ event: KubeObject) -> String {
            // All of one form, so that text order is time order.
            event["lastTimestamp"]?.string ?? event["eventTime"]?.string ?? event.metadata["creationTimestamp"]?.string
                ?? ""
        }
        var byPod: [String: [(time: String, event: RolloutView.Event)]] = [:]
        for event in events {
            guard let pod = event["involvedObject"]?["name"]?.string, pods.contains(pod) else { continue }
            let told = RolloutView.Event(reason: event["reason"]?.string ?? "", message: event["message"]?.string ?? "")
            byPod[pod, default: []].append((time(event), told))
        }
        return byPod.mapValues { $0.sorted { $0.time < $1.time }.map(\.event) }
    }

    /// What the container at fault said last; empty where it cannot be asked.
    func lastLines(of diagnosis: Diagnosis) async -> [String] {
        guard let pod = diagnosis.pod, let container = diagnosis.container,
            [2, 3].contains(diagnosis.code.rawValue / 100)
        else { return [] }
        for isPrevious in [true, false] {
            var options = LogOptions(container: container)
            options.isPrevious = isPrevious
            options.tailLines = 10
            options.limitBytes = 64 << 10
            let reference = ObjectReference(.pods, namespace: app.namespace.text, name: pod)
            guard let stream = try? await cluster.logs(reference, options) else { continue }
            var bytes: [UInt8] = []
            do {
                for try await chunk in stream { bytes += chunk }
            } catch {
                continue
            }
            let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
            if !lines.isEmpty { return lines.suffix(10) }
        }
        return []
    }
}
