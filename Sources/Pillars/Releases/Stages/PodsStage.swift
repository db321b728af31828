// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Stage 3: the cluster is changed, and its new pods are awaited.
struct PodsStage: Sendable {
    let cluster: any ClusterAPI
    let progress: any ReleaseProgress
    let clock: WallClock
    let sleeper: any Clock<Duration>
    let retry: CallRetry

    /// Throws `conflict` where an object that the app needs belongs to somebody else. Changes nothing.
    func check(_ app: App) async throws {
        let namespace = ObjectReference(.namespaces, name: app.namespace.text)
        let found = try await retry("look at the cluster") { try await cluster.find(namespace) }
        guard let found else { return }
        if found.isTerminating {
            throw Failure(.conflict, "the namespace '\(app.namespace)' is being deleted; release again once it is gone")
        }
        for (type, object) in AppObjects(app: app, image: "").all where type != .persistentVolumeClaims {
            let reference = ObjectReference(type, namespace: object.namespace, name: object.name)
            let live = try await retry("look at \(reference.words)") { try await cluster.find(reference) }
            guard let live else { continue }
            if let refusal = ObjectOwner.refusal(of: live, type) { throw refusal }
            if type == .deployments { try ObjectOwner.demandSelector(of: object, in: live) }
        }
    }

    /// Creates or changes what the app needs, in order; returns what changed, for people.
    func apply(_ app: App, image: String, pullSecret: KubeObject?) async throws -> [String] {
        var changes: [String] = []
        if let pullSecret { changes += try await apply(pullSecret, .secrets) }
        let secretName = app.image.credentials.map { _ in PullSecret.name(for: app.name) }
        for (type, object) in AppObjects(app: app, image: image, pullSecret: secretName).all {
            changes += try await type == .persistentVolumeClaims ? applyClaim(object) : apply(object, type)
        }
        return changes
    }

    private func apply(_ object: KubeObject, _ type: ResourceType) async throws -> [String] {
        let reference = ObjectReference(type, namespace: object.namespace, name: object.name)
        let outcome = try await retry("change \(reference.words)") { () -> Result<[String], Failure> in
            guard let live = try await cluster.find(reference) else {
                _ = try await cluster.create(ObjectDifference.stamped(object), as: type)
                return .success(["created \(reference.words)"])
            }
            // Not thrown, since no second look makes a foreign object ours.
            if let refusal = ObjectOwner.refusal(of: live, type) { return .failure(refusal) }
            guard let patch = ObjectDifference.mergePatch(wanted: object, live: live) else { return .success([]) }
            _ = try await cluster.patch(reference, .merge, patch)
            return .success(ObjectDifference.summary(of: patch, live: live).map { "\(reference.words) \($0)" })
        }
        let changes = try outcome.get()
        if let first = changes.first {
            await progress.report(.note(first.hasPrefix("created") ? first : "changed \(reference.words)"))
        }
        return changes
    }

    /// A claim is created once. Of an existing one nothing can change but its size, and that only upwards.
    private func applyClaim(_ claim: KubeObject) async throws -> [String] {
        let reference = ObjectReference(.persistentVolumeClaims, namespace: claim.namespace, name: claim.name)
        let size = claim.spec[path: "resources", "requests", "storage"]?.string ?? ""
        let storageClass = claim.spec["storageClassName"]?.string
        let (change, notes) = try await retry("change \(reference.words)") { () -> (String?, [String]) in
            guard let live = try await cluster.find(reference) else {
                _ = try await cluster.create(ObjectDifference.stamped(claim), as: .persistentVolumeClaims)
                return ("created \(reference.words)", [])
            }
            var notes: [String] = []
            if let storageClass, let has = live.spec["storageClassName"]?.string, has != storageClass {
                notes.append("\(reference.words) stays in the storage class '\(has)': a claim cannot move")
            }
            let stored = live.spec[path: "resources", "requests", "storage"]?.scalarText ?? "0"
            guard let wanted = Quantity(size), let has = Quantity(stored), wanted != has else { return (nil, notes) }
            guard wanted > has else {
                return (nil, notes + ["\(reference.words) stays at \(stored): a claim cannot shrink"])
            }
            let patch: JSON = ["spec": ["resources": ["requests": ["storage": .string(size)]]]]
            _ = try await cluster.patch(reference, .merge, patch)
            return ("\(reference.words) spec.resources.requests.storage: \(stored) -> \(size)", notes)
        }
        for note in notes + [change].compactMap(\.self) { await progress.report(.note(note)) }
        return [change].compactMap(\.self)
    }

    /// Deletes what we made for this app and its file no longer asks for; claims are kept, since they hold data.
    func removeWhatIsNoLongerWanted(_ app: App) async throws -> [String] {
        let objects = AppObjects(app: app, image: "")
        let wanted = objects.all.map(\.type)
        var surplus = [ResourceType.ingresses, .services].filter { !wanted.contains($0) }.map {
            ObjectReference($0, namespace: app.namespace.text, name: app.name.text)
        }
        if app.image.credentials == nil {
            let name = PullSecret.name(for: app.name)
            surplus.append(ObjectReference(.secrets, namespace: app.namespace.text, name: name))
        }
        var changes: [String] = []
        for reference in surplus {
            let isDeleted = try await retry("delete \(reference.words)") {
                guard let live = try await cluster.find(reference), ObjectOwner.stranger(of: live) == nil,
                    !live.isTerminating
                else { return false }
                try await cluster.delete(reference, options: DeleteOptions(uid: live.uid))
                return true
            }
            if isDeleted { changes.append("deleted \(reference.words)") }
        }
        return changes
    }

    /// Returns when all pods are of the new revision and ready; throws the diagnosis as ``RolloutFailed``.
    func awaitPods(_ app: App, image: String, patience: Duration) async throws {
        let watch = HealthWatch(cluster: cluster, progress: progress, clock: clock, sleeper: sleeper)
        let deployment = AppObjects(app: app, image: image).all.first { $0.type == .deployments }?.object
        let reference = ObjectReference(.deployments, namespace: app.namespace.text, name: app.name.text)
        try await watch.wait(for: [HealthTarget(reference, applied: deployment)], patience: patience)
    }
}
