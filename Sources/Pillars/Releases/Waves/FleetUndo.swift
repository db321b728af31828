// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Puts clusters back to the last good release of each, all at once, and keeps what came of it.
struct FleetUndo: Sendable {
    let kit: FleetKit
    let ledger: ReleaseLedger

    enum Result: Sendable, Hashable {
        case undone(to: Int, trouble: String?)
        case nothingBefore
        /// Nobody knows the cluster any more.
        case forgotten
        case failed(String)
    }

    /// The newest good release that a cluster had before this one.
    private func lastGood(_ cluster: ClusterName, _ history: [ReleaseRecord], before number: Int) -> ReleaseRecord? {
        history.first { record in
            guard record.phase == .succeeded, record.number < number, record.image != nil else { return false }
            guard let result = record[cluster] else { return false }
            return result.phase != .skipped
        }
    }

    func run(_ clusters: [ClusterName], waits: Bool) async -> [ClusterName: Result] {
        let record = await ledger.record
        let history: [ReleaseRecord]
        do {
            history = try await ledger.book.history(record.app, record.namespace)
        } catch {
            let why = ReleaseWords.firstLine(of: error)
            for cluster in clusters { await keep(.failed(why), of: cluster) }
            return Dictionary(uniqueKeysWithValues: clusters.map { ($0, .failed(why)) })
        }
        // What a rollback owes a cluster is the rollback itself.
        let own = record.rollbackTo == nil ? nil : record
        let targets = clusters.map { ($0, own ?? lastGood($0, history, before: record.number)) }
        if let words = Self.words(of: targets, own) { await kit.progress.report(.note(words)) }
        return await withTaskGroup(of: (ClusterName, Result).self) { group in
            for (name, target) in targets {
                group.addTask {
                    let result = await undo(name, target, isAlone: record.clusters.count == 1, waits)
                    await keep(result, of: name)
                    return (name, result)
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    /// A cluster that a release left out goes back further than the others.
    private static func words(of targets: [(ClusterName, ReleaseRecord?)], _ own: ReleaseRecord?) -> String? {
        let numbers = Dictionary(grouping: targets.filter { $0.1 != nil }) { _, record in
            own?.rollbackTo ?? record?.rollbackTo ?? record?.number ?? 0
        }
        guard numbers.count > 1 else { return numbers.keys.first.map { "going back to release \($0)" } }
        let parts = numbers.sorted { $0.key > $1.key }.map { "\($0.key) in \(ReleaseWords.list($0.value.map(\.0)))" }
        return "going back to release \(parts.joined(separator: ", to "))"
    }

    private func undo(_ name: ClusterName, _ target: ReleaseRecord?, isAlone: Bool, _ waits: Bool) async -> Result {
        guard let target, let app = target.declaredApp, let image = target.image else { return .nothingBefore }
        let progress: any ReleaseProgress =
            isAlone ? kit.progress : ClusterProgress(base: kit.progress, cluster: name)
        do {
            try await ledger.demandHeld()
            let book = ManifestBook(home: kit.home, retry: kit.retry(progress))
            let undo = ClusterUndo(
                name: name,
                cluster: try await kit.clusters.cluster(named: name.text),
                app: try await book.restore(app, of: target).overridden(for: name),
                image: image,
                kit: kit,
                progress: progress
            )
            return .undone(to: target.rollbackTo ?? target.number, trouble: try await undo.run(waits: waits))
        } catch {
            return await isForgotten(name, error) ? .forgotten : .failed(ReleaseWords.firstLine(of: error))
        }
    }

    /// Who removed a cluster does not want it put back: what is owed to it ends there.
    private func isForgotten(_ name: ClusterName, _ error: any Error) async -> Bool {
        guard (error as? Failure)?.code == .notFound, let known = try? await kit.clusters.names() else { return false }
        return !known.contains(name.text)
    }

    private func keep(_ result: Result, of name: ClusterName) async {
        let now = kit.clock.now
        // Where even that cannot be written, the lease lapses and whoever adopts the release looks at the cluster itself.
        try? await ledger.keep { record in
            guard var entry = record[name] else { return }
            entry.ended = now
            switch result {
            case .undone(let number, let trouble):
                // That it could not be put back at first is no longer so.
                if entry.phase == .owing { entry.message = "" }
                // A rollback has come to its end there; another release has not.
                entry.phase = record.rollbackTo == nil ? .undone : .succeeded
                entry.undoneTo = record.rollbackTo == nil ? number : nil
                if record.rollbackTo != nil { entry.message = "" }
                if let trouble { entry.message += (entry.message.isEmpty ? "" : "; ") + "not all ready: \(trouble)" }
            case .nothingBefore: entry.phase = .left
            case .forgotten:
                entry.phase = .left
                entry.message = "the cluster is no longer known, so it is left as it is"
            case .failed(let why):
                entry.phase = .owing
                entry.message = why
            }
            record[name] = entry
        }
    }
}
