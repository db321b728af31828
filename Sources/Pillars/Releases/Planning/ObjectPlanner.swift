// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Finds out what applying a release's objects would do, and changes nothing.
struct ObjectPlanner: Sendable {
    let cluster: any ClusterAPI
    let retry: CallRetry
    var taken = TakenFields()
    /// The app's owner hands over what is there already.
    var adopts = false
    /// The identities of what the app's inventory names: ours, though others may have taken every field of it.
    var known: Set<String> = []
    /// It goes back to what was good: contested fields are taken over, but the number of replicas stays with whoever
    /// scales, since the record does not know what the load is now.
    var goesBack = false
    /// New objects are tried too, so that what the server refuses is known before anything changes.
    var checksNewObjects = true

    static let parallel = 16

    /// Plans every object, in the order of `state`.
    ///
    /// Throws `conflict` where objects or fields belong to somebody else, and `invalidInput` or `denied` where the server
    /// refuses an object: every such problem at once, each with the place it comes from.
    func plan(_ state: DesiredState) async throws -> [PlannedObject] {
        let live = try await LiveObjects.read(state.objects.map(\.reference), from: cluster, retry)
        let results = try await inParallel(state.objects, limit: Self.parallel) { desired in
            do {
                return Result<PlannedObject, Failure>.success(try await plan(desired, live))
            } catch let failure as Failure where Self.isVerdict(failure) {
                let code = failure.code == .fault ? .invalidInput : failure.code
                let place = desired.place == "ballast.yaml" ? "" : "\(desired.place): "
                return .failure(Failure(code, place + failure.message, cause: failure.cause))
            }
        }
        var planned: [PlannedObject] = []
        var problems: [Failure] = []
        for result in results {
            switch result {
            case .success(let object):
                planned.append(object)
                if let refusal = object.refusal { problems.append(refusal) }
            case .failure(let failure): problems.append(failure)
            }
        }
        guard let first = problems.first else { return planned }
        throw Failure(first.code, problems.map(\.message).joined(separator: "\n"), cause: first.cause)
    }

    /// Whether the server has judged the object, instead of not answering.
    private static func isVerdict(_ failure: Failure) -> Bool {
        // A field that its schema does not know is an internal error of server-side apply, also in the real server.
        let isUntyped = failure.status?.code == 500 && failure.message.contains("failed to create typed patch object")
        return isUntyped || [.conflict, .invalidInput, .denied, .notFound].contains(failure.code)
    }

    private func plan(_ desired: DesiredObject, _ live: LiveObjects) async throws -> PlannedObject {
        let reference = desired.reference
        guard let stored = live[reference] else {
            var planned = PlannedObject(desired, live: nil, .create)
            let canAsk = !desired.isOfNewKind && !live.isMissing(namespaceOf: reference)
            guard canAsk, checksNewObjects else { return planned }
            _ = try await dryRun(desired, isForced: false)
            planned.isChecked = true
            return planned
        }
        if let refusal = refusal(of: stored, desired) { throw refusal }
        return try await plan(desired, over: stored)
    }

    /// Objects that others must have made before a release can want something of them.
    private static func isShared(_ type: ResourceType) -> Bool {
        type == .namespaces || type == .serviceAccounts
    }

    func refusal(of live: KubeObject, _ desired: DesiredObject) -> Failure? {
        let cannotHarm = Self.isShared(desired.type) || AppliedCheck.hasNoFields(desired.object)
        if cannotHarm, !live.isTerminating { return nil }
        let isKnown = known.contains(Inventory.Entry(desired.reference).identity)
        if isKnown, !live.isTerminating, !ObjectOwner.isControlled(live) { return nil }
        let isHandedOver = adopts || desired.object.annotations[ObjectOwner.adoption] == "true"
        if isHandedOver, !live.isTerminating, !ObjectOwner.isControlled(live) { return nil }
        return ObjectOwner.refusal(of: live, desired.type)
    }

    // MARK: What is there already

    func plan(_ desired: DesiredObject, over live: KubeObject) async throws -> PlannedObject {
        var desired = desired
        var planned = PlannedObject(desired, live: live, .none)
        if desired.type == .persistentVolumeClaims {
            planned.notes = ClaimRule.settle(&desired.object, live: live)
            planned.desired = desired
        }
        if desired.type == .deployments { try ObjectOwner.demandSelector(of: desired.object, in: live) }
        let isAdopted =
            adopts || [live, desired.object].contains { $0.annotations[ObjectOwner.adoption] == "true" }
        planned.isAdopted = isAdopted
        planned.upgrade = OwnershipUpgrade.patch(for: live, wanted: desired.object, isAdopted: isAdopted)
        if planned.upgrade == nil, AppliedCheck.isUnchanged(desired.object, live: live) { return planned }
        planned.isChecked = true
        do {
            return try await told(planned, live, isForced: false)
        } catch let failure as Failure {
            let conflicts = FieldConflict.all(in: failure, live: live)
            guard !conflicts.isEmpty else { throw failure }
            settle(conflicts, of: &planned, live)
            guard planned.conflicts.isEmpty else { return planned }
            planned.isForced = true
            return try await told(planned, live, isForced: true)
        }
    }

    /// Sorts contested fields: earlier writes of ours, those that may be taken over, and those that may not.
    private func settle(_ conflicts: [FieldConflict], of planned: inout PlannedObject, _ live: KubeObject) {
        let entries = ManagedEntry.entries(of: live)
        for conflict in conflicts {
            let isOurs = entries.contains {
                $0.manager == conflict.manager
                    && OwnershipUpgrade.isTaken($0, for: planned.desired.object, isAdopted: planned.isAdopted)
            }
            guard !isOurs else { continue }
            if conflict.field == ".spec.replicas", goesBack || conflict.isOfAutoscaler {
                planned.desired.object.json.set(nil, at: ["spec", "replicas"])
                let count = live.spec["replicas"]?.int.map { "\($0) " } ?? ""
                let giver = conflict.isOfAutoscaler ? "its autoscaler" : "'\(conflict.manager)'"
                planned.notes.append("\(planned.reference.words) keeps the \(count)replicas that \(giver) gave it")
            } else if goesBack || taken.takes(conflict, of: planned.reference) {
                planned.takenOver.append(conflict)
            } else {
                planned.conflicts.append(conflict)
            }
        }
        for conflict in planned.takenOver {
            planned.notes.append(
                "\(planned.reference.words) \(conflict.field) is taken over from '\(conflict.manager)'"
            )
        }
    }

    private func told(_ planned: PlannedObject, _ live: KubeObject, isForced: Bool) async throws -> PlannedObject {
        var planned = planned
        let answer = try await dryRun(planned.desired, isForced: isForced)
        let next = await withoutWhatGoes(answer, planned, live)
        planned.fields = MeaningfulDiff.changes(from: live, to: next)
        // The server does not know yet that the number will be somebody's when it is applied.
        let (wanted, isAdopted) = (planned.desired.object, planned.isAdopted)
        if planned.upgrade != nil, OwnershipUpgrade.handsOverReplicas(of: live, wanted, isAdopted: isAdopted) {
            planned.fields.removeAll { $0.path == "spec.replicas" }
        }
        if !planned.fields.isEmpty {
            planned.action = .change
        } else if planned.upgrade != nil || !Self.hasSameOwners(live, next) {
            planned.action = .own
        }
        return planned
    }

    /// Where plain writes become ours, what they set and the release does not name goes with the write that follows.
    private func withoutWhatGoes(_ next: KubeObject, _ planned: PlannedObject, _ live: KubeObject) async -> KubeObject {
        let (wanted, isAdopted) = (planned.desired.object, planned.isAdopted)
        guard planned.upgrade != nil,
            let entries = OwnershipUpgrade.entries(for: live, wanted: wanted, isAdopted: isAdopted)
        else { return next }
        let fields = LetGoFields(entries)
        guard fields.taken(from: next, wanted: wanted, fresh: KubeObject([:])) != next,
            let fresh = await fresh(planned.desired)
        else { return next }
        return fields.taken(from: next, wanted: wanted, fresh: fresh)
    }

    /// What the wish would be were there nothing yet; `nil` where the server does not say, as for a name that rules decide
    /// about. Changes nothing.
    private func fresh(_ desired: DesiredObject) async -> KubeObject? {
        var reference = desired.reference
        reference.name = String("ballast-\(reference.name)".prefix(63))
        while let last = reference.name.last, !last.isLetter, !last.isNumber { reference.name.removeLast() }
        var body = desired.object.json
        body.set(.string(reference.name), at: ["metadata", "name"])
        let options = ObjectApplier.options(isForced: true, isDryRun: true)
        return try? await cluster.patch(reference, subresource: nil, .apply, body, options: options)
    }

    private static func hasSameOwners(_ left: KubeObject, _ right: KubeObject) -> Bool {
        func owners(_ object: KubeObject) -> [JSON] {
            ManagedEntry.entries(of: object).map { entry in
                var json = entry.json
                json["time"] = nil
                return json
            }
        }
        return Set(owners(left)) == Set(owners(right))
    }

    /// What the object would be; what it would be refused for is said with the place it comes from.
    private func dryRun(_ desired: DesiredObject, isForced: Bool) async throws -> KubeObject {
        let options = ObjectApplier.options(isForced: isForced, isDryRun: true)
        let result = try await retry("check \(desired.reference.words)") { () -> Result<KubeObject, Failure> in
            do {
                let object = try await cluster.patch(
                    desired.reference,
                    subresource: nil,
                    .apply,
                    desired.object.json,
                    options: options
                )
                return .success(object)
            } catch let failure as Failure where !FieldConflict.all(in: failure, live: nil).isEmpty {
                return .failure(failure)
            }
        }
        switch result {
        case .success(let object): return object
        case .failure(let failure): throw failure
        }
    }
}

/// What can change of a volume claim that exists: its size, and that only upwards.
enum ClaimRule {
    /// Makes the wanted claim one that can be applied; returns what the release does not get, for people.
    static func settle(_ claim: inout KubeObject, live: KubeObject) -> [String] {
        let name = "persistentvolumeclaim \(live.namespace ?? "")/\(live.name)"
        var notes: [String] = []
        if let wanted = claim.spec["storageClassName"]?.string, let has = live.spec["storageClassName"]?.string,
            wanted != has
        {
            notes.append("\(name) stays in the storage class '\(has)': a claim cannot move")
            claim.json.set(.string(has), at: ["spec", "storageClassName"])
        }
        let path = ["spec", "resources", "requests", "storage"]
        guard let text = claim.json[path: path]?.scalarText, let stored = live.json[path: path]?.scalarText,
            let wanted = Quantity(text), let has = Quantity(stored)
        else { return notes }
        if wanted <= has { claim.json.set(.string(stored), at: path) }
        if wanted < has { notes.append("\(name) stays at \(stored): a claim cannot shrink") }
        return notes
    }
}
