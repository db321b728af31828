// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Writes planned objects, each once, those of one stage at once.
struct ObjectApplier: Sendable {
    let cluster: any ClusterAPI
    let retry: CallRetry
    let progress: any ReleaseProgress
    let sleeper: any Clock<Duration>

    static let parallel = 16
    /// How long a definition may take until its kind is served.
    private static let patience = 150

    static func options(isForced: Bool, isDryRun: Bool = false) -> WriteOptions {
        WriteOptions(
            fieldManager: FieldManagers.own,
            isDryRun: isDryRun,
            fieldValidation: .strict,
            isForced: isForced
        )
    }

    /// Applies the objects of some stages in order. `note` hears of each object that was written.
    func apply(_ planned: [PlannedObject], in stages: [ApplyStage]) async throws {
        for stage in stages {
            let due = planned.filter { $0.desired.stage == stage && $0.action != .none }
            guard !due.isEmpty else { continue }
            let isMany = due.count > 20
            _ = try await inParallel(due, limit: Self.parallel) { object in
                try await write(object)
                if !isMany { await progress.report(.note(Self.words(object))) }
            }
            if isMany { await progress.report(.note("applied \(due.count) objects (\(Self.kinds(due)))")) }
            if stage == .definitions { try await awaitDefinitions(due) }
        }
    }

    private static func words(_ object: PlannedObject) -> String {
        switch object.action {
        case .create: "created \(object.reference.words)"
        case .change where object.desired.type == .persistentVolumeClaims && object.fields.count == 1:
            "\(object.reference.words) \(object.fields[0].words)"
        case .change: "changed \(object.reference.words)"
        case .own, .none: "took over \(object.reference.words)"
        }
    }

    private static func kinds(_ objects: [PlannedObject]) -> String {
        var counts: [String: Int] = [:]
        for object in objects { counts[object.desired.type.plural, default: 0] += 1 }
        return counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    }

    private func write(_ planned: PlannedObject) async throws {
        let reference = planned.reference
        if let upgrade = planned.upgrade { try await takeOver(planned, upgrade) }
        let outcome = try await retry("change \(reference.words)") { () -> Result<Void, Failure> in
            do {
                _ = try await cluster.patch(
                    reference,
                    subresource: nil,
                    .apply,
                    planned.desired.object.json,
                    options: Self.options(isForced: planned.isForced)
                )
                return .success(())
            } catch let failure as Failure {
                // Not thrown, since no second try makes a field ours.
                let conflicts = FieldConflict.all(in: failure, live: planned.live)
                guard !conflicts.isEmpty else { throw failure }
                var refused = planned
                refused.conflicts = conflicts
                return .failure(refused.refusal ?? failure)
            }
        }
        try outcome.get()
    }

    /// A write in between makes the version wrong: the fields are looked at again.
    private func takeOver(_ planned: PlannedObject, _ first: JSON) async throws {
        let (reference, isAdopted) = (planned.reference, planned.isAdopted)
        try await retry("take over \(reference.words)") {
            do {
                _ = try await cluster.patch(reference, .json, first)
            } catch let failure as Failure where failure.code == .conflict || failure.code == .invalidInput {
                guard let live = try await cluster.find(reference),
                    let next = OwnershipUpgrade.patch(for: live, wanted: planned.desired.object, isAdopted: isAdopted)
                else { return }
                _ = try await cluster.patch(reference, .json, next)
            }
        }
    }

    private func awaitDefinitions(_ definitions: [PlannedObject]) async throws {
        for definition in definitions {
            let reference = definition.reference
            for round in 0... {
                let live = try await retry("look at \(reference.words)") { try await cluster.find(reference) }
                if live?.condition("Established")?["status"]?.string == "True" { break }
                guard round < Self.patience else {
                    let why = live?.condition("NamesAccepted")?["message"]?.string ?? "it says no reason"
                    throw Failure(
                        .deadlineExceeded,
                        "the CustomResourceDefinition '\(reference.name)' was not established within 30 s: \(why)"
                    )
                }
                try await sleeper.sleep(for: .milliseconds(200))
            }
        }
    }
}
