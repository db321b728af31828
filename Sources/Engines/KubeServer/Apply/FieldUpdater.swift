// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The fields that others own and an apply would change.
struct ApplyConflicts: Error {
    struct Conflict {
        var manager: ManagedFields.Key
        var path: [PathElement]

        var shownPath: String { path.map(\.shown).joined() }
    }

    var conflicts: [Conflict]

    /// The refusal, in the real server's words.
    var status: KubeStatus {
        KubeStatus(
            code: 409,
            reason: "Conflict",
            message: "Apply failed with \(conflicts.count) conflict\(conflicts.count == 1 ? "" : "s"): \(text)",
            causes: conflicts.map {
                KubeStatus.Cause(
                    reason: "FieldManagerConflict",
                    message: "conflict with \($0.manager.shown)",
                    field: $0.shownPath
                )
            },
            details: .null
        )
    }

    private var text: String {
        if conflicts.count == 1 { return "conflict with \(conflicts[0].manager.shown): \(conflicts[0].shownPath)" }
        var lines: [String] = []
        var last: ManagedFields.Key?
        for conflict in conflicts {
            if conflict.manager != last { lines.append("conflicts with \(conflict.manager.shown):") }
            last = conflict.manager
            lines.append("- \(conflict.shownPath)")
        }
        return lines.joined(separator: "\n")
    }
}

/// How ownership moves when an object is updated or applied to.
struct FieldUpdater {
    /// The type of an object in a version; `nil` for versions that are not served.
    var types: (String) -> FieldType?
    /// The fields that nobody comes to own through this endpoint.
    var excluded = FieldSet()

    /// What every manager but `me` loses to the change from `old` to `new`; conflicts unless `isForced`.
    private func settle(
        _ comparison: FieldComparison,
        _ old: JSON,
        _ new: JSON,
        _ version: String,
        _ managers: inout ManagedFields,
        me: ManagedFields.Key,
        isForced: Bool
    ) throws(ApplyConflicts) {
        var comparisons = [version: comparison]
        var conflicts: [ApplyConflicts.Conflict] = []
        var result = managers
        for key in managers.keys where key != me {
            guard let entry = managers.entries[key] else { continue }
            guard let type = types(entry.apiVersion) else {
                result.entries[key] = nil
                continue
            }
            let change = comparisons[entry.apiVersion] ?? type.comparison(old, new).without(excluded)
            comparisons[entry.apiVersion] = change
            guard !change.isEmpty else { continue }
            let contested = entry.set.intersection(change.changed)
            conflicts += contested.paths.map { .init(manager: key, path: $0) }
            let kept = entry.set.subtracting(contested).subtracting(change.removed)
            if kept.isEmpty {
                result.entries[key] = nil
            } else if kept.count != entry.set.count {
                result.entries[key]?.set = kept
            }
        }
        guard isForced || conflicts.isEmpty else { throw ApplyConflicts(conflicts: conflicts) }
        managers = result
    }

    private func reconcile(_ managers: inout ManagedFields) {
        for (key, entry) in managers.entries {
            guard let type = types(entry.apiVersion), type.splitsWhatIsWhole(entry.set) else { continue }
            managers.entries[key]?.set = type.reconciled(entry.set)
        }
    }

    /// Moves what changes from `old` to `new` to `me`, an updater whose set starts empty.
    func update(
        _ old: JSON,
        _ new: JSON,
        _ version: String,
        _ managers: inout ManagedFields,
        me: ManagedFields.Key
    ) {
        guard let type = types(version) else { return }
        reconcile(&managers)
        let comparison = type.comparison(old, new).without(excluded)
        // Forced: never throws.
        try? settle(comparison, old, new, version, &managers, me: me, isForced: true)
        let before = managers.entries[me]?.set.subtracting(comparison.removed) ?? FieldSet()
        let mine = before.union(comparison.changed).subtractingTrees(excluded)
        let time = managers.entries[me]?.time
        managers.entries[me] = mine.isEmpty ? nil : .init(apiVersion: version, time: time, set: mine)
    }

    /// Applies `config` to `live` for `me`; the object is `nil` where nothing changes.
    func apply(
        _ live: JSON,
        _ config: JSON,
        _ version: String,
        _ managers: inout ManagedFields,
        me: ManagedFields.Key,
        isForced: Bool
    ) throws(ApplyConflicts) -> JSON? {
        guard let type = types(version) else { return nil }
        var result = managers
        reconcile(&result)
        let merged = type.merge(live, config) ?? config
        let last = result.entries[me]
        let mine = type.fieldSet(config).subtractingTrees(excluded)
        result.entries[me] = .init(apiVersion: version, time: last?.time, set: mine)
        let new = prune(merged, last, result, mine, version)
        let comparison = type.comparison(live, new).without(excluded)
        try settle(comparison, live, new, version, &result, me: me, isForced: isForced)
        if mine.isEmpty { result.entries[me] = nil }
        managers = result
        return new == live ? nil : new
    }

    /// Takes out what `last` applied, nobody applies any more and nobody else owns.
    private func prune(
        _ merged: JSON,
        _ last: ManagedFields.Entry?,
        _ managers: ManagedFields,
        _ mine: FieldSet,
        _ version: String
    ) -> JSON {
        guard let last, !last.set.isEmpty, let type = types(last.apiVersion) else { return merged }
        // All of it is still wanted.
        if last.apiVersion == version, last.set.subtracting(mine).isEmpty { return merged }
        let before = type.ensured(last.set)
        var pruned = type.removing(before, from: merged)
        var owned: [String: FieldSet] = [:]
        for entry in managers.entries.values {
            owned[entry.apiVersion] = (owned[entry.apiVersion] ?? .init()).union(entry.set)
        }
        let versions = [last.apiVersion] + owned.keys.filter { $0 != last.apiVersion }.sorted()
        for version in versions {
            guard let set = owned[version], let type = types(version) else { continue }
            let kept = type.ensured(type.fieldSet(pruned)).union(type.ensured(set))
            pruned = type.removing(type.ensured(type.fieldSet(merged)).subtracting(kept), from: merged)
        }
        let gone = type.ensured(type.fieldSet(merged)).subtracting(type.ensured(type.fieldSet(pruned)))
        return type.removing(gone.intersection(before), from: merged)
    }
}
