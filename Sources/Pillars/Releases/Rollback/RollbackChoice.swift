// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Decides which release a rollback goes back to, from the app's records alone.
///
/// Without a number: where the newest release is under way, or left something half-way, to the newest good one; else to the
/// good one before the one that serves, and that was not the same. A rollback stands for the release it went back to, so each further one goes further back.
enum RollbackChoice {
    /// `history` is newest first. Throws `notFound` or `conflict` where there is nothing good to go back to.
    static func target(of app: AppName, in history: [ReleaseRecord], to number: Int?) throws -> ReleaseRecord {
        guard let newest = history.first else {
            throw Failure(.notFound, "there is no release of '\(app)' on record; 'ballast status' lists the apps")
        }
        if let number { return try named(number, app, history) }
        guard let good = history.first(where: { $0.phase == .succeeded }) else {
            throw Failure(.notFound, "no release of '\(app)' has succeeded so far, so there is none to go back to")
        }
        if newest.number > good.number, newest.phase == .running || newest.clusters.contains(where: \.isOpen) {
            return try usable(good)
        }
        let base = good.rollbackTo ?? good.number
        let serving = history.first { $0.number == base } ?? good
        let before = history.first {
            // Releasing the same again is no step forward, so undoing that would be none back.
            $0.phase == .succeeded && $0.rollbackTo == nil && $0.number < base
                && ($0.image != serving.image || $0.declaration != serving.declaration)
        }
        guard let before else {
            throw Failure(.notFound, "release \(app)-\(base) serves, and no good one before it is on record")
        }
        return try usable(before)
    }

    private static func named(_ number: Int, _ app: AppName, _ history: [ReleaseRecord]) throws -> ReleaseRecord {
        let good = history.filter { $0.phase == .succeeded }.map { "\($0.number)" }
        let hint = good.isEmpty ? "none has succeeded so far" : "good ones: \(good.prefix(20).joined(separator: ", "))"
        guard let record = history.first(where: { $0.number == number }) else {
            throw Failure(.notFound, "there is no release \(app)-\(number) on record; \(hint)")
        }
        guard record.phase == .succeeded else {
            throw Failure(
                .conflict,
                "release \(record.name) ended as \(record.phase.rawValue), so it is no place to go back to; \(hint)"
            )
        }
        return try usable(record)
    }

    private static func usable(_ record: ReleaseRecord) throws -> ReleaseRecord {
        guard record.declaredApp != nil, record.image != nil else {
            throw Failure(
                .conflict,
                "the record of release \(record.name) does not say what it released; name another by --to"
            )
        }
        return record
    }
}
