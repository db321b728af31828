// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Telemetry

/// All pods of this node: a worker for each, from the moment it is assigned until nothing of it is left.
actor PodNode {
    private let services: PodServices
    private var workers: [String: PodWorker] = [:]
    private var tasks: [String: Task<Void, Never>] = [:]
    private var isStopping = false

    init(_ services: PodServices) { self.services = services }

    /// Takes the complete list of this node's pods; workers of pods that are not in it stop their pods.
    func take(all pods: [KubeObject]) {
        let present = Set(pods.map(\.uid))
        for (uid, worker) in workers where !present.contains(uid) { vanish(worker) }
        for pod in pods { take(pod) }
        removeLeftovers(keeping: present)
    }

    /// Takes one pod as it is now.
    func take(_ pod: KubeObject) {
        guard !isStopping else { return }
        if let worker = workers[pod.uid] { return worker.post(.changed(pod)) }
        let worker = PodWorker(pod, services)
        workers[pod.uid] = worker
        // Runs until the pod is gone, whatever started it; `stop` asks it to end and awaits it.
        tasks[pod.uid] = Task {
            await worker.run()
            self.forget(pod)
        }
    }

    /// The pod's object is gone from the API.
    func vanish(_ pod: KubeObject) {
        if let worker = workers[pod.uid] { vanish(worker, pod) }
    }

    private func vanish(_ worker: PodWorker, _ pod: KubeObject? = nil) {
        let spec = pod.map(PodSpec.init)
        worker.post(.event(.vanished(grace: spec?.deletionGracePeriod ?? spec?.gracePeriod ?? .seconds(30))))
    }

    /// Something in that namespace changed to which pods may refer.
    func referencesChanged(in namespace: String, to name: String, isSecret: Bool) {
        for worker in workers.values { worker.post(.referencesChanged) }
    }

    /// Stops all pods and leaves their objects as they are. Returns when all are stopped.
    func stop() async {
        isStopping = true
        for worker in workers.values { worker.post(.shutDown) }
        for task in tasks.values { await task.value }
    }

    private func forget(_ pod: KubeObject) {
        workers[pod.uid] = nil
        tasks[pod.uid] = nil
        guard !isStopping else { return }
        clear(pod.uid)
    }

    /// Removes what is kept of a pod: its volumes that live as long as it does, and its logs.
    private func clear(_ uid: String) {
        do {
            try PodVolumes.unmount(services.folders.pod(uid))
            try Folder.remove(services.folders.pod(uid))
            for name in Folder.names(in: services.folders.podLogs) where name.hasSuffix("_\(uid)") {
                try Folder.remove("\(services.folders.podLogs)/\(name)")
            }
        } catch {
            services.telemetry.emit(NodeTrouble(what: "pod not cleared away", subject: uid, error: error))
        }
    }

    /// Clears away pods that were deleted while this node was not running.
    private func removeLeftovers(keeping present: Set<String>) {
        for uid in Folder.names(in: services.folders.pods) where !present.contains(uid) && workers[uid] == nil {
            clear(uid)
        }
    }

    fileprivate func worker(namespace: String, pod: String, uid: String) -> PodWorker? { workers[uid] }
}

extension PodNode: NodeAgent {
    package func logs(namespace: String, pod: String, uid: String, _ options: LogOptions) async throws
        -> AsyncThrowingStream<[UInt8], any Error>
    {
        guard let worker = worker(namespace: namespace, pod: pod, uid: uid) else {
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

/// Hands a reader's pieces out one at a time, as they are asked for.
private actor LogSource {
    private let reader: LogReader
    init(_ reader: sending LogReader) { self.reader = reader }
    func next() async -> [UInt8]? { await reader.next() }
}
