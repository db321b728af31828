// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Keeps pods with names, places in an order and claims of their own.
struct StatefulSetController: Reconciler {
    let context: ControllerContext
    let name = "statefulset-controller"

    private var mirrors: ClusterMirrors { context.mirrors }

    var triggers: [Trigger] {
        [
            .each(mirrors.statefulSets), .owner("StatefulSet", of: mirrors.pods),
            Trigger(mirrors.pods) { [mirrors] change in
                let pod = change.object
                guard pod.controller == nil else { return [] }
                let wooers = mirrors.statefulSets.objects.filter { set in
                    set.namespace == pod.namespace && StatefulSetView(set: set).ordinal(of: pod) != nil
                }
                return wooers.map { ObjectName($0) }
            },
        ]
    }

    func reconcile(_ name: ObjectName) async throws -> Duration? {
        guard let set = mirrors.statefulSets[name], let selector = set.workloadSelector else { return nil }
        let view = StatefulSetView(set: set)
        let adoption = Adoption(context, owner: set, type: .statefulSets, selector: selector)
        let revisions = try await adoption.claim(
            from: mirrors.controllerRevisions,
            as: .controllerRevisions,
            isWanted: { _ in true }
        )
        let pods = try await adoption.claim(from: mirrors.pods, as: .pods, isWanted: { view.ordinal(of: $0) != nil })
            .filter { view.ordinal(of: $0) != nil }
        let labels = set.spec[path: "template", "metadata", "labels"]?.stringMap ?? [:]
        let history = try await RevisionHistory(
            of: set,
            as: .statefulSets,
            among: revisions,
            labels: { labels.merging(["controller.kubernetes.io/hash": $0]) { _, new in new } },
            writer: context.writer
        )
        let current = history.all.first { $0.name == set.status["currentRevision"]?.string } ?? history.update
        let sync = StatefulSetSync(
            context: context,
            view: view,
            current: current,
            update: history.update,
            by: self.name
        )
        let error: (any Error)?
        do {
            if !set.isTerminating { try await sync.run(pods) }
            error = nil
        } catch let problem {
            error = problem
        }
        let present = mirrors.pods.objects(controlledBy: set.uid)
        let status = view.status(present, current: current, history, at: context.clock.now)
        try await context.writer.setStatus(status, of: mirrors.statefulSets[name] ?? set, as: .statefulSets)
        let live = Set(present.compactMap { $0.labels[StatefulSetView.revisionLabel] } + [current.name])
        try await history.trim(set, live: live, writer: context.writer)
        if let error { throw error }
        return nextAvailability(present, view)
    }

    private func nextAvailability(_ pods: [KubeObject], _ view: StatefulSetView) -> Duration? {
        guard view.minReady > .zero else { return nil }
        let now = context.clock.now
        return pods.compactMap { $0.readySince.map { $0 + view.minReady - now } }.filter { $0 > .zero }.min()
    }
}
