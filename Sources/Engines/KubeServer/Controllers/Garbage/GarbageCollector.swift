// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Synchronization
import Telemetry

/// Removes what lost its owners, and carries out foreground and orphaning removals.
///
/// It follows every type the cluster serves, custom ones as they come and go. Before it removes anything for want of an
/// owner it asks the cluster itself, so a mirror that lags behind costs nothing but time.
struct GarbageCollector: Sendable {
    let context: ControllerContext
    let types: ServedTypes
    let telemetry: Telemetry
    let sleep: @Sendable (Duration) async throws -> Void
    let makeMirror: @Sendable (ResourceType) -> ObjectMirror
    let graph: SharedGraph

    private static let workers = 4
    private var api: any ClusterAPI { context.writer.api }

    /// The graph, shared by the feeds and the workers.
    final class SharedGraph: Sendable {
        let state = Mutex(OwnerGraph())
    }

    func run() async {
        let backoff = BackoffSchedule(first: .milliseconds(10), limit: .seconds(30))
        let queue = WorkQueue<String>(clock: context.clock, backoff: backoff)
        await withDiscardingTaskGroup { group in
            for type in types.builtIn where type != .events {
                group.addTask { await feed(type, queue, reusing: context.mirrors.mirror(of: type)) }
            }
            group.addTask { await followDefinitions(queue) }
            for _ in 0..<Self.workers {
                group.addTask { while let uid = await queue.next() { await look(at: uid, queue) } }
            }
            for await delay in queue.delays {
                group.addTask {
                    guard (try? await sleep(delay.duration)) != nil else { return }
                    queue.addDue(delay.name)
                }
            }
        }
    }

    // MARK: Feeds

    private func feed(_ type: ResourceType, _ queue: WorkQueue<String>, reusing mirror: ObjectMirror? = nil) async {
        let own = mirror == nil ? makeMirror(type) : nil
        guard let source = mirror ?? own else { return }
        await withDiscardingTaskGroup { group in
            if let own { group.addTask { await own.run() } }
            for await change in source.changes() {
                let uids = graph.state.withLock { $0.apply(change, of: type) }
                for uid in uids { queue.add(uid) }
            }
        }
    }

    /// Starts a feed for each custom type when its definition is established, and ends it when it goes.
    private func followDefinitions(_ queue: WorkQueue<String>) async {
        await withDiscardingTaskGroup { group in
            var running: [ObjectName: (type: ResourceType, stop: AsyncStream<Never>.Continuation)] = [:]
            for await change in types.definitions.changes() {
                let name = ObjectName(change.object)
                var type = ServedTypes.type(of: change.object)
                if case .deleted = change { type = nil }
                guard type != running[name]?.type else { continue }
                running.removeValue(forKey: name)?.stop.finish()
                guard let type else { continue }
                let (stopped, stop) = AsyncStream.makeStream(of: Never.self)
                running[name] = (type, stop)
                group.addTask { await feed(type, queue, until: stopped) }
            }
        }
    }

    private func feed(_ type: ResourceType, _ queue: WorkQueue<String>, until stopped: AsyncStream<Never>) async {
        await withTaskGroup { group in
            group.addTask { await feed(type, queue) }
            group.addTask { for await _ in stopped {} }
            await group.next()
            group.cancelAll()
        }
        guard !Task.isCancelled else { return }
        for uid in graph.state.withLock({ $0.forget(type) }) { queue.add(uid) }
    }

    // MARK: Work

    private func look(at uid: String, _ queue: WorkQueue<String>) async {
        do {
            try await settle(uid, queue)
            queue.succeed(uid, again: nil)
        } catch {
            let delay = queue.fail(uid)
            let code = (error as? Failure)?.code
            guard code != .conflict, code != .notFound, !(error is CancellationError) else { return }
            let name = ObjectName(name: uid)
            telemetry.emit(ReconcileFailed(controller: "garbage-collector", name: name, error: error, delay: delay))
        }
    }

    private func settle(_ uid: String, _ queue: WorkQueue<String>) async throws {
        var action = graph.state.withLock { $0.action(for: uid) }
        if case .verify(let owners) = action, let node = graph.state.withLock({ $0.nodes[uid] }) {
            var (absent, present): (Set<String>, Set<String>) = ([], [])
            for owner in owners {
                if try await exists(owner, of: node) { present.insert(owner.uid) } else { absent.insert(owner.uid) }
            }
            action = graph.state.withLock { $0.action(for: uid, absent: absent, present: present) }
        }
        guard let node = graph.state.withLock({ $0.nodes[uid] }) else { return }
        try await carryOut(action, on: node, queue)
    }

    private func carryOut(_ action: OwnerGraph.Action, on node: OwnerGraph.Node, _ queue: WorkQueue<String>)
        async throws
    {
        switch action {
        case .nothing: break
        case .look(let uids): for uid in uids { queue.add(uid) }
        case .verify: queue.add(node.uid)  // the graph changed meanwhile
        case .dropOwners(let uids): try await drop(Set(uids), from: node)
        case .delete(let propagation):
            let kept: DeleteOptions.Propagation =
                node.finalizers.contains(OwnerGraph.orphan)
                ? .orphan : node.finalizers.contains(OwnerGraph.foreground) ? .foreground : propagation
            try await ignoringMissing {
                try await api.delete(node.reference, options: DeleteOptions(propagation: kept, uid: node.uid))
            }
        case .orphan(let uids):
            for uid in uids {
                guard let dependent = graph.state.withLock({ $0.nodes[uid] }) else { continue }
                try await drop([node.uid], from: dependent)
            }
            try await remove(OwnerGraph.orphan, from: node)
        case .removeFinalizer(let finalizer): try await remove(finalizer, from: node)
        case .unblockOwners: try await unblockOwners(of: node)
        }
    }

    /// Whether the owner is there under that uid. One of a type nobody serves here counts as there: nothing may be removed for
    /// want of knowledge.
    private func exists(_ owner: OwnerGraph.Owner, of node: OwnerGraph.Node) async throws -> Bool {
        guard let type = types.type(apiVersion: owner.apiVersion, kind: owner.kind) else { return true }
        guard !type.isNamespaced || node.reference.namespace != nil else { return true }
        let reference = ObjectReference(type, namespace: node.reference.namespace, name: owner.name)
        return try await api.find(reference)?.uid == owner.uid
    }

    private func drop(_ owners: Set<String>, from node: OwnerGraph.Node) async throws {
        try await ignoringMissing {
            let object = try await api.get(node.reference)
            guard object.uid == node.uid else { return }
            let kept = object.ownerReferences.filter { !owners.contains($0["uid"]?.string ?? "") }
            guard kept.count != object.ownerReferences.count else { return }
            try await patch(["ownerReferences": kept.isEmpty ? .null : .array(kept)], object, node)
        }
    }

    private func unblockOwners(of node: OwnerGraph.Node) async throws {
        try await ignoringMissing {
            let object = try await api.get(node.reference)
            guard object.uid == node.uid else { return }
            let owners = object.ownerReferences.map { owner in
                var owner = owner
                owner["blockOwnerDeletion"] = false
                return owner
            }
            try await patch(["ownerReferences": .array(owners)], object, node)
        }
    }

    private func remove(_ finalizer: String, from node: OwnerGraph.Node) async throws {
        try await ignoringMissing {
            let object = try await api.get(node.reference)
            guard object.uid == node.uid, object.finalizers.contains(finalizer) else { return }
            let kept = object.finalizers.filter { $0 != finalizer }.map { JSON.string($0) }
            try await patch(["finalizers": kept.isEmpty ? .null : .array(kept)], object, node)
        }
    }

    private func patch(_ change: JSON, _ object: KubeObject, _ node: OwnerGraph.Node) async throws {
        var metadata = change
        metadata["uid"] = .string(object.uid)
        metadata["resourceVersion"] = .string(object.resourceVersion.text)
        _ = try await api.patch(node.reference, .merge, ["metadata": metadata])
    }

    private func ignoringMissing(_ body: () async throws -> Void) async throws {
        do { try await body() } catch let failure as Failure where failure.code == .notFound {}
    }
}

extension KubeObject {
    /// What the garbage collector needs of an object.
    var ownership: KubeObject {
        var metadata: JSON = [:]
        let fields = [
            "name", "namespace", "uid", "resourceVersion", "ownerReferences", "finalizers", "deletionTimestamp",
        ]
        for field in fields { metadata[field] = self.metadata[field] }
        return KubeObject(["metadata": metadata])
    }
}
