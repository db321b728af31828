// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Does what a ``WaveMachine`` says: changes the clusters of a release, wave by wave, and keeps what becomes of each.
actor WaveRun {
    private let app: App
    private let image: String
    private let login: RegistryCredentials?
    let kit: FleetKit
    let ledger: ReleaseLedger
    let stop: StopSignal
    private let isAlone: Bool
    private let isRollback: Bool
    private let number: Int
    private var machine: WaveMachine
    private var failure: (cluster: ClusterName, error: any Error)?
    /// What is to be put back; known once the change has halted.
    private(set) var toUndo: [ClusterName] = []

    /// `record` names the clusters, and what an earlier run of it came to.
    init(
        _ record: ReleaseRecord,
        app: App,
        image: String,
        login: RegistryCredentials?,
        kit: FleetKit,
        ledger: ReleaseLedger,
        stop: StopSignal
    ) {
        self.app = app
        self.image = image
        self.login = login
        self.kit = kit
        self.ledger = ledger
        self.stop = stop
        isAlone = record.clusters.count == 1
        isRollback = record.rollbackTo != nil
        number = record.number
        func those(_ phase: ClusterResult.Phase) -> Set<ClusterName> {
            Set(record.clusters.filter { $0.phase == phase }.map(\.cluster))
        }
        // A rollback is for haste: it has no bake time, and no cluster waits for another.
        machine = WaveMachine(
            waves: record.waves,
            bakes: app.deploy.bake > .zero && record.rollbackTo == nil,
            policy: record.rollbackTo == nil ? app.deploy.unreachable : .skip,
            passed: those(.succeeded),
            skipped: those(.skipped)
        )
    }

    nonisolated func progress(_ cluster: ClusterName) -> any ReleaseProgress {
        isAlone ? kit.progress : ClusterProgress(base: kit.progress, cluster: cluster)
    }

    /// The first cluster that failed, and the words for its place: " in 'prod-a', wave 2 of 2".
    var place: String {
        guard !isAlone, let cluster = failure?.cluster else { return "" }
        return " in the cluster '\(cluster)'"
    }

    // MARK: Forward

    /// Returns when every cluster that answers runs the new revision. Throws the first failure, or ``StopSignal/Stopped``,
    /// once nothing is under way any more.
    func change() async throws {
        let (events, send) = AsyncStream.makeStream(of: WaveMachine.Event.self)
        let outcome = await withTaskGroup(of: Void.self) { group -> WaveMachine.Outcome? in
            defer { group.cancelAll() }
            group.addTask { [stop] in
                if let reason = await stop.fired(), reason != .peerFailed { send.yield(.stop(keeping: reason.kept)) }
            }
            var actions = machine.begin()
            var next = events.makeAsyncIterator()
            while true {
                await tell(of: actions)
                for action in actions {
                    if case .end(let outcome) = action { return outcome }
                    perform(action, in: &group, send)
                }
                guard let event = await next.next(isolation: self) else { return nil }
                actions = machine.take(event)
            }
        }
        guard case .halted(let clusters) = outcome else { return }
        toUndo = clusters
        if let reason = stop.reason, reason != .peerFailed { throw StopSignal.Stopped(reason: reason) }
        throw failure?.error ?? Failure(.unavailable, "no cluster of the wave answered")
    }

    /// Which wave begins, where there are several.
    private func tell(of actions: [WaveMachine.Action]) async {
        let begun = actions.compactMap { if case .change(let cluster) = $0 { cluster } else { nil } }
        guard machine.count > 1, !begun.isEmpty else { return }
        let text = "wave \(machine.current + 1) of \(machine.count): \(ReleaseWords.list(begun))"
        await kit.progress.report(.note(text))
    }

    private func perform(
        _ action: WaveMachine.Action,
        in group: inout TaskGroup<Void>,
        _ send: AsyncStream<WaveMachine.Event>.Continuation
    ) {
        switch action {
        case .change(let cluster):
            group.addTask { send.yield(await self.change(cluster)) }
        case .bake(let clusters):
            group.addTask {
                if let event = await self.bake(clusters) { send.yield(event) }
            }
        case .stop:
            if !isRollback { stop.fire(.peerFailed) }
        case .end: break
        }
    }

    private func change(_ name: ClusterName) async -> WaveMachine.Event {
        let progress = progress(name)
        do {
            let cluster = try await stop.cutting { [kit, app] in try await kit.check(app, name, progress) }
            let change = clusterChange(name, cluster)
            let start = kit.clock.now
            let changes = try await change.run { [ledger] phase, touches in
                try await ledger.keep { record in
                    record[name]?.phase = phase
                    if touches { record[name]?.isTouched = true }
                    record[name]?.started = start
                }
            }
            if !isAlone { await progress.report(.note("serves the new revision")) }
            await note(name) { result in
                result.phase = .succeeded
                result.changes = changes
            }
            return .passed(name)
        } catch {
            return await told(error, of: name)
        }
    }

    private func clusterChange(_ name: ClusterName, _ cluster: any ClusterAPI) -> ClusterChange {
        ClusterChange(
            name: name,
            cluster: cluster,
            app: app.overridden(for: name),
            image: image,
            number: number,
            isRollback: isRollback,
            login: login,
            kit: kit,
            progress: progress(name),
            stop: stop
        )
    }

    /// What a failed change means for the whole; keeps it in the record.
    private func told(_ error: any Error, of name: ClusterName) async -> WaveMachine.Event {
        let isTouched = await ledger.record[name]?.isTouched ?? false
        if error is StopSignal.Stopped {
            await note(name) { $0.phase = isTouched ? .stopped : .pending }
            return .gaveUp(name, isTouched: isTouched)
        }
        let words = ReleaseWords.firstLine(of: error)
        if !isTouched, FleetKit.isSilence(error) {
            let skips = isRollback || app.deploy.unreachable == .skip
            await note(name) { [isRollback] result in
                // Who goes back does not leave the bad one running where nobody could be reached just then.
                result.phase = isRollback ? .owing : skips ? .skipped : .failed
                result.message = words
            }
            if skips {
                let what = isRollback ? "goes back once it does" : "is left out"
                await progress(name).report(.note("does not answer, and \(what): \(words)"))
            }
            if failure == nil { failure = (name, error) }
            return .unreachable(name)
        }
        if failure == nil || stop.reason == nil { failure = (name, error) }
        await note(name) { result in
            result.phase = .failed
            result.message = words
        }
        let isForeign = (error as? RolloutFailed)?.diagnosis.code == .takenOver
        return .failed(name, isForeign ? .foreign : isTouched ? .changed : .none)
    }

    /// Best effort: what is said here is said again with the end of the release.
    private func note(_ name: ClusterName, _ change: @Sendable (inout ClusterResult) -> Void) async {
        let now = kit.clock.now
        do {
            try await ledger.keep { record in
                guard var result = record[name] else { return }
                change(&result)
                result.ended = now
                record[name] = result
            }
        } catch is StopSignal.Stopped {
            // The record is somebody else's, and so is what is said of the cluster.
        } catch {
            await progress(name).report(.note("its state could not be put on record: \(ErrorWords.text(of: error))"))
        }
    }

    /// Watches the clusters of the waves so far. `nil` where the release is stopped meanwhile.
    private func bake(_ clusters: [ClusterName]) async -> WaveMachine.Event? {
        let window = app.deploy.bake
        let next = machine.current + 2
        await kit.progress.report(.note("watching for \(window.components.seconds) s before wave \(next)"))
        do {
            try await stop.cutting { [self] in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for name in clusters {
                        group.addTask { try await self.watch(name, window) }
                    }
                    try await group.waitForAll()
                }
            }
            return .baked
        } catch let failed as InCluster {
            return await told(failed.error, of: failed.cluster)
        } catch {
            return nil
        }
    }

    private struct InCluster: Error {
        var cluster: ClusterName
        var error: any Error
    }

    private func watch(_ name: ClusterName, _ window: Duration) async throws {
        do {
            let change = clusterChange(name, try await kit.clusters.cluster(named: name.text))
            try await change.verify(change.app.deploy.verify, for: window)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw InCluster(cluster: name, error: error)
        }
    }
}

extension StopSignal.Reason {
    /// The clusters that are not put back, since the newer release changes them itself.
    fileprivate var kept: Set<ClusterName> {
        if case .superseded(_, let clusters) = self { clusters } else { [] }
    }
}
