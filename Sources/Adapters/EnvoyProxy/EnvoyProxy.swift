// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Logging
import Model
package import Ports
import Synchronization
package import Telemetry

/// The edge and the Services' addresses: one Envoy process, kept running and kept up to date.
///
/// Follows Services, EndpointSlices and Ingresses. A change of endpoints or of an Ingress touches no listener, and a
/// listener that changes drains, so no request fails by a change.
package struct EnvoyProxy: Sendable {
    private let configuration: EnvoyConfiguration
    private let api: any ClusterAPI
    let clock: any Clock<Duration>
    let telemetry: Telemetry
    /// How Envoy is doing, and what it rejects.
    package let state = EnvoyState()

    package init(
        configuration: EnvoyConfiguration,
        api: any ClusterAPI,
        clock: any Clock<Duration> = ContinuousClock(),
        telemetry: Telemetry
    ) {
        self.configuration = configuration
        self.api = api
        self.clock = clock
        self.telemetry = telemetry
    }

    /// Ends what an earlier run on the same folder left behind, so that its ports are free again; returns how many.
    package static func endLeftovers(of configuration: EnvoyConfiguration) async throws -> Int {
        try await LeftoverEnvoy.end(bootstrap: configuration.bootstrapPath, clock: ContinuousClock())
    }

    /// Serves until the surrounding task is cancelled, then ends Envoy. Throws where Envoy cannot be started at all.
    package func run() async throws {
        guard unsafe access(configuration.program, X_OK) == 0 else {
            throw Failure(
                .unavailable,
                "there is no program '\(configuration.program)'; run scripts/setup, which installs Envoy"
            )
        }
        let left = try await LeftoverEnvoy.end(bootstrap: configuration.bootstrapPath, clock: clock)
        if left > 0 { telemetry.log.notice("ended an envoy of an earlier run", metadata: ["count": "\(left)"]) }
        let view = ClusterView(api: api)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await view.run() }
            group.addTask { try await serve(view) }
            try await group.next()
            group.cancelAll()
        }
    }

    private func serve(_ view: ClusterView) async throws {
        await view.waitUntilSynced()
        try Task.checkCancellation()
        var writer = PlanWriter(configuration: configuration, clock: clock, telemetry: telemetry, state: state)
        let plan = input(view).plan(configuration)
        _ = unsafe unlink(configuration.adminSocket)
        try writer.prepare(plan)
        let process = EnvoyProcess(configuration: configuration, clock: clock, telemetry: telemetry, state: state)
        let started = writer
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await process.run() }
            group.addTask { try await follow(view, started) }
            group.addTask { try await AccessLogRotation(configuration: configuration, clock: clock).run() }
            try await group.next()
            group.cancelAll()
        }
    }

    /// What the cluster holds, and what is this machine's own of the addresses in it.
    private func input(_ view: ClusterView) -> ProxyInput {
        var input = view.input
        input.ownAddresses = HostAddresses(podSubnet: configuration.podSubnet).own(among: input.addresses)
        return input
    }

    private func isPods(_ address: String) -> Bool {
        guard let subnet = configuration.podSubnet, let number = IPv4Text.number(address) else { return false }
        return IPv4Text.contains(subnet, number)
    }

    /// Carries out each change; those that come meanwhile are taken together.
    private func follow(_ view: ClusterView, _ writer: PlanWriter) async throws {
        var writer = writer
        var notices = ProxyNotices(api: api, telemetry: telemetry)
        var balancers = LoadBalancerStatus(api: api, telemetry: telemetry)
        try await writer.settle()
        let (wakes, wake) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let again = Flag()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await view.wake(wake) }
            group.addTask { try await wakeWhileNeeded(wake, again) }
            for await _ in wakes {
                if again.takeRetry() { try await writer.retry() }
                let input = input(view)
                let plan = input.plan(configuration)
                if plan != writer.current { try await writer.apply(plan) }
                await notices.observe(plan.warnings, at: .now)
                await balancers.observe(input.services)
                // Whether an address outside of the pods' subnet is this machine's can change without a word.
                let isForeign = input.addresses.contains { !isPods($0) }
                again.isNeeded =
                    notices.isWaiting || balancers.isWaiting || !state.rejections.isEmpty || isForeign
            }
            group.cancelAll()
        }
    }

    /// Looks again while Envoy rejects something, which may be over, or something waits to be reported.
    private func wakeWhileNeeded(_ wake: AsyncStream<Void>.Continuation, _ again: Flag) async throws {
        while !Task.isCancelled {
            try await clock.sleep(for: .seconds(3))
            guard again.isNeeded else { continue }
            again.setRetry()
            wake.yield()
        }
    }

    /// Whether to look again without a change, and whether what comes next is such a look.
    private final class Flag: Sendable {
        private let state = Mutex((isNeeded: false, isRetry: false))

        var isNeeded: Bool {
            get { state.withLock { $0.isNeeded } }
            set { state.withLock { $0.isNeeded = newValue } }
        }

        func setRetry() { state.withLock { $0.isRetry = true } }

        func takeRetry() -> Bool {
            state.withLock { state in
                defer { state.isRetry = false }
                return state.isRetry
            }
        }
    }
}

/// The cluster's objects that the proxy follows.
struct ClusterView: Sendable {
    private let services: ObjectMirror
    private let slices: ObjectMirror
    private let ingresses: ObjectMirror
    private let ingressClasses: ObjectMirror

    init(api: any ClusterAPI) {
        let trim: @Sendable (KubeObject) -> KubeObject = { object in
            var object = object
            object.json.set(nil, at: ["metadata", "managedFields"])
            return object
        }
        services = ObjectMirror(ListQuery(.services), of: api, trim: trim)
        slices = ObjectMirror(ListQuery(.endpointSlices), of: api, trim: trim)
        ingresses = ObjectMirror(ListQuery(.ingresses), of: api, trim: trim)
        ingressClasses = ObjectMirror(ListQuery(.ingressClasses), of: api, trim: trim)
    }

    private var all: [ObjectMirror] { [services, slices, ingresses, ingressClasses] }

    var input: ProxyInput {
        ProxyInput(
            services: services.objects,
            slices: slices.objects,
            ingresses: ingresses.objects,
            ingressClasses: ingressClasses.objects
        )
    }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for mirror in all { group.addTask { await mirror.run() } }
        }
    }

    func waitUntilSynced() async {
        for mirror in all { await mirror.waitUntilSynced() }
    }

    /// Yields after every change, until cancelled; then ends the stream.
    func wake(_ wake: AsyncStream<Void>.Continuation) async {
        await withTaskGroup(of: Void.self) { group in
            for mirror in all {
                group.addTask { for await _ in mirror.changes() { wake.yield() } }
            }
        }
        wake.finish()
    }
}
