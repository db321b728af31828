// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Synchronization

/// One round of work for a stateful set: what is missing, what is too much, what is of an old revision.
struct StatefulSetSync: Sendable {
    /// One place in the set, with the pod that is there or has yet to be made.
    struct Slot: Sendable {
        var ordinal: Int
        var pod: KubeObject
        var exists: Bool

        var isHealthy: Bool { exists && pod.isRunningAndReady && !pod.isTerminating }
    }

    let context: ControllerContext
    let view: StatefulSetView
    let current: KubeObject
    let update: KubeObject
    let component: String

    private var set: KubeObject { view.workload }
    private var writer: ClusterWriter { context.writer }

    init(context: ControllerContext, view: StatefulSetView, current: KubeObject, update: KubeObject, by name: String) {
        self.context = context
        self.view = view
        self.current = current
        self.update = update
        component = name
    }

    func run(_ pods: [KubeObject]) async throws {
        let placed = pods.compactMap { pod in
            view.ordinal(of: pod).map { Slot(ordinal: $0, pod: pod, exists: true) }
        }
        let slots = self.slots(placed)
        let condemned = placed.filter { !view.range.contains($0.ordinal) }.sorted { $0.ordinal > $1.ordinal }
        guard try await fill(slots) else { return }
        guard try await shrink(condemned, after: slots) else { return }
        try await renew(slots)
    }

    /// How many missing places one round looks at; each pod that is made brings the next round.
    private static let roundSize = 500

    /// The places of the set in their order. A set may want more pods than there could ever be.
    private func slots(_ placed: [Slot]) -> [Slot] {
        let present = Dictionary(placed.map { ($0.ordinal, $0) }) { first, _ in first }
        let missing = view.range.lazy.filter { present[$0] == nil }.prefix(Self.roundSize).map { ordinal in
            Slot(ordinal: ordinal, pod: view.pod(ordinal, view.isOld(ordinal) ? current : update), exists: false)
        }
        let kept = present.values.filter { view.range.contains($0.ordinal) }
        return (kept + Array(missing)).sorted { $0.ordinal < $1.ordinal }
    }

    // MARK: Too few

    /// Makes what is missing; false when the rest has to wait.
    private func fill(_ slots: [Slot]) async throws -> Bool {
        if view.isMonotonic {
            for slot in slots { guard try await settle(slot) else { return false } }
            return true
        }
        var (left, mayGoOn) = (slots[...], true)
        for size in ReplicaSetPlan.batches(of: slots.count) {
            let goesOn = Goes()
            let error = await inParallel(Array(left.prefix(size))) { slot in
                if try await !settle(slot) { goesOn.stop() }
            }
            if let error { throw error }
            mayGoOn = mayGoOn && goesOn.value
            left = left.dropFirst(size)
        }
        return mayGoOn
    }

    /// Brings one place to where it should be; false when later ones, or later steps, have to wait.
    private func settle(_ slot: Slot) async throws -> Bool {
        guard slot.exists else {
            guard !hasStaleClaim(slot) else { return false }
            try await makeClaims(slot)
            try await create(slot.pod)
            return !view.isMonotonic
        }
        let pod = slot.pod
        if pod.isFinishedPod {
            // It comes back once it is gone.
            if !pod.isTerminating { try await delete(pod) }
            return false
        }
        if pod.podPhase == "Pending" { try await makeClaims(slot) }
        if view.isMonotonic {
            guard !pod.isTerminating, pod.isRunningAndReady else { return false }
            guard pod.isAvailablePod(after: view.minReady, at: context.clock.now) else { return false }
        }
        try await identify(slot)
        try await ownClaims(slot, isCondemned: false)
        return true
    }

    private func identify(_ slot: Slot) async throws {
        let missing = view.identity(slot.ordinal).filter { slot.pod.labels[$0.key] != $0.value }
        guard !missing.isEmpty, !slot.pod.isTerminating else { return }
        _ = try await writer.merge(["metadata": ["labels": JSON(missing)]], into: slot.pod, as: .pods)
        record(.normal, "SuccessfulUpdate", "Update Pod \(slot.pod.name) in StatefulSet \(set.name) successful")
    }

    // MARK: Too many

    /// Removes what is beyond the set's size, highest first; false when the rest has to wait.
    private func shrink(_ condemned: [Slot], after slots: [Slot]) async throws -> Bool {
        for slot in condemned { try await ownClaims(slot, isCondemned: true) }
        // The first that serves nobody may go; any other waits until it serves.
        let idle = (slots + condemned.reversed()).first { !isAvailable($0) }
        var mayGoOn = true
        for slot in condemned {
            if slot.pod.isTerminating {
                if view.isMonotonic { return false }
                continue
            }
            if view.isMonotonic, slot.ordinal != idle?.ordinal, !isAvailable(slot) { return false }
            try await delete(slot.pod)
            if view.isMonotonic { return false }
            mayGoOn = false
        }
        return mayGoOn
    }

    private func isAvailable(_ slot: Slot) -> Bool {
        slot.isHealthy && slot.pod.isAvailablePod(after: view.minReady, at: context.clock.now)
    }

    // MARK: Old revisions

    private func renew(_ slots: [Slot]) async throws {
        guard view.isRolling else { return }
        for slot in slots.reversed() where slot.ordinal >= view.start + view.partition {
            let isOld = slot.pod.labels[StatefulSetView.revisionLabel] != update.name
            if isOld, slot.exists, !slot.pod.isTerminating { return try await delete(slot.pod) }
            guard isAvailable(slot) else { return }
        }
    }

    // MARK: Pods

    private func create(_ pod: KubeObject) async throws {
        do {
            _ = try await writer.create(pod, as: .pods)
            record(.normal, "SuccessfulCreate", "Create Pod \(pod.name) in StatefulSet \(set.name) successful")
        } catch let failure as Failure where failure.status?.reason == "AlreadyExists" {
            throw failure
        } catch {
            if (error as? Failure)?.status?.isNamespaceTerminating != true {
                let text = "Create Pod \(pod.name) in StatefulSet \(set.name) failed error: \(error)"
                record(.warning, "FailedCreate", text)
            }
            throw error
        }
    }

    private func delete(_ pod: KubeObject) async throws {
        do {
            try await writer.delete(pod, as: .pods)
            record(.normal, "SuccessfulDelete", "Delete Pod \(pod.name) in StatefulSet \(set.name) successful")
        } catch {
            let text = "Delete Pod \(pod.name) in StatefulSet \(set.name) failed error: \(error)"
            record(.warning, "FailedDelete", text)
            throw error
        }
    }

    // MARK: Claims

    private func claims(_ slot: Slot) -> [(template: JSON, present: KubeObject?)] {
        view.claimTemplates.map { template in
            let name = view.claimName(template[path: "metadata", "name"]?.string ?? "", slot.ordinal)
            return (template, context.mirrors.claims[ObjectName(namespace: set.namespace, name: name)])
        }
    }

    /// A claim that goes along with an earlier pod of this place.
    private func hasStaleClaim(_ slot: Slot) -> Bool {
        guard !view.keepsClaims("whenScaled") else { return false }
        return claims(slot).contains { _, claim in
            claim?.ownerReferences.contains { $0["kind"] == "Pod" && $0["name"]?.string == slot.pod.name } ?? false
        }
    }

    private func makeClaims(_ slot: Slot) async throws {
        for (template, present) in claims(slot) {
            if let present {
                guard present.isTerminating else { continue }
                throw Failure(.unavailable, "pvc \(present.name) is being deleted")
            }
            let claim = view.claim(template, slot.ordinal)
            do {
                _ = try await writer.create(claim, as: .persistentVolumeClaims)
                let text = "Create Claim \(claim.name) Pod \(slot.pod.name) in StatefulSet \(set.name) success"
                record(.normal, "SuccessfulCreate", text)
            } catch {
                let text =
                    "Create Claim \(claim.name) for Pod \(slot.pod.name) in StatefulSet \(set.name) failed "
                    + "error: \(error)"
                record(.warning, "FailedCreate", text)
                throw error
            }
        }
    }

    private func ownClaims(_ slot: Slot, isCondemned: Bool) async throws {
        for (_, claim) in claims(slot) {
            guard let claim, !claim.isTerminating else { continue }
            let isTaken = claim.controller.map { $0["uid"]?.string != set.uid && $0["uid"]?.string != slot.pod.uid }
            if isTaken == true {
                guard !view.keepsClaims("whenDeleted") || !view.keepsClaims("whenScaled") else { continue }
                let text =
                    "PersistentVolumeClaim \(claim.name) has a conflicting OwnerReference that acts as a manging "
                    + "controller, the retention policy is ignored for this claim"
                record(.warning, "ConflictingController", text)
                continue
            }
            let owners = view.owners(of: claim, pod: slot.pod, isCondemned: isCondemned)
            guard owners != claim.ownerReferences else { continue }
            let references: JSON = owners.isEmpty ? .null : .array(owners)
            let patch: JSON = ["metadata": ["ownerReferences": references]]
            _ = try await writer.merge(patch, into: claim, as: .persistentVolumeClaims)
        }
    }

    private func record(_ severity: EventRecorder.Severity, _ reason: String, _ message: String) {
        context.events.record(severity, reason, message, on: set, by: component)
    }
}

/// Whether everybody who works at the same time wants to go on.
private final class Goes: Sendable {
    private let stopped = Mutex(false)
    var value: Bool { stopped.withLock { !$0 } }
    func stop() { stopped.withLock { $0 = true } }
}
