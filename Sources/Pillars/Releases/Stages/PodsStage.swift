// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Stage 3: the cluster is changed, and its new pods are awaited.
struct PodsStage: Sendable {
    let cluster: any ClusterAPI
    let progress: any ReleaseProgress
    let clock: WallClock

    /// Creates or changes what the app needs, in order; returns what changed, for people.
    func apply(_ app: App, image: String, credentials: (host: String, login: RegistryCredentials)?) async throws
        -> [String]
    {
        try await ensureNamespace(app.namespace)
        var changes: [String] = []
        var pullSecret: String?
        if let credentials {
            pullSecret = "ballast-pull-\(app.name)"
            let secret = PullSecret.object(
                named: pullSecret ?? "",
                in: app.namespace,
                credentials.host,
                credentials.login
            )
            changes += try await apply(secret, .secrets)
        }
        for (type, object) in AppObjects(app: app, image: image, pullSecret: pullSecret).all {
            changes += try await apply(object, type)
        }
        changes += try await removeWhatIsNoLongerWanted(app)
        return changes
    }

    func ensureNamespace(_ namespace: NamespaceName) async throws {
        let reference = ObjectReference(.namespaces, name: namespace.text)
        guard try await cluster.find(reference) == nil else { return }
        do {
            _ = try await cluster.create(KubeObject(.namespaces, name: namespace.text), as: .namespaces)
            await progress.report(.note("created namespace \(namespace)"))
        } catch let failure as Failure where failure.code == .conflict {
            return  // somebody else was faster
        }
    }

    private func apply(_ object: KubeObject, _ type: ResourceType) async throws -> [String] {
        let reference = ObjectReference(type, namespace: object.namespace, name: object.name)
        guard let live = try await cluster.find(reference) else {
            _ = try await cluster.create(ObjectDifference.stamped(object), as: type)
            await progress.report(.note("created \(reference)"))
            return ["created \(reference)"]
        }
        guard let patch = ObjectDifference.mergePatch(wanted: object, live: live) else { return [] }
        _ = try await cluster.patch(reference, .merge, patch)
        await progress.report(.note("changed \(reference)"))
        return ObjectDifference.summary(of: patch, live: live).map { "\(reference) \($0)" }
    }

    /// A Service or Ingress that we made for this app and that its file no longer asks for.
    private func removeWhatIsNoLongerWanted(_ app: App) async throws -> [String] {
        let wanted = AppObjects(app: app, image: "").all.map(\.type)
        var changes: [String] = []
        for type in [ResourceType.ingresses, .services] where !wanted.contains(type) {
            let reference = ObjectReference(type, namespace: app.namespace.text, name: app.name.text)
            guard let live = try await cluster.find(reference), live.annotations[ObjectDifference.annotation] != nil
            else {
                continue
            }
            try await cluster.delete(reference, options: DeleteOptions(uid: live.uid))
            changes.append("deleted \(reference)")
        }
        return changes
    }

    /// Returns when all pods are of the new revision and ready; throws the diagnosis as ``RolloutFailed``.
    func awaitPods(_ app: App) async throws {
        var machine = RolloutMachine(startedAt: clock.now, patience: app.deploy.deadline)
        let observer = RolloutObserver(cluster: cluster, app: app)
        var said = ""
        var look = try await observer.next(before: nil)
        while true {
            switch machine.observe(look, at: clock.now) {
            case .succeed: return
            case .fail(let diagnosis):
                throw RolloutFailed(diagnosis: diagnosis, lastLines: await observer.lastLines(of: diagnosis))
            case .wait(let moment, let what):
                if what != said { await progress.report(.note(what)) }
                said = what
                look = try await observer.next(before: moment - clock.now)
            }
        }
    }
}

/// A rollout that came to nothing, and why.
struct RolloutFailed: Error {
    var diagnosis: Diagnosis
    var lastLines: [String]

    var message: String {
        let said =
            lastLines.isEmpty ? "" : "; its last lines:\n" + lastLines.map { "  | \($0)" }.joined(separator: "\n")
        return diagnosis.description + said
    }
}
