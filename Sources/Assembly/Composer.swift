// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import AppFile
package import CommandLine
import Foundation
import Glibc
import HTTPSurface
import ImageStore
import KubernetesClient
import Logging
package import Model
package import Ports
import RegistryClient
package import Releases
import Telemetry

/// Joins the parts of Ballast for each verb of the command line.
package struct Composer: Composition {
    private let urgency = Urgency()

    package init() {}

    package func hurry() -> Bool { urgency.hurry() }

    package func up(_ options: UpOptions) async throws {
        let programs = try Preflight.check(options)
        let folder = DataFolder(path: options.dataFolder)
        try folder.create()
        let lock = try folder.lock()
        defer { Glibc.close(lock) }
        try Preflight.checkSpace(folder.path)
        LogOutput.start(folder: folder)
        let machine = Machine(options: options, folder: folder, programs: programs, urgency: urgency)
        try await machine.endLeftovers()
        try Preflight.checkPorts(options.ports)
        try await machine.run {
            for demo in options.demo {
                let file = try AppFile.load(demo)
                _ = try await release(
                    file,
                    to: [],
                    home: HomeChoice(dataFolder: options.dataFolder),
                    progress: PlainProgress()
                )
            }
        }
    }

    package func down(dataFolder: String) async throws {
        let folder = DataFolder(path: dataFolder)
        guard folder.isLocked, let holder = folder.holder else {
            throw Failure(.notFound, "nothing runs on the data folder '\(dataFolder)'")
        }
        kill(holder, SIGTERM)
        do {
            try await awaitEnd(of: folder)
        } catch is CancellationError {
            Terminal.note("process \(holder) goes on stopping; 'ballast down' waits for it again")
            throw CancellationError()
        }
        guard !folder.isLocked else {
            throw Failure(
                .deadlineExceeded,
                "process \(holder) has not stopped within 60 s; see its log in '\(folder.logs)'"
            )
        }
    }

    /// Returns when the folder is free, or after 60 s; tells meanwhile which pods are waited for.
    private func awaitEnd(of folder: DataFolder) async throws {
        var hasBegun = false
        for round in 1...600 where folder.isLocked {
            if let record = StopRecord.read(from: folder.stopFile) {
                if !hasBegun { Terminal.note(record.beginning) }
                if hasBegun, round % 30 == 0, Terminal.isInteractive { Terminal.note(record.rest) }
                hasBegun = true
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    package func release(
        _ file: AppFile,
        to clusters: [ClusterName],
        home: HomeChoice,
        progress: any ReleaseProgress
    ) async throws -> ReleaseRecord {
        // What is wrong with the file is said first: mending that needs no cluster.
        try Releaser.check(file)
        try Releaser.check(file, hasRegistry: try Home.find(home).isMachine)
        return try await withReleaser(home, progress) { try await $0.release(file, to: clusters) }
    }

    package func rollback(
        _ order: RollbackOrder,
        home: HomeChoice,
        progress: any ReleaseProgress
    ) async throws -> ReleaseRecord {
        try await withReleaser(home, progress) {
            try await $0.rollback(order.app, in: order.namespace, to: order.number)
        }
    }

    private func withReleaser(
        _ choice: HomeChoice,
        _ progress: any ReleaseProgress,
        _ work: (Releaser) async throws -> ReleaseRecord
    ) async throws -> ReleaseRecord {
        let home = try Home.find(choice)
        let folder = home.folder
        if !home.isMachine { try folder.createForReleases() }
        let client = try KubernetesClient(home.config, userAgent: "ballast-release")
        let clients = RegistryAccess.ofThisPerson()
        let registries = AliasedRegistries(base: clients, aliases: home.registryEndpoints)
        let clusters = home.directory(client, userAgent: "ballast-release")
        let releaser = Releaser(
            home: client,
            registries: registries,
            builder: LayeredImageBuilder(folder: folder.buildCache),
            bases: CachedBaseImages(folder: folder.baseCache, registries: registries),
            containerfiles: Buildah(
                folder: folder.containerfileCache,
                aliases: home.registryEndpoints,
                environment: ProcessInfo.processInfo.environment
            ),
            runner: ShellRunner(),
            records: FileLogRecords(folder: folder.logs),
            progress: progress,
            architecture: Self.architecture,
            clock: .system,
            clusters: clusters,
            origin: .ofThisMachine
        )
        do {
            do {
                if let words = home.words { await progress.report(.note(words)) }
                try await Self.prepare(home, client)
            } catch is CancellationError {
                await progress.report(.note("no release was begun, so nothing was changed"))
                throw CancellationError()
            }
            let record = try await work(releaser)
            await clusters.shutdown()
            await Self.close(client, clients)
            return record
        } catch {
            await clusters.shutdown()
            await Self.close(client, clients)
            throw error
        }
    }

    package func edgePort(home: HomeChoice) -> Int? {
        guard let home = try? Home.find(home), home.isMachine else { return nil }
        return MachinePorts.read(from: home.folder.machineFile)?.edge
    }

    package func withCluster<Value: Sendable>(
        home: HomeChoice,
        _ work: @Sendable (any ClusterAPI) async throws -> Value
    ) async throws -> Value {
        let home = try Home.find(home)
        let client = try KubernetesClient(home.config)
        let result: Value
        do {
            // A real cluster that keeps no records yet has none to show.
            if home.isMachine { try await Self.awaitResources(client) }
            result = try await work(client)
        } catch {
            await client.shutdown()
            throw error
        }
        await client.shutdown()
        return result
    }

    package func withClusters<Value: Sendable>(
        home: HomeChoice,
        _ work: @Sendable (any ClusterAPI, any ClusterDirectory) async throws -> Value
    ) async throws -> Value {
        let found = try Home.find(home)
        return try await withCluster(home: home) { home in
            guard let client = home as? KubernetesClient else { return try await work(home, HomeOnly(home)) }
            let clusters = found.directory(client, userAgent: "ballast-status")
            do {
                let value = try await work(home, clusters)
                await clusters.shutdown()
                return value
            } catch {
                await clusters.shutdown()
                throw error
            }
        }
    }

    /// Returns once the home cluster can keep records.
    static func prepare(_ home: Home, _ client: KubernetesClient) async throws {
        if home.isMachine {
            try await awaitResources(client)
        } else {
            try await HomeResources(cluster: client).prepare(client.server)
        }
    }

    /// An `up` that is still starting does not know Ballast's own resources yet.
    private static func awaitResources(_ client: KubernetesClient) async throws {
        for _ in 0..<150 {
            do {
                _ = try await client.list(ListQuery(.releases, limit: 1))
                return
            } catch let failure as Failure where [.notFound, .unavailable].contains(failure.code) {
                try await Task.sleep(for: .milliseconds(200))
            }
        }
        throw Failure(
            .unavailable,
            "'\(client.server)' does not serve Ballast's resources within 30 s; try again once its 'ballast up' says 'ready'"
        )
    }

    private static func close(_ client: KubernetesClient, _ registries: HTTPImageRegistries) async {
        await client.shutdown()
        await registries.shutdown()
    }

    /// App files call the embedded registry by one name, whatever port this machine's has.
    static func registryEndpoints(_ folder: DataFolder) -> [String: String] {
        guard let ports = MachinePorts.read(from: folder.machineFile) else { return [:] }
        return [App.Image.embeddedRegistry: "127.0.0.1:\(ports.registry)"]
    }

    /// As image configurations name it.
    static var architecture: String {
        #if arch(arm64)
            "arm64"
        #else
            "amd64"
        #endif
    }
}

extension WallClock {
    /// This machine's clock.
    static let system = WallClock {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        return Timestamp(nanoseconds: Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec))
    }
}
