// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import CommandLine
import EnvoyProxy
import Foundation
import Glibc
import HTTPSurface
import ImageStore
import KubeServer
import KubernetesClient
import Logging
import Model
import PodRuntime
import Ports
import RegistryClient
import Releases
import ServiceLifecycle
import Telemetry

/// One `ballast up`: creates every part and runs them as one group, readable from top to bottom.
struct Machine: Sendable {
    let options: UpOptions
    let folder: DataFolder
    let programs: Preflight.Programs
    let urgency: Urgency

    static let nodeName = "ballast"

    /// A killed run leaves its Envoy behind, which holds the ports that the next run wants.
    func endLeftovers() async throws { _ = try await EnvoyProxy.endLeftovers(of: envoyConfiguration()) }

    /// Starts everything, runs `demo`, says `ready`, and returns when the task is cancelled and all is stopped.
    func run(demo: @escaping @Sendable () async throws -> Void) async throws {
        let telemetry = Telemetry("ballast")
        let plan = try PodNetwork.plan(dataFolder: folder.path)
        let certificates = try ClusterCertificates.prepare(in: folder.certificates, serverNames: Self.names(plan))
        let server = try kubernetesServer(plan)
        try await ending(server.close) {
            try await server.bootstrap()
            try await connect(server, plan, certificates, telemetry, demo)
        }
    }

    private func connect(
        _ server: KubernetesServer,
        _ plan: NetworkPlan,
        _ certificates: ClusterCertificates,
        _ telemetry: Telemetry,
        _ demo: @escaping @Sendable () async throws -> Void
    ) async throws {
        try KubeconfigFile.write(
            to: folder.kubeconfig,
            server: "https://127.0.0.1:\(options.ports.kubernetes)",
            certificates: certificates
        )
        try options.ports.write(to: folder.machineFile)

        let client = try KubernetesClient(try KubeConfig.load(path: folder.kubeconfig), userAgent: "ballast-node")
        try await ending(client.shutdown) {
            let clients = RegistryAccess.ofTheNode()
            try await ending(clients.shutdown) {
                try await runParts(server, client, clients, plan, certificates, telemetry, demo)
            }
        }
    }

    /// Does `work`, then `end`, whatever came of the work: a client that is dropped unclosed ends the process.
    private func ending(_ end: () async -> Void, _ work: () async throws -> Void) async throws {
        do {
            try await work()
        } catch {
            await end()
            throw error
        }
        await end()
    }

    private func runParts(
        _ server: KubernetesServer,
        _ client: KubernetesClient,
        _ clients: HTTPImageRegistries,
        _ plan: NetworkPlan,
        _ certificates: ClusterCertificates,
        _ telemetry: Telemetry,
        _ demo: @escaping @Sendable () async throws -> Void
    ) async throws {
        let registries = AliasedRegistries(base: clients, aliases: Composer.registryEndpoints(folder))
        let notice = StopNotice(path: folder.stopFile)
        notice.clear()
        let envoy = EnvoyProxy(
            configuration: envoyConfiguration(plan),
            api: client,
            telemetry: telemetry.scoped("envoy")
        )
        let runtime = try PodRuntime(
            configuration: runtimeConfiguration(),
            api: client,
            registries: registries,
            drain: envoy,
            wall: .system,
            telemetry: telemetry.scoped("pods"),
            onStop: notice.tell
        )
        // The signal's listener cannot wait for the pods to be told.
        urgency.set { Task { await runtime.hurry() } }
        server.nodeAgent = runtime.agent
        let controllers = Controllers(
            api: server.api(as: "kube-controller-manager"),
            configuration: controllerConfiguration(plan, certificates),
            wallClock: .system,
            telemetry: telemetry.scoped("controllers")
        )
        let registry = try registryStore()
        let cleaner = RegistryCleaner(
            store: registry,
            clock: ContinuousClock(),
            wall: .system,
            telemetry: telemetry.scoped("registry")
        )
        let plugins = ApprovedPlugins(path: folder.pluginFile)
        let clusters = HomeDirectory(
            home: client,
            userAgent: "ballast-releases",
            approves: { plugins.holds($0, kubeconfig: $1) }
        )
        let sweeper = ReleaseSweeper(cluster: client, clusters: clusters, clock: .system)
        let logins = PullSecretKeeper(
            home: client,
            clusters: { try await clusters.cluster(named: $0.text) },
            clock: .system,
            report: { [log = telemetry.scoped("releases").log] in log.notice("\($0)") }
        )
        let greeting = Greeting(cluster: client, ports: options.ports, folder: folder, nodeName: Self.nodeName)

        let group = Self.group(
            of: [
                try kubernetesListener(server, certificates, plan, telemetry),
                registryListener(registry, telemetry),
                Running("registry") { await cleaner.run() },
                Running("server") { await server.run() },
                Running("controllers") { await controllers.run() },
                Farewell { await client.shutdown() },
                Running("pods") { try await runtime.run() },
                Running("envoy") { try await envoy.run() },
                Running("releases") {
                    try await ending({ await clusters.shutdown() }) {
                        async let fresh: Void = logins.run()
                        try await sweeper.run()
                        await fresh
                    }
                },
                Running("greeting") { try await greet(greeting, demo) },
            ],
            log: telemetry.log
        )
        try await Self.runUntilCancelled(group)
    }

    /// A part that fails stops the others in reverse order too, so that its error is the only one there is.
    private static func group(of services: [any Service], log: Logger) -> ServiceGroup {
        let configurations = services.map {
            ServiceGroupConfiguration.ServiceConfiguration(
                service: $0,
                failureTerminationBehavior: .gracefullyShutdownGroup
            )
        }
        return ServiceGroup(configuration: ServiceGroupConfiguration(services: configurations, logger: log))
    }

    /// Cancellation stops the parts in reverse order, each before what it needs.
    private static func runUntilCancelled(_ group: ServiceGroup) async throws {
        // A task of its own: cancelling it would stop all parts at once, in no order.
        let running = Task { try await group.run() }
        try await withTaskCancellationHandler {
            try await running.value
        } onCancel: {
            // The handler cannot wait; the group's end is awaited above.
            Task { await group.triggerGracefulShutdown() }
        }
    }

    private func greet(_ greeting: Greeting, _ demo: @Sendable () async throws -> Void) async throws {
        try await greeting.awaitMachine()
        try await HomeResources(cluster: greeting.cluster).install()
        try await demo()
        greeting.say(demoHost: options.demo.isEmpty ? nil : "shop.localhost")
    }
}

extension Machine {
    private static func names(_ plan: NetworkPlan) -> [String] {
        [
            "localhost", "127.0.0.1", "::1", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local", plan.apiAddress.description, plan.gateway.description,
        ]
    }

    private func kubernetesServer(_ plan: NetworkPlan) throws -> KubernetesServer {
        var configuration = KubernetesServer.Configuration()
        configuration.serviceRange = plan.serviceSubnet.description
        configuration.address = "127.0.0.1:\(options.ports.kubernetes)"
        configuration.mountsServiceAccountTokens = true
        configuration.servesMetrics = true
        return try KubernetesServer(
            log: try ObjectLog(path: folder.objects, clock: .system),
            configuration: configuration,
            clock: .system,
            signer: try ServiceAccountKey.prepare(in: folder.certificates)
        )
    }

    private func controllerConfiguration(
        _ plan: NetworkPlan,
        _ certificates: ClusterCertificates
    ) -> ControllerConfiguration {
        var configuration = ControllerConfiguration()
        configuration.endpoint = ControllerConfiguration.Endpoint(
            serviceAddress: plan.apiAddress.description,
            address: plan.gateway.description,
            port: options.ports.kubernetes
        )
        configuration.rootCertificate = certificates.authority
        configuration.volumeFolder = "\(folder.path)/volumes"
        return configuration
    }

    private func runtimeConfiguration() -> PodRuntimeConfiguration {
        PodRuntimeConfiguration(
            dataFolder: folder.path,
            nodeName: Self.nodeName,
            kubeletVersion: KubernetesServer.Configuration().buildVersion
        )
    }

    private func envoyConfiguration(_ plan: NetworkPlan? = nil) -> EnvoyConfiguration {
        var configuration = EnvoyConfiguration(
            program: programs.envoy,
            folder: folder.envoy,
            logFolder: folder.logs
        )
        configuration.edgePort = options.ports.edge
        configuration.nodeAddress = plan?.gateway.description
        configuration.podSubnet = plan?.podSubnet.description
        configuration.hostServices = [
            EnvoyConfiguration.HostService(
                namespace: "default",
                name: "kubernetes",
                address: "127.0.0.1",
                port: options.ports.kubernetes
            )
        ]
        return configuration
    }

    private func kubernetesListener(
        _ server: KubernetesServer,
        _ certificates: ClusterCertificates,
        _ plan: NetworkPlan,
        _ telemetry: Telemetry
    ) throws -> any Service {
        let responder = KubernetesResponder(hosts: HostGuard(names: Self.names(plan))) {
            await server.answer($0)
        } connect: {
            await server.connect($0)
        }
        let address = ListenAddress(host: "127.0.0.1", port: options.ports.kubernetes)
        return try Listener.tls(address, responder, certificates: certificates, log: telemetry.log)
    }

    private func registryStore() throws -> RegistryStore {
        try RegistryStore(
            folder: folder.registry,
            removingUploadsBefore: WallClock.system.now - RegistryCleaner.uploadAge
        )
    }

    private func registryListener(_ store: RegistryStore, _ telemetry: Telemetry) -> any Service {
        let responder = RegistryResponder(RegistryService(store), hosts: HostGuard(names: []))
        let address = ListenAddress(host: "127.0.0.1", port: options.ports.registry)
        return Listener.plain(address, responder, log: telemetry.log)
    }
}

/// Registries by the names that app files use for them.
struct AliasedRegistries: ImageRegistries {
    let base: any ImageRegistries
    /// Host and port by alias.
    let aliases: [String: String]

    func registry(_ host: String, credentials: RegistryCredentials?) -> any ImageRegistry {
        base.registry(aliases[host] ?? host, credentials: credentials)
    }
}
