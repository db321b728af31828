// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CLinux
package import Model
package import Ports
package import Telemetry

/// Runs the pods that the cluster assigns to this node: the kubelet's part, with runc below it.
package struct PodRuntime: Sendable {
    let services: PodServices
    private let network: PodNetwork?
    private let node: PodNode
    private let onStop: @Sendable (StopProgress) -> Void

    /// What the API server asks of this node.
    package var agent: any NodeAgent { node }

    /// Prepares the node of a data folder; nothing of the machine is touched before `run`. `drain` is asked before the
    /// containers of a deleted pod are told to end.
    ///
    /// `onStop` hears how a stop goes on. Throws `unavailable` where a program is missing.
    package init(
        configuration: PodRuntimeConfiguration,
        api: any ClusterAPI,
        registries: any ImageRegistries,
        drain: any EndpointDrain = NoEndpointDrain(),
        clock: any Clock<Duration> = ContinuousClock(),
        wall: WallClock,
        telemetry: Telemetry,
        onStop: @escaping @Sendable (StopProgress) -> Void = { _ in }
    ) throws {
        guard let runc = ProgramSearch.find("runc") else {
            throw Failure(.unavailable, "the program 'runc' is missing: install the Debian package runc")
        }
        let folders = NodeFolders(data: configuration.dataFolder)
        let network = try PodNetwork(dataFolder: configuration.dataFolder, telemetry: telemetry)
        let services = PodServices(
            configuration: configuration,
            instance: network.plan.id,
            hostAddress: network.plan.gateway.description,
            folders: folders,
            api: api,
            images: try ImageLayers(folder: folders.images, registries: registries, telemetry: telemetry),
            network: PodNetworkBinding(network: network, clusterDomain: configuration.clusterDomain),
            drain: drain,
            runc: Runc(program: runc, root: folders.runcState),
            controlGroups: ControlGroups(),
            machine: .read(),
            events: EventRecorder(
                api: api,
                component: "kubelet",
                host: configuration.nodeName,
                telemetry: telemetry
            ),
            tokens: ServiceAccountTokens(api: api, wall: wall),
            clock: clock,
            wall: wall,
            telemetry: telemetry
        )
        self.init(services: services, network: network, onStop: onStop)
    }

    init(
        services: PodServices,
        network: PodNetwork?,
        onStop: @escaping @Sendable (StopProgress) -> Void = { _ in }
    ) {
        self.onStop = onStop
        self.services = services
        self.network = network
        node = PodNode(services)
    }

    /// Runs pods until cancelled; then stops them all, within a bound, and undoes every mount.
    package func run() async throws {
        let result = ballast_become_subreaper()
        guard result == 0 else { throw Failure(.fault, "orphans cannot be taken over", cause: Errno(-result)) }
        try Folder.make(services.folders.pods, mode: 0o700)
        try Folder.make(services.folders.podLogs, mode: 0o750)
        try await NodeCleanup(services: services).run()
        try await network?.start()
        let pods = ObjectMirror(
            ListQuery(.pods, fieldSelector: "spec.nodeName=\(services.configuration.nodeName)"),
            of: services.api,
            clock: services.clock
        )
        await withTaskGroup { group in
            group.addTask { await pods.run() }
            group.addTask { await follow(pods) }
            group.addTask { await keepNode() }
            group.addTask { await answerNames() }
            group.addTask { await OrphanReaper(clock: services.clock).run() }
            group.addTask { await services.events.run() }
            group.addTask { await collection.run() }
            await group.waitForAll()
        }
        await stop()
    }

    private var collection: ImageCollection {
        let services = services
        let name = services.configuration.nodeName
        let node = KubeObject([
            "apiVersion": "v1", "kind": "Node", "metadata": ["name": .string(name), "uid": .string(name)],
        ])
        return ImageCollection(
            images: services.images,
            api: services.api,
            clock: services.clock,
            wall: services.wall,
            telemetry: services.telemetry,
            disk: { DiskSpace.read(services.folders.images) },
            complain: { services.events.record($0, about: node, at: services.wall.now) }
        )
    }

    /// Leaves the pods of a stop, now or later, no time to end by themselves.
    package func hurry() async { await node.hurry() }

    private func follow(_ pods: ObjectMirror) async {
        await pods.waitUntilSynced()
        guard !Task.isCancelled else { return }
        await node.removeLeftovers(keeping: Set(pods.objects.map(\.uid)))
        for await change in pods.changes() {
            switch change {
            case .added(let pod), .updated(let pod, _): await node.take(pod)
            case .deleted(let pod): await node.vanish(pod)
            }
        }
    }

    /// Keeps the pods' name server running.
    private func answerNames() async {
        guard let network else { return }
        while !Task.isCancelled {
            do {
                try await PodDNS(plan: network.plan, api: services.api, telemetry: services.telemetry).run()
            } catch {
                services.telemetry.emit(
                    NodeTrouble(what: "pod DNS ended", subject: "\(network.plan.gateway)", error: error)
                )
            }
            try? await services.clock.sleep(for: .seconds(1))
        }
    }

    private func keepNode() async {
        let registration = NodeRegistration(
            services: services,
            podCIDR: network.map { "\($0.plan.podSubnet)" } ?? "",
            runcVersion: await runcVersion()
        )
        guard (try? await registration.register()) != nil else { return }
        await registration.keepCurrent()
    }

    private func runcVersion() async -> String {
        let text = (try? await services.runc.call(["--version"]))?.output ?? ""
        let line = text.split(separator: "\n").first ?? ""
        return line.split(separator: " ").last.map(String.init) ?? "unknown"
    }

    /// Runs in a task of its own, because the present one is cancelled by now and what it does must not be cut short.
    private func stop() async {
        await Task {
            await node.stop(onStop)
            await network?.stop()
            services.controlGroups.remove(services.controlGroup)
        }.value
    }
}
