// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Telemetry

/// All pods of this node: a worker for each, from the moment it is assigned until nothing of it is left.
actor PodNode {
    private struct Entry {
        var worker: PodWorker
        var task: Task<Void, Never>
        var namespace: String
        var references: ReferencedObjects
    }

    private struct WatchKey: Hashable {
        var type: ResourceType
        var namespace: String
    }

    let services: PodServices
    private var entries: [String: Entry] = [:]
    private var watches: [WatchKey: Task<Void, Never>] = [:]
    /// Who waits for the end of a pod.
    private var endings: [String: [AsyncStream<Void>.Continuation]] = [:]
    private var isStopping = false
    private var isHurried = false

    /// How often a stop tells what it waits for.
    private static let noticeInterval: Duration = .seconds(3)

    init(_ services: PodServices) { self.services = services }

    /// Takes one pod as it is now.
    func take(_ pod: KubeObject) {
        guard !isStopping else { return }
        if let entry = entries[pod.uid] { return entry.worker.post(.changed(pod)) }
        let worker = PodWorker(pod, services)
        // Runs until the pod is gone, whatever started it; `stop` asks it to end and awaits it.
        let task = Task {
            await worker.run()
            await self.forget(pod.uid)
        }
        let namespace = pod.namespace ?? "default"
        entries[pod.uid] = Entry(
            worker: worker,
            task: task,
            namespace: namespace,
            references: ReferencedObjects(PodSpec(pod))
        )
        setWatches()
    }

    /// The pod's object is gone from the API.
    func vanish(_ pod: KubeObject) {
        let spec = PodSpec(pod)
        entries[pod.uid]?.worker.post(.event(.vanished(grace: spec.deletionGracePeriod ?? spec.gracePeriod)))
    }

    /// Stops all pods together and leaves their objects as they are. Returns when all are stopped.
    func stop(_ report: @escaping @Sendable (StopProgress) -> Void) async {
        isStopping = true
        for watch in watches.values { watch.cancel() }
        let workers = entries.mapValues(\.worker)
        var alive: [String: String] = [:]
        var limit: Duration = .zero
        for (uid, worker) in workers {
            guard let grace = await worker.shutdownGrace else { continue }
            alive[uid] = worker.label
            limit = max(limit, grace)
        }
        if !alive.isEmpty { report(.begun(pods: alive.values.sorted(), limit: limit)) }
        for worker in workers.values { worker.post(.shutDown(isHurried: isHurried)) }
        await withTaskGroup { [alive] group in
            group.addTask { await self.tellWhoIsLeft(of: alive, report) }
            for entry in entries.values { await entry.task.value }
            group.cancelAll()
        }
        report(.ended)
    }

    private func tellWhoIsLeft(
        of alive: [String: String],
        _ report: @Sendable (StopProgress) -> Void
    ) async {
        while (try? await services.clock.sleep(for: Self.noticeInterval)) != nil {
            let left = alive.filter { entries[$0.key] != nil }.values.sorted()
            if !left.isEmpty { report(.waiting(pods: left)) }
        }
    }

    /// Leaves pods that stop no more time: their containers are killed.
    func hurry() {
        isHurried = true
        guard isStopping else { return }
        for entry in entries.values { entry.worker.post(.shutDown(isHurried: true)) }
    }

    /// Returns when nothing of the pod runs any more, or when the task is cancelled.
    func waitUntilGone(_ uid: String) async {
        guard entries[uid] != nil else { return }
        let (ending, continuation) = AsyncStream.makeStream(of: Void.self)
        endings[uid, default: []].append(continuation)
        for await _ in ending {}
    }

    private func forget(_ uid: String) async {
        entries[uid] = nil
        for ending in endings.removeValue(forKey: uid) ?? [] { ending.finish() }
        await services.tokens.forget(uid)
        guard !isStopping else { return }
        setWatches()
        clear(uid)
    }

    /// Follows the ConfigMaps and Secrets of exactly the namespaces whose pods use any.
    private func setWatches() {
        var wanted: Set<WatchKey> = []
        for entry in entries.values {
            for type in entry.references.names.keys { wanted.insert(WatchKey(type: type, namespace: entry.namespace)) }
        }
        for (key, task) in watches where !wanted.contains(key) {
            task.cancel()
            watches[key] = nil
        }
        for key in wanted where watches[key] == nil {
            let watch = ReferenceWatch(type: key.type, namespace: key.namespace, services: services) {
                [weak self] name in
                await self?.noteChange(key, name)
            }
            // Follows the pods that need it, not the caller; cancelled above or by `stop`.
            watches[key] = Task { await watch.run() }
        }
    }

    private func noteChange(_ key: WatchKey, _ name: String?) {
        for entry in entries.values where entry.namespace == key.namespace && entry.references.contain(key.type, name) {
            entry.worker.post(.referencesChanged)
        }
    }

    /// Removes what is kept of a pod: its volumes that live as long as it does, and its logs.
    private func clear(_ uid: String) {
        do {
            try Mounts.detachAll(below: services.folders.pod(uid))
            try Folder.remove(services.folders.pod(uid))
            for name in Folder.names(in: services.folders.podLogs) where name.hasSuffix("_\(uid)") {
                try Folder.remove("\(services.folders.podLogs)/\(name)")
            }
        } catch {
            services.telemetry.emit(NodeTrouble(what: "pod not cleared away", subject: uid, error: error))
        }
    }

    /// Clears away pods that were deleted while this node was not running; `present` are those that were not.
    func removeLeftovers(keeping present: Set<String>) {
        for uid in Folder.names(in: services.folders.pods) where !present.contains(uid) && entries[uid] == nil {
            clear(uid)
        }
        for name in Folder.names(in: services.folders.podLogs) {
            guard let uid = name.split(separator: "_").last.map(String.init), !present.contains(uid),
                entries[uid] == nil
            else { continue }
            clear(uid)
        }
    }

    fileprivate func worker(uid: String) -> PodWorker? { entries[uid]?.worker }
}

extension PodNode: NodeAgent {
    package func logs(namespace: String, pod: String, uid: String, _ options: LogOptions) async throws
        -> AsyncThrowingStream<[UInt8], any Error>
    {
        guard let worker = worker(uid: uid) else {
            throw Failure(.notFound, "pod \"\(pod)\" is not on this node")
        }
        let name = options.container ?? ""
        let attempt = try await worker.logAttempt(name, previous: options.isPrevious)
        let path = "\(services.folders.podLogs)/\(namespace)_\(pod)_\(uid)/\(name)/\(attempt).log"
        let log = options.follows && !options.isPrevious ? await worker.currentLog(name) : nil
        let reader = LogReader(path, options, changes: log?.path == path ? log?.follow() : nil)
        let source = LogSource(reader)
        return AsyncThrowingStream { await source.next() }
    }
}

extension PodNode {
    package func session(namespace: String, pod: String, uid: String, _ options: SessionOptions) async throws
        -> any ContainerSession
    {
        guard let container = await worker(uid: uid)?.runningContainer(options.container) else {
            throw Failure(.notFound, "container not found (\"\(options.container)\")")
        }
        guard !options.command.isEmpty else { return AttachSession(container: container, options: options) }
        return ExecSession(exec: ContainerExec(services: services, container: container), options: options)
    }

    package func ports(namespace: String, pod: String, uid: String) async throws -> any PodPorts {
        guard let network = await worker(uid: uid)?.networkNamespace else {
            throw Failure(.notFound, "pod does not exist")
        }
        return NodePorts(node: self, uid: uid, namespace: network)
    }
}

/// Hands a reader's pieces out one at a time, as they are asked for.
private actor LogSource {
    private let reader: LogReader
    init(_ reader: sending LogReader) { self.reader = reader }
    func next() async -> [UInt8]? { await reader.next() }
}
