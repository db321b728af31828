// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

extension ReleaseRun {
    /// The process of the release ended without a word.
    struct Abandoned: Error {
        var why: String
    }

    /// Goes on with a release whose holder was killed, to its end or back to its beginning.
    ///
    /// Forward, where every cluster was ready and only had to be verified: that is the same whoever looks. A rollback always
    /// goes forward.
    /// `why` is how the process ended.
    func adopt(because why: String) async {
        let record = await ledger.record
        let isReady = record.clusters.allSatisfy { [.verifying, .succeeded, .skipped].contains($0.phase) }
        let goesOn = record.image != nil && (isReady || record.rollbackTo != nil)
        _ = try? await ledger.whileRenewing { [self] in
            do {
                guard goesOn else { throw Abandoned(why: why) }
                try await stage(.pods) { try await changeClusters() }
                try await finish(why)
            } catch {
                let open = record.clusters.filter(\.isOpen).map(\.cluster)
                _ = await close(after: error, undoing: goesOn ? nil : open)
            }
        }
    }

    private func finish(_ why: String) async throws {
        var done = await succeeded()
        done.message += "; finished after \(why)"
        let end = done
        try await ledger.keep { $0 = end }
    }

    /// Tries the clusters again that could not be put back when the release ended as `phase`. Returns whether nothing is
    /// owed any more. A newer release that begins meanwhile stops it.
    func payDebts(of phase: ReleaseRecord.Phase) async -> Bool {
        let owing = await ledger.record.clusters.filter { $0.phase == .owing }.map(\.cluster)
        let undo = FleetUndo(kit: kit, ledger: ledger)
        let results = try? await ledger.whileRenewing { [stop] in
            try await stop.cutting { await undo.run(owing, waits: true) }
        }
        let paid = owing.filter { if case .undone? = results?[$0] { true } else { false } }
        let forgotten = owing.filter { results?[$0] == .forgotten }
        // A task of its own, as whenever a record is closed.
        try? await ledger.keep { record in
            record.phase = phase
            if !forgotten.isEmpty { record.message += "; no longer known: \(ReleaseWords.list(forgotten))" }
            if !paid.isEmpty { record.message += "; rolled back later in \(ReleaseWords.list(paid))" }
        }
        return paid.count + forgotten.count == owing.count
    }
}
