// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// The verdict on several awaited objects: all have to get there, and one that is hopeless decides for all.
package struct HealthMachine: Sendable {
    package let deadline: Timestamp
    private var machines: [RolloutMachine]
    private var settled: Set<Int> = []

    package init(_ targets: [HealthTarget], startedAt start: Timestamp, patience: Duration) {
        deadline = start + patience
        machines = targets.map {
            RolloutMachine(startedAt: start, patience: patience, images: $0.images, isUnchanged: $0.isUnchanged)
        }
    }

    /// `views` are in the order of the targets.
    package mutating func observe(_ views: [RolloutView], at now: Timestamp) -> RolloutMachine.Action {
        var until = deadline
        var awaited: [String] = []
        var failures: [Diagnosis] = []
        settled = []
        for (place, view) in views.enumerated() {
            switch machines[place].observe(view, at: now) {
            case .succeed: settled.insert(place)
            case .fail(let diagnosis): failures.append(diagnosis)
            case .wait(let moment, let what):
                until = min(until, moment)
                awaited.append(views.count == 1 ? what : "\(view.reference.kindAndName): \(what)")
            }
        }
        // At the deadline many fail at once: one that knows why says more than one that was only late.
        if let first = failures.first(where: { $0.code != .deadline }) ?? failures.first { return .fail(first) }
        guard let first = awaited.first else { return .succeed }
        return .wait(until: until, for: awaited.count == 1 ? first : "\(first); and \(awaited.count - 1) more")
    }

    /// How all stand after the last look, for people.
    func report(on views: [RolloutView], cluster: String) -> HealthReport {
        let objects = views.enumerated().map { place, view in
            let isSettled = settled.contains(place)
            return HealthReport.Object(
                reference: view.reference,
                state: isSettled && !view.health.isSettled
                    ? .current : isSettled ? view.health.state : stillAwaited(view),
                reason: view.health.reason,
                message: isSettled ? view.health.message : view.progress,
                suspected: isSettled ? nil : machines[place].suspected
            )
        }
        return HealthReport(cluster: cluster, objects: objects)
    }

    /// A Deployment whose counts look right may still be one whose new template nobody has seen.
    private func stillAwaited(_ view: RolloutView) -> Health.State {
        view.health.state == .current ? .inProgress : view.health.state
    }
}

/// How the objects that are awaited in one cluster stand at one moment.
package struct HealthReport: Sendable, Hashable {
    package struct Object: Sendable, Hashable {
        package var reference: ObjectReference
        package var state: Health.State
        package var reason: String
        package var message: String
        /// What is wrong with it and does not count yet.
        package var suspected: RolloutMachine.Suspected?

        package init(
            reference: ObjectReference,
            state: Health.State,
            reason: String,
            message: String,
            suspected: RolloutMachine.Suspected? = nil
        ) {
            self.reference = reference
            self.state = state
            self.reason = reason
            self.message = message
            self.suspected = suspected
        }
    }

    package var cluster: String
    package var objects: [Object]

    package init(cluster: String, objects: [Object]) {
        self.cluster = cluster
        self.objects = objects
    }
}

extension ObjectReference {
    /// `deployment/web`, as kubectl writes it.
    package var kindAndName: String { "\(type.kind.lowercased())/\(name)" }
}
