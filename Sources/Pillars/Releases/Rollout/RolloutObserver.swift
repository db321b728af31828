// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Follows one app's rollout in a cluster and gives a fresh view at each change.
actor RolloutObserver {
    private let cluster: any ClusterAPI
    private let app: App
    private var pullMessages: [String: String] = [:]

    init(cluster: any ClusterAPI, app: App) {
        self.cluster = cluster
        self.app = app
    }

    /// The next view: at once the first time (`nil`), then at a change or when the time is over.
    func next(before limit: Duration?) async throws -> RolloutView {
        if let limit { try await change(within: limit) }
        return try await view()
    }

    private var selector: LabelSelector { LabelSelector(matching: [AppObjects.selectorLabel: app.name.text]) }

    private func query(_ type: ResourceType) -> ListQuery {
        ListQuery(type, namespace: app.namespace.text, labelSelector: selector)
    }

    private var versions: [ResourceType: ResourceVersion] = [:]

    private func view() async throws -> RolloutView {
        let deployments = try await list(.deployments)
        let sets = try await list(.replicaSets)
        let pods = try await list(.pods)
        for pod in pods { rememberPullMessage(pod) }
        let deployment = deployments.first { $0.name == app.name.text }
        let events = try await events(of: pods)
        return RolloutView(
            deployment: deployment,
            replicaSets: sets,
            pods: pods,
            events: events,
            pullMessages: pullMessages
        )
    }

    private func list(_ type: ResourceType) async throws -> [KubeObject] {
        let page = try await cluster.list(query(type))
        versions[type] = page.resourceVersion
        return page.items
    }

    private func events(of pods: [KubeObject]) async throws -> [String: [RolloutView.Event]] {
        guard pods.contains(where: { $0.condition("Ready")?["status"]?.string != "True" }) else { return [:] }
        let page = try await cluster.list(
            ListQuery(.events, namespace: app.namespace.text, fieldSelector: "involvedObject.kind=Pod")
        )
        let names = Set(pods.map(\.name))
        var events: [String: [RolloutView.Event]] = [:]
        for event in page.items {
            guard let pod = event["involvedObject"]?["name"]?.string, names.contains(pod) else { continue }
            events[pod, default: []].append(
                RolloutView.Event(reason: event["reason"]?.string ?? "", message: event["message"]?.string ?? "")
            )
        }
        return events
    }

    private func rememberPullMessage(_ pod: KubeObject) {
        for status in pod.status["containerStatuses"]?.array ?? [] {
            guard let waiting = status[path: "state", "waiting"], waiting["reason"]?.string == "ErrImagePull",
                let message = waiting["message"]?.string
            else { continue }
            pullMessages[pod.name] = pullMessages[pod.name] ?? message
        }
    }

    /// Waits for the first change of what the view shows. A broken watch counts as a change: the view is read anew.
    private func change(within limit: Duration) async throws {
        let watched = versions
        let cluster = cluster
        let queries = watched.keys.map { ($0, query($0)) }
        await withTaskGroup(of: Void.self) { group in
            for (type, query) in queries {
                guard let version = watched[type] else { continue }
                group.addTask {
                    guard let stream = try? await cluster.watch(query, after: version) else { return }
                    do {
                        for try await event in stream {
                            if case .bookmark = event { continue }
                            return
                        }
                    } catch {
                        return
                    }
                }
            }
            group.addTask { try? await Task.sleep(for: max(limit, .milliseconds(20))) }
            await group.next()
            group.cancelAll()
        }
        try Task.checkCancellation()
    }

    /// What the container at fault said last; empty where it cannot be asked.
    func lastLines(of diagnosis: Diagnosis) async -> [String] {
        guard let pod = diagnosis.pod, let container = diagnosis.container, diagnosis.code.rawValue / 100 == 2 else {
            return []
        }
        for isPrevious in [true, false] {
            var options = LogOptions(container: container)
            options.isPrevious = isPrevious
            options.tailLines = 10
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
