// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Logging
import Model
import Ports
import Telemetry

/// Brings one object's surroundings to where its spec wants them.
///
/// It looks at the mirrors' present state, never at what changed, so it may be called at any time and any number of
/// times. It meets its own writes: `ClusterWriter` returns only after the mirrors have heard of them.
protocol Reconciler: Sendable {
    /// As the real controller calls itself in events: `deployment-controller`.
    var name: String { get }
    /// How many names are looked at at the same time.
    var workers: Int { get }
    var triggers: [Trigger] { get }
    /// Names to look at once at the start, besides those that the triggers bring.
    var initialNames: [ObjectName] { get }

    /// Returns when to look again even if nothing changes; throwing means after a back-off.
    func reconcile(_ name: ObjectName) async throws -> Duration?
}

extension Reconciler {
    var workers: Int { 2 }
    var initialNames: [ObjectName] { [] }
}

/// Which names to look at when something in a mirror changes.
struct Trigger: Sendable {
    var mirror: ObjectMirror
    var names: @Sendable (ObjectChange) -> [ObjectName]

    init(_ mirror: ObjectMirror, _ names: @escaping @Sendable (ObjectChange) -> [ObjectName]) {
        self.mirror = mirror
        self.names = names
    }

    /// The changed object itself.
    static func each(_ mirror: ObjectMirror) -> Trigger { Trigger(mirror) { [ObjectName($0.object)] } }

    /// The controlling owner of that kind, before and after the change.
    static func owner(_ kind: String, of mirror: ObjectMirror) -> Trigger {
        Trigger(mirror) { change in
            change.versions.compactMap { object in
                guard let owner = object.controller, owner["kind"]?.string == kind, let name = owner["name"]?.string
                else { return nil }
                return ObjectName(namespace: object.namespace, name: name)
            }
        }
    }
}

extension ObjectChange {
    /// The object as it is and, for an update, as it was.
    var versions: [KubeObject] {
        switch self {
        case .added(let object), .deleted(let object): [object]
        case .updated(let object, let before): [object, before]
        }
    }
}

/// Runs one reconciler until cancelled.
struct ControllerLoop: Sendable {
    let reconciler: any Reconciler
    let clock: WallClock
    let sleep: @Sendable (Duration) async throws -> Void
    let telemetry: Telemetry
    /// All mirrors the reconciler reads; it starts when they are complete.
    let mirrors: [ObjectMirror]

    func run() async {
        for mirror in mirrors { await mirror.waitUntilSynced() }
        let backoff = BackoffSchedule(first: .milliseconds(10), limit: .seconds(60))
        let queue = WorkQueue<ObjectName>(clock: clock, backoff: backoff)
        for name in reconciler.initialNames { queue.add(name) }
        await withDiscardingTaskGroup { group in
            for trigger in reconciler.triggers {
                group.addTask {
                    for await change in trigger.mirror.changes() {
                        for name in trigger.names(change) { queue.add(name) }
                    }
                }
            }
            for _ in 0..<reconciler.workers {
                group.addTask { while let name = await queue.next() { await look(at: name, queue) } }
            }
            for await delay in queue.delays {
                group.addTask {
                    guard (try? await sleep(delay.duration)) != nil else { return }
                    queue.addDue(delay.name)
                }
            }
        }
    }

    private func look(at name: ObjectName, _ queue: WorkQueue<ObjectName>) async {
        do {
            queue.succeed(name, again: try await reconciler.reconcile(name))
        } catch {
            let delay = queue.fail(name)
            // Somebody else was faster, or is busy removing the namespace: nothing to report, the next look settles it.
            let code = (error as? Failure)?.code
            guard code != .conflict, code != .notFound, !(error is CancellationError) else { return }
            telemetry.emit(ReconcileFailed(controller: reconciler.name, name: name, error: error, delay: delay))
        }
    }
}

/// A controller could not do its work for one object and will try again.
struct ReconcileFailed: TelemetryEvent {
    let controller: String
    let name: ObjectName
    let error: any Error
    let delay: Duration

    func record(on telemetry: Telemetry) {
        telemetry.log.warning(
            "reconcile failed",
            metadata: [
                "controller": "\(controller)", "object": "\(name)", "error": "\(error)", "retry_in": "\(delay)",
            ]
        )
        telemetry.count("reconcile_failures_total", by: ["controller": controller])
    }
}
