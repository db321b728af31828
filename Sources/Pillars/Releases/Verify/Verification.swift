// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Reads the signals of one app in one cluster for a while, and tells what came of it.
struct Verification: Sendable {
    /// The new revision does not hold what the app's file promises.
    struct Breached: Error {
        var why: String
    }

    let subject: ReleaseSubject
    let sources: [any ReleaseSignals]
    let clock: WallClock
    let sleeper: any Clock<Duration>
    let progress: any ReleaseProgress

    /// Returns notes for a person once the window is over; throws ``Breached``.
    func hold(_ rules: App.Verify?, for window: Duration) async throws -> [String] {
        let start = clock.now
        var machine = VerifyMachine(
            startedAt: start,
            window: window,
            restarts: rules?.restarts ?? 0,
            objectives: rules?.objectives ?? []
        )
        let wanted = Set(
            [ReleaseSignal.Kind.restarts, .unready] + (rules?.objectives ?? []).map { .objective($0.kind) }
        )
        var lastTrouble = ""
        while true {
            let round = await read(wanted, since: start)
            try Task.checkCancellation()
            if let trouble = round.trouble, trouble != lastTrouble {
                lastTrouble = trouble
                await progress.report(.note("the signals cannot be read (\(trouble)); asking on"))
            }
            let now = clock.now
            switch machine.observe(round, at: now) {
            case .pass(let notes): return notes
            case .breach(let why): throw Breached(why: why)
            case .hold(let until):
                let left = max(0, (window - (now - start)).components.seconds)
                await progress.report(.waiting("watching the new pods, \(left) s left"))
                try await sleeper.sleep(for: until - now)
            }
        }
    }

    private func read(_ wanted: Set<ReleaseSignal.Kind>, since start: Timestamp) async -> VerifyMachine.Round {
        var round = VerifyMachine.Round([])
        for source in sources {
            let kinds = source.kinds.intersection(wanted)
            guard !kinds.isEmpty else { continue }
            do {
                round.signals += try await source.read(kinds, of: subject, since: start)
            } catch {
                round.trouble = ErrorWords.text(of: error)
            }
        }
        return round
    }

    /// The objectives that no source can tell of, by their keys.
    static func unanswered(_ rules: App.Verify?, by sources: [any ReleaseSignals]) -> [String] {
        let known = sources.reduce(into: Set<ReleaseSignal.Kind>()) { $0.formUnion($1.kinds) }
        return (rules?.objectives ?? []).filter { !known.contains(.objective($0.kind)) }.map(\.kind.rawValue)
    }
}
