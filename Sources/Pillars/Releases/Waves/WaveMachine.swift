// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// Decides which clusters of a release change when, and which of them are put back. It knows no clock, no cluster, no task.
///
/// Waves go in order, the clusters of a wave at once. The first failure stops what can be stopped, and once nothing is
/// under way any more the change has halted; what was changed is then put back, all clusters at once.
package struct WaveMachine: Sendable {
    package enum Event: Sendable, Hashable {
        /// The cluster runs the new revision, ready and verified.
        case passed(ClusterName)
        case failed(ClusterName, Damage)
        /// The cluster did not answer before anything in it was changed.
        case unreachable(ClusterName)
        /// The work was given up because of ``Action/stop``.
        case gaveUp(ClusterName, isTouched: Bool)
        /// The wave held for its bake time.
        case baked
        /// Somebody wants the whole to end; the clusters of `keeping` stay as they are.
        case stop(keeping: Set<ClusterName>)
    }

    /// What a failure leaves in its cluster.
    package enum Damage: Sendable, Hashable {
        /// Nothing was changed.
        case none
        case changed
        /// It belongs to somebody else now, and is not ours to put back.
        case foreign
    }

    package enum Action: Sendable, Hashable {
        case change(ClusterName)
        /// These clusters are watched for the bake time.
        case bake([ClusterName])
        /// What is under way ends at its next safe point.
        case stop
        /// Nothing is under way any more.
        case end(Outcome)
    }

    package enum Outcome: Sendable, Hashable {
        case succeeded
        /// Something failed, or everybody was asked to stop; these clusters are to be put back.
        case halted(undo: [ClusterName])
    }

    private enum State: Sendable, Hashable {
        case waiting, underWay, passed, touched, untouched, skipped, foreign
    }

    private enum Phase: Sendable, Hashable {
        case changing, baking, halting, ended
    }

    private let waves: [[ClusterName]]
    private let bakes: Bool
    private let policy: App.UnreachablePolicy
    private var wave = 0
    private var states: [ClusterName: State]
    private var phase = Phase.changing
    private var kept: Set<ClusterName> = []

    /// `passed` and `skipped` are what an earlier run of the same release came to.
    package init(
        waves: [[ClusterName]],
        bakes: Bool = false,
        policy: App.UnreachablePolicy = .fail,
        passed: Set<ClusterName> = [],
        skipped: Set<ClusterName> = []
    ) {
        precondition(waves.contains { !$0.isEmpty }, "a release needs a cluster")
        self.waves = waves.filter { !$0.isEmpty }
        self.bakes = bakes
        self.policy = policy
        states = [:]
        for cluster in waves.joined() {
            states[cluster] = passed.contains(cluster) ? .passed : skipped.contains(cluster) ? .skipped : .waiting
        }
    }

    package var count: Int { waves.count }

    /// The wave under way, from 0.
    package var current: Int { min(wave, waves.count - 1) }

    /// To be called once, before any event.
    package mutating func begin() -> [Action] { startWave() }

    package mutating func take(_ event: Event) -> [Action] {
        guard phase != .ended else { return [] }
        switch event {
        case .passed(let cluster): states[cluster] = .passed
        case .gaveUp(let cluster, let isTouched): states[cluster] = isTouched ? .touched : .untouched
        case .unreachable(let cluster) where policy == .skip: states[cluster] = .skipped
        case .unreachable(let cluster): return fail(cluster, .untouched)
        case .failed(let cluster, .none): return fail(cluster, .untouched)
        case .failed(let cluster, .changed): return fail(cluster, .touched)
        case .failed(let cluster, .foreign): return fail(cluster, .foreign)
        case .baked: return phase == .baking ? advance() : []
        case .stop(let keeping):
            kept.formUnion(keeping)
            return halt()
        }
        return settle()
    }

    private mutating func fail(_ cluster: ClusterName, _ state: State) -> [Action] {
        states[cluster] = state
        return halt()
    }

    /// Lets nothing new begin; ends once nothing is under way.
    private mutating func halt() -> [Action] {
        let isFirst = phase != .halting
        phase = .halting
        let actions = settle()
        return isFirst && phase != .ended ? [.stop] + actions : actions
    }

    /// What follows once the last of the clusters under way has come to an end.
    private mutating func settle() -> [Action] {
        guard !states.values.contains(.underWay) else { return [] }
        switch phase {
        case .halting: return end(.halted(undo: changed))
        case .changing: return closeWave()
        case .baking, .ended: return []
        }
    }

    /// Of the clusters in order, those that a halted release puts back.
    private var changed: [ClusterName] {
        waves.joined().filter { cluster in
            [.passed, .touched].contains(states[cluster]) && !kept.contains(cluster)
        }
    }

    private mutating func closeWave() -> [Action] {
        // A wave in which nobody could be reached proves nothing for the next one.
        guard waves[wave].contains(where: { states[$0] == .passed }) else { return halt() }
        guard wave + 1 < waves.count else { return end(.succeeded) }
        guard bakes else { return advance() }
        phase = .baking
        return [.bake(waves.joined().filter { states[$0] == .passed })]
    }

    private mutating func advance() -> [Action] {
        wave += 1
        return startWave()
    }

    private mutating func startWave() -> [Action] {
        phase = .changing
        let next = waves[wave].filter { states[$0] == .waiting }
        for cluster in next { states[cluster] = .underWay }
        return next.isEmpty ? settle() : next.map { .change($0) }
    }

    private mutating func end(_ outcome: Outcome) -> [Action] {
        phase = .ended
        return [.end(outcome)]
    }
}
