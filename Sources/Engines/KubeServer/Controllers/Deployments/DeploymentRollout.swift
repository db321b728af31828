// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// The steps of one look at a deployment, carried out.
struct DeploymentRollout: Sendable {
    let context: ControllerContext
    let deployment: KubeObject
    let controller: String

    private var writer: ClusterWriter { context.writer }
    private var bounds: RolloutBounds { RolloutBounds(deployment) }

    // MARK: Rolling update

    func rollForward(_ found: ReplicaSetFamily) async throws {
        let family = try await withNewest(found, isCreated: true)
        guard let newest = family.newest else { return }
        let update = RollingUpdate(bounds: bounds)
        let total = family.all.reduce(0) { $0 + $1.replicas }
        let size = update.newSize(of: newest.rolloutMember, total: total)
        if size != newest.replicas {
            try await scale(newest, to: size)
            return try await writeStatus(family, judgesProgress: true)
        }
        let sizes = update.oldSizes(family.oldActive.map(\.rolloutMember), newest: newest.rolloutMember)
        for set in family.oldActive { if let size = sizes[set.name] { try await scale(set, to: size) } }
        if sizes.isEmpty { try await cleanUp(family) }
        try await writeStatus(family, judgesProgress: true)
    }

    // MARK: Recreate

    func recreate(_ found: ReplicaSetFamily) async throws {
        var family = try await withNewest(found, isCreated: false)
        if !family.oldActive.isEmpty {
            for set in family.oldActive { try await scale(set, to: 0) }
            return try await writeStatus(family, judgesProgress: true)
        }
        guard !hasOldPods(family) else { return try await writeStatus(family, judgesProgress: true) }
        family = try await withNewest(family, isCreated: true)
        if let newest = family.newest, newest.replicas != bounds.replicas {
            try await scale(newest, to: bounds.replicas)
        }
        try await cleanUp(family)
        try await writeStatus(family, judgesProgress: true)
    }

    private func hasOldPods(_ family: ReplicaSetFamily) -> Bool {
        family.old.contains { set in
            context.mirrors.pods.objects(controlledBy: set.uid).contains { !$0.isFinishedPod }
        }
    }

    // MARK: Scaling alone

    /// For a paused deployment, and for one whose size changed: sizes follow, templates stay.
    func scaleOnly(_ found: ReplicaSetFamily) async throws {
        let family = try await withNewest(found, isCreated: false)
        try await followSize(family)
        if deployment.isPaused { try await cleanUp(family) }
        try await writeStatus(family, judgesProgress: false)
    }

    private func followSize(_ family: ReplicaSetFamily) async throws {
        let active = family.active
        if active.count <= 1 {
            let only = active.first ?? family.newest ?? family.old.max { $0.revision < $1.revision }
            if let only { try await scale(only, to: bounds.replicas) }
        } else if let newest = family.newest, newest.isSaturated(bounds) {
            for set in family.oldActive { try await scale(set, to: 0) }
        } else if deployment.isRolling {
            let sizes = RollingUpdate(bounds: bounds).proportionalSizes(
                active.map(\.rolloutMember),
                statusReplicas: deployment.statusCount("replicas")
            )
            for set in active { try await scale(set, to: sizes[set.name] ?? set.replicas) }
        }
    }

    // MARK: Steps

    /// Sets a replica set's size, and notes the deployment's size on it.
    private func scale(_ set: KubeObject, to size: Int) async throws {
        let notes = ReplicaSetFamily.sizes(bounds).filter { set.annotations[$0.key] != $0.value }
        guard size != set.replicas || !notes.isEmpty else { return }
        var patch: JSON = [:]
        if !notes.isEmpty { patch.set(JSON(notes), at: ["metadata", "annotations"]) }
        if size != set.replicas { patch.set(JSON(size), at: ["spec", "replicas"]) }
        try await writer.merge(patch, into: set, as: .replicaSets)
        guard size != set.replicas else { return }
        let direction = size > set.replicas ? "up" : "down"
        record(
            .normal,
            "ScalingReplicaSet",
            "Scaled \(direction) replica set \(set.name) from \(set.replicas) to \(size)"
        )
    }

    /// The family with its newest member brought up to date, or created.
    private func withNewest(_ family: ReplicaSetFamily, isCreated: Bool) async throws -> ReplicaSetFamily {
        let revision = family.nextRevision
        guard var newest = family.newest else {
            guard isCreated else { return family }
            let created = try await create(family, revision: revision)
            return ReplicaSetFamily(of: deployment, among: family.all + [created])
        }
        if let patch = ReplicaSetFamily.refresh(newest, for: deployment, revision: revision) {
            newest = try await writer.merge(patch, into: newest, as: .replicaSets)
        }
        try await noteRevision(max(revision, newest.revision))
        if deployment.condition("Progressing") == nil {
            try await noteProgress("FoundNewReplicaSet", "Found new replica set \"\(newest.name)\"")
        }
        return ReplicaSetFamily(of: deployment, among: family.old + [newest])
    }

    private func create(_ family: ReplicaSetFamily, revision: Int) async throws -> KubeObject {
        let total = family.all.reduce(0) { $0 + $1.replicas }
        let empty = RolloutMember(name: "", size: 0, available: 0, created: context.clock.now)
        let size =
            deployment.isRolling ? RollingUpdate(bounds: bounds).newSize(of: empty, total: total) : bounds.replicas
        let wanted = ReplicaSetFamily.make(for: deployment, revision: revision, size: size, bounds: bounds)
        do {
            let created = try await writer.create(wanted, as: .replicaSets)
            if size > 0 {
                record(.normal, "ScalingReplicaSet", "Scaled up replica set \(created.name) from 0 to \(size)")
            }
            try await noteRevision(revision)
            try await noteProgress("NewReplicaSetCreated", "Created new replica set \"\(created.name)\"")
            return created
        } catch let failure as Failure where failure.status?.reason == "AlreadyExists" {
            try await countCollision(with: wanted.name)
            throw failure
        } catch let failure as Failure where failure.status?.isNamespaceTerminating == true {
            throw failure
        } catch {
            let message = "Failed to create new replica set \"\(wanted.name)\": \(error)"
            record(.warning, "ReplicaSetCreateError", message)
            if deployment.progressDeadline != nil {
                try await setProgress(Condition("Progressing", "False", "ReplicaSetCreateError", message))
            }
            throw error
        }
    }

    /// The name is taken by a replica set with another template, or one that is not ours: the next hash differs. One with
    /// our template that the mirror has not shown yet needs only another look.
    private func countCollision(with name: String) async throws {
        let reference = ObjectReference(.replicaSets, namespace: deployment.namespace, name: name)
        guard let other = try await writer.api.find(reference) else { return }
        let isOurs = other.isControlled(by: deployment)
        guard !isOurs || ReplicaSetFamily(of: deployment, among: [other]).newest == nil else { return }
        var status = deployment.status
        status["collisionCount"] = JSON((status["collisionCount"]?.int ?? 0) + 1)
        try await writer.setStatus(status, of: deployment, as: .deployments)
    }

    private func cleanUp(_ family: ReplicaSetFamily) async throws {
        let status = DeploymentStatus(deployment: deployment, family: family, now: context.clock.now)
        guard status.isComplete || deployment.isPaused else { return }
        guard let limit = deployment.spec["revisionHistoryLimit"]?.int, limit < Int32.max else { return }
        for set in family.surplusHistory(limit: limit) { try await writer.delete(set, as: .replicaSets) }
    }

    // MARK: Status

    /// Looks at the mirrors again, so that what was just written counts.
    func writeStatus(_ family: ReplicaSetFamily, judgesProgress: Bool) async throws {
        let current = context.mirrors.deployments[ObjectName(deployment)] ?? deployment
        let names = Set(family.all.map(\.uid))
        let sets = context.mirrors.replicaSets.objects(controlledBy: deployment.uid).filter { names.contains($0.uid) }
        // The generation looked at is the one of `deployment`: a newer spec gets a look of its own.
        guard current.generation == deployment.generation else { return }
        let status = DeploymentStatus(
            deployment: current,
            family: ReplicaSetFamily(of: current, among: sets),
            now: context.clock.now
        )
        try await writer.setStatus(status.json(judgesProgress: judgesProgress), of: current, as: .deployments)
    }

    private func noteRevision(_ revision: Int) async throws {
        guard deployment.revision != revision else { return }
        let annotations = [ReplicaSetFamily.revisionKey: String(revision)]
        try await writer.merge(["metadata": ["annotations": JSON(annotations)]], into: deployment, as: .deployments)
    }

    private func noteProgress(_ reason: String, _ message: String) async throws {
        guard deployment.progressDeadline != nil else { return }
        try await setProgress(Condition("Progressing", "True", reason, message))
    }

    private func setProgress(_ condition: Condition) async throws {
        let current = context.mirrors.deployments[ObjectName(deployment)] ?? deployment
        var status = current.status
        var conditions = ConditionList(status)
        conditions.set(condition, at: context.clock.now, hasUpdateTime: true)
        status["conditions"] = conditions.json
        try await writer.setStatus(status, of: current, as: .deployments)
    }

    /// Shows in `Progressing` that the deployment was paused or resumed; whether it had to.
    func notePause() async throws -> Bool {
        guard deployment.progressDeadline != nil else { return false }
        let current = deployment.condition("Progressing")
        // A timed-out rollout stays one.
        guard current?["reason"]?.string != "ProgressDeadlineExceeded" else { return false }
        let wasPaused = current?["reason"]?.string == "DeploymentPaused"
        guard deployment.isPaused != wasPaused else { return false }
        let condition =
            deployment.isPaused
            ? Condition("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused")
            : Condition("Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed")
        try await setProgress(condition)
        return true
    }

    private func record(_ severity: EventRecorder.Severity, _ reason: String, _ message: String) {
        context.events.record(severity, reason, message, on: deployment, by: controller)
    }
}

extension KubeObject {
    /// Whether this replica set has all its deployment wants, and all of it available.
    fileprivate func isSaturated(_ bounds: RolloutBounds) -> Bool {
        replicas == bounds.replicas && statusCount("availableReplicas") == bounds.replicas
            && annotations[ReplicaSetFamily.desiredKey] == String(bounds.replicas)
    }
}
