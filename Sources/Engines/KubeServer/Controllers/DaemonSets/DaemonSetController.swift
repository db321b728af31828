// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Synchronization

/// Keeps one pod on every node that suits.
struct DaemonSetController: Reconciler {
    let context: ControllerContext
    let name = "daemonset-controller"
    private let patience = NodePatience()

    init(context: ControllerContext) { self.context = context }

    private var mirrors: ClusterMirrors { context.mirrors }
    private var writer: ClusterWriter { context.writer }

    var triggers: [Trigger] {
        [
            .each(mirrors.daemonSets), .owner("DaemonSet", of: mirrors.pods),
            Trigger(mirrors.pods) { [mirrors] change in
                let pod = change.object
                guard pod.controller == nil else { return [] }
                let wooers = mirrors.daemonSets.objects.filter { set in
                    set.namespace == pod.namespace && set.workloadSelector?.matches(pod.labels) == true
                }
                return wooers.map { ObjectName($0) }
            },
            Trigger(mirrors.nodes) { [mirrors] change in
                if case .updated(let node, let before) = change,
                    node.labels == before.labels, node.spec == before.spec
                {
                    return []
                }
                return mirrors.daemonSets.objects.map { ObjectName($0) }
            },
        ]
    }

    func reconcile(_ name: ObjectName) async throws -> Duration? {
        guard let set = mirrors.daemonSets[name] else { return nil }
        guard let selector = set.workloadSelector else {
            let text = "This daemon set is selecting all pods. A non-empty selector is required."
            record(.warning, "SelectingAll", text, on: set)
            return nil
        }
        guard !set.isTerminating else { return nil }
        let adoption = Adoption(context, owner: set, type: .daemonSets, selector: selector)
        let revisions = try await adoption.claim(
            from: mirrors.controllerRevisions,
            as: .controllerRevisions,
            isWanted: { _ in true }
        )
        let pods = try await adoption.claim(from: mirrors.pods, as: .pods, isWanted: { _ in true })
        let labels = set.spec[path: "template", "metadata", "labels"]?.stringMap ?? [:]
        let history = try await RevisionHistory(
            of: set,
            as: .daemonSets,
            among: revisions,
            labels: { labels.merging([DaemonSetView.hashLabel: $0]) { _, new in new } },
            writer: writer
        )
        let hash = history.update.labels[DaemonSetView.hashLabel] ?? ""
        func view(_ pods: [KubeObject]) -> DaemonSetView {
            DaemonSetView(set, hash: hash, nodes: mirrors.nodes.objects, pods: pods, at: context.clock.now)
        }
        let failure = await work(view(pods))
        let present = mirrors.pods.objects(controlledBy: set.uid)
        let status = view(present).status(history.collisions)
        try await writer.setStatus(status, of: mirrors.daemonSets[name] ?? set, as: .daemonSets)
        let used = Set(present.compactMap { $0.labels[DaemonSetView.hashLabel] })
        let live = history.all.filter { used.contains($0.labels[DaemonSetView.hashLabel] ?? "") }
        try await history.trim(set, live: Set(live.map(\.name)), writer: writer)
        if let error = failure.error { throw error }
        return [failure.again, nextAvailability(present, view(present))].compactMap { $0 }.min()
    }

    private func nextAvailability(_ pods: [KubeObject], _ view: DaemonSetView) -> Duration? {
        guard view.minReady > .zero else { return nil }
        let now = context.clock.now
        return pods.compactMap { $0.readySince.map { $0 + view.minReady - now } }.filter { $0 > .zero }.min()
    }

    /// Brings the nodes to what they should have, or takes a rollout one step on.
    private func work(_ view: DaemonSetView) async -> (error: (any Error)?, again: Duration?) {
        var (missing, surplus, again): ([String], [KubeObject], Duration?) = ([], [], nil)
        let surges = view.isRolling && view.limits.surge > 0
        for node in view.nodes {
            let (runs, stays) = view.suits(node)
            let present = view.pods[node.name] ?? []
            if !stays {
                surplus += present.filter { !$0.isTerminating }
            } else if present.isEmpty {
                if runs { missing.append(node.name) }
            } else {
                let (ended, wait) = finished(present, on: node, of: view.owner)
                surplus += ended + doubles(present, view, surges: surges)
                // Nobody waits for the one that goes where there may be two.
                if surges, runs, !present.contains(where: \.isActivePod) { missing.append(node.name) }
                again = [again, wait].compactMap { $0 }.min()
            }
        }
        // What waits for a node that is gone would wait for ever.
        let known = Set(view.nodes.map(\.name))
        surplus += view.pods.filter { !known.contains($0.key) }.flatMap(\.value)
            .filter { $0.nodeName.isEmpty && !$0.isTerminating }
        if missing.isEmpty, surplus.isEmpty, view.isRolling {
            let step = view.nextStep
            (missing, surplus) = (step.added, step.removed)
        }
        let error = await create(missing, view)
        let other = await remove(surplus, of: view.owner)
        return (error ?? other, again)
    }

    /// Pods that have ended, which are replaced; not too often where they fail.
    private func finished(_ pods: [KubeObject], on node: KubeObject, of set: KubeObject) -> ([KubeObject], Duration?) {
        var (ended, again): ([KubeObject], Duration?) = ([], nil)
        for pod in pods where pod.isFinishedPod && !pod.isTerminating {
            let place = "\(pod.namespace ?? "")/\(pod.name) on node \(node.name)"
            if pod.podPhase == "Succeeded" {
                let text = "Found succeeded daemon pod \(place), will try to delete it"
                record(.normal, "SucceededDaemonPod", text, on: set)
                ended.append(pod)
                continue
            }
            if let wait = patience.wait("\(set.uid)/\(node.name)", pod.uid, at: context.clock.now) {
                again = min(again ?? wait, wait)
                continue
            }
            record(.warning, "FailedDaemonPod", "Found failed daemon pod \(place), will try to kill it", on: set)
            ended.append(pod)
        }
        return (ended, again)
    }

    /// Running pods beyond the oldest; while a rollout surges, beyond the oldest of each template, and the old one that
    /// serves nobody any more or has its successor.
    private func doubles(_ pods: [KubeObject], _ view: DaemonSetView, surges: Bool) -> [KubeObject] {
        let live = pods.filter(\.isActivePod).sorted(by: DaemonSetView.isOlder)
        guard surges else { return Array(live.dropFirst()) }
        let (old, new) = (live.filter { !view.isUpdated($0) }, live.filter(view.isUpdated))
        let doubles = Array(old.dropFirst() + new.dropFirst())
        guard let last = old.first, let next = new.first, !last.isReadyPod || view.isAvailable(next) else {
            return doubles
        }
        return doubles + [last]
    }

    private func create(_ nodes: [String], _ view: DaemonSetView) async -> (any Error)? {
        let set = view.owner
        var left = nodes.prefix(250)
        for size in ReplicaSetPlan.batches(of: left.count) {
            let error = await inParallel(Array(left.prefix(size))) { node in
                let stored = try await writer.create(view.makePod(on: node), as: .pods)
                record(.normal, "SuccessfulCreate", "Created pod: \(stored.name)", on: set)
            }
            left = left.dropFirst(size)
            guard let error else { continue }
            if (error as? Failure)?.status?.isNamespaceTerminating == true { return nil }
            record(.warning, "FailedCreate", "Error creating: \(error)", on: set)
            return error
        }
        return nil
    }

    private func remove(_ pods: [KubeObject], of set: KubeObject) async -> (any Error)? {
        await inParallel(pods) { pod in
            do {
                try await writer.delete(pod, as: .pods)
                record(.normal, "SuccessfulDelete", "Deleted pod: \(pod.name)", on: set)
            } catch {
                record(.warning, "FailedDelete", "Error deleting: \(error)", on: set)
                throw error
            }
        }
    }

    private func record(_ severity: EventRecorder.Severity, _ reason: String, _ message: String, on object: KubeObject)
    {
        context.events.record(severity, reason, message, on: object, by: name)
    }
}

/// How soon the next failed pod of a node is replaced: after 1 s, then twice as long each time, up to 15 minutes.
private final class NodePatience: Sendable {
    private struct Entry {
        var pod: String
        var since: Timestamp
        var delay: Duration
    }

    private let entries = Mutex<[String: Entry]>([:])

    /// How long the failed pod has to wait; `nil` once its time has come.
    func wait(_ place: String, _ pod: String, at now: Timestamp) -> Duration? {
        entries.withLock { entries in
            let last = entries[place]
            guard let last, last.pod == pod else {
                // After a quiet time all is forgiven.
                let isRecent = last.map { now - $0.since < $0.delay * 2 + .seconds(60) } ?? false
                let delay = isRecent ? min((last?.delay ?? .zero) * 2, .seconds(900)) : .seconds(1)
                entries[place] = Entry(pod: pod, since: now, delay: delay)
                return isRecent ? delay : nil
            }
            let left = last.since + last.delay - now
            return left > .zero && last.delay > .seconds(1) ? left : nil
        }
    }
}
