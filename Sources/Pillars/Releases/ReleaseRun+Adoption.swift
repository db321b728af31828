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

    /// Tries the clusters again that could not be put back when the release ended.
    func payDebts() async {
        let owing = await ledger.record.clusters.filter { $0.phase == .owing }.map(\.cluster)
        let results = await FleetUndo(kit: kit, ledger: ledger).run(owing, waits: true)
        let paid = owing.filter { if case .undone = results[$0] { true } else { false } }
        guard !paid.isEmpty else { return }
        try? await ledger.keep { $0.message += "; rolled back later in \(ReleaseWords.list(paid))" }
    }
}
