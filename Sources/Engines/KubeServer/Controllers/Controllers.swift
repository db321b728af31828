// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Logging
package import Model
package import Ports
package import Telemetry

/// The embedded cluster's controllers: what makes pods out of deployments, and so on.
///
/// They use nothing but ``ClusterAPI``. `run()` keeps all of them going until the surrounding task is cancelled.
package struct Controllers: Sendable {
    private let context: ControllerContext
    private let telemetry: Telemetry
    private let clock: any Clock<Duration>
    private let builtIn: [ResourceType]

    /// `wallClock` tells the time; `clock` is slept on. `builtIn` are the types served beside custom ones, those that the
    /// removal of a namespace empties and the garbage collector looks after.
    package init(
        api: any ClusterAPI,
        configuration: ControllerConfiguration,
        builtIn: [ResourceType]? = nil,
        wallClock: WallClock,
        clock: any Clock<Duration> = ContinuousClock(),
        telemetry: Telemetry
    ) {
        let mirrors = ClusterMirrors { query, trim in
            ObjectMirror(query, of: api, clock: clock, trim: trim) { error, delay in
                telemetry.emit(MirrorFailed(type: query.type, error: error, delay: delay))
            }
        }
        context = ControllerContext(
            mirrors: mirrors,
            writer: ClusterWriter(api: api, mirrors: mirrors),
            events: EventRecorder(api: api, clock: wallClock, telemetry: telemetry),
            clock: wallClock,
            configuration: configuration
        )
        self.telemetry = telemetry
        self.clock = clock
        self.builtIn = builtIn ?? ResourceType.builtIn
    }

    package func run() async {
        let clock = clock
        await withDiscardingTaskGroup { group in
            for mirror in context.mirrors.all { group.addTask { await mirror.run() } }
            group.addTask { await context.events.run() }
            let collector = makeCollector(clock)
            group.addTask { await collector.run() }
            for reconciler in reconcilers {
                let loop = ControllerLoop(
                    reconciler: reconciler,
                    clock: context.clock,
                    sleep: { try await clock.sleep(for: $0) },
                    telemetry: telemetry,
                    mirrors: context.mirrors.all
                )
                group.addTask { await loop.run() }
            }
        }
    }

    private var types: ServedTypes { ServedTypes(builtIn: builtIn, definitions: context.mirrors.definitions) }

    private func makeCollector(_ clock: any Clock<Duration>) -> GarbageCollector {
        let (api, telemetry) = (context.writer.api, telemetry)
        return GarbageCollector(
            context: context,
            types: types,
            telemetry: telemetry,
            sleep: { try await clock.sleep(for: $0) },
            makeMirror: { type in
                ObjectMirror(ListQuery(type), of: api, clock: clock, trim: \.ownership) { error, delay in
                    telemetry.emit(MirrorFailed(type: type, error: error, delay: delay))
                }
            },
            graph: GarbageCollector.SharedGraph()
        )
    }

    private var reconcilers: [any Reconciler] {
        [
            NamespaceController(context: context, types: types),
            Scheduler(context: context),
            ReplicaSetController(context: context),
            DeploymentController(context: context),
            StatefulSetController(context: context),
            DaemonSetController(context: context),
            JobController(context: context),
            CronJobController(context: context),
            EndpointSliceController(context: context),
            EndpointsController(context: context),
            BudgetController(context: context),
            AutoscalerController(context: context),
            IngressStatusController(context: context),
            IngressClassController(context: context),
            ClaimController(context: context),
            VolumeController(context: context),
            NodeLifecycleController(context: context, start: context.clock.now),
            TaintEvictionController(context: context),
            PodGarbageController(context: context, start: context.clock.now),
        ]
    }
}

/// A mirror lost touch with the API and will try again.
struct MirrorFailed: TelemetryEvent {
    let type: ResourceType
    let error: any Error
    let delay: Duration

    func record(on telemetry: Telemetry) {
        telemetry.log.warning(
            "mirror lost touch",
            metadata: ["type": "\(type)", "error": "\(error)", "retry_in": "\(delay)"]
        )
        telemetry.count("mirror_failures_total", by: ["type": "\(type)"])
    }
}
