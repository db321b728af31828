// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Telemetry

/// Brings one pod's status into the API: the newest one, as soon as the one before it has arrived.
actor PodStatusWriter {
    private let services: PodServices
    private let reference: ObjectReference
    private let uid: String
    /// The status as the API has it, as far as known.
    private var known: JSON
    private var wanted: JSON?
    private var writing: Task<Void, Never>?
    private var isStopped = false

    private static let ownFields = [
        "phase", "observedGeneration", "conditions", "reason", "message", "hostIP", "hostIPs", "podIP", "podIPs",
        "startTime", "initContainerStatuses", "containerStatuses", "qosClass",
    ]

    init(_ object: KubeObject, _ services: PodServices) {
        self.services = services
        reference = ObjectReference(.pods, namespace: object.namespace, name: object.name)
        uid = object.uid
        known = object.status
    }

    static func addresses(in status: JSON) -> [String] {
        status["podIPs"]?.array?.compactMap { $0["ip"]?.string } ?? []
    }

    /// Takes note of a change that somebody else may have made.
    func observe(_ object: KubeObject) {
        if writing == nil { known = object.status }
    }

    /// Writes what `make` returns, given the status before, unless nothing differs.
    func report(_ make: (JSON) -> JSON) {
        let status = make(wanted ?? known)
        guard !isStopped, status != (wanted ?? known) else { return }
        wanted = status
        guard writing == nil else { return }
        // Outlives the call on purpose: the worker goes on while the API answers; `finish` awaits it.
        writing = Task { await self.write() }
    }

    /// Gives up what is not written yet, and writes nothing more.
    func stop() async {
        isStopped = true
        writing?.cancel()
        await writing?.value
    }

    /// Returns when nothing is left to write.
    func finish() async { await writing?.value }

    private func write() async {
        var wait: Duration = .milliseconds(200)
        while !Task.isCancelled, let status = wanted {
            do {
                let stored = try await services.api.patch(
                    reference,
                    subresource: "status",
                    .merge,
                    patch(status),
                    options: WriteOptions()
                )
                if wanted == status { wanted = nil }
                known = stored.status
                wait = .milliseconds(200)
            } catch let failure as Failure where failure.code == .notFound || failure.code == .conflict {
                wanted = nil  // The pod is gone.
            } catch {
                services.telemetry.emit(
                    NodeTrouble(what: "status not written", subject: reference.description, error: error)
                )
                try? await services.clock.sleep(for: wait)
                wait = min(wait * 2, .seconds(30))
            }
        }
        writing = nil
    }

    /// A merge patch that sets what the node owns, bound to this very pod.
    private func patch(_ status: JSON) -> JSON {
        var body: JSON = status
        for field in Self.ownFields where status[field] == nil && known[field] != nil { body[field] = .null }
        return ["metadata": ["uid": .string(uid)], "status": body]
    }
}
