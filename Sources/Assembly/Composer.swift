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
                _ = try await release(file, to: [], dataFolder: options.dataFolder, progress: PlainProgress())
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
        dataFolder: String,
        progress: any ReleaseProgress
    ) async throws -> ReleaseRecord {
        // What is wrong with the file is said first: mending that needs no cluster.
        try Releaser.check(file)
        return try await withReleaser(dataFolder, progress) { try await $0.release(file, to: clusters) }
    }

    package func rollback(
        _ order: RollbackOrder,
        dataFolder: String,
        progress: any ReleaseProgress
    ) async throws -> ReleaseRecord {
        try await withReleaser(dataFolder, progress) {
            try await $0.rollback(order.app, in: order.namespace, to: order.number)
        }
    }

    private func withReleaser(
        _ dataFolder: String,
        _ progress: any ReleaseProgress,
        _ work: (Releaser) async throws -> ReleaseRecord
    ) async throws -> ReleaseRecord {
        let folder = DataFolder(path: dataFolder)
        try folder.demandMachine()
        let client = try KubernetesClient(try KubeConfig.load(path: folder.kubeconfig), userAgent: "ballast-release")
        let clients = RegistryAccess.ofThisPerson()
        let registries = AliasedRegistries(base: clients, aliases: Self.registryEndpoints(folder))
        let clusters = HomeDirectory(home: client, userAgent: "ballast-release")
        let releaser = Releaser(
            home: client,
            registries: registries,
            builder: LayeredImageBuilder(folder: folder.buildCache),
            bases: CachedBaseImages(folder: folder.baseCache, registries: registries),
            containerfiles: Buildah(
                folder: folder.containerfileCache,
                aliases: Self.registryEndpoints(folder),
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
                try await Self.awaitResources(client)
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

    package func edgePort(dataFolder: String) -> Int? {
        MachinePorts.read(from: DataFolder(path: dataFolder).machineFile)?.edge
    }

    package func withCluster<Value: Sendable>(
        dataFolder: String,
        _ work: @Sendable (any ClusterAPI) async throws -> Value
    ) async throws -> Value {
        let folder = DataFolder(path: dataFolder)
        try folder.demandMachine()
        let client = try KubernetesClient(try KubeConfig.load(path: folder.kubeconfig))
        let result: Value
        do {
            try await Self.awaitResources(client)
            result = try await work(client)
        } catch {
            await client.shutdown()
            throw error
        }
        await client.shutdown()
        return result
    }

    package func withClusters<Value: Sendable>(
        dataFolder: String,
        _ work: @Sendable (any ClusterAPI, any ClusterDirectory) async throws -> Value
    ) async throws -> Value {
        try await withCluster(dataFolder: dataFolder) { home in
            guard let client = home as? KubernetesClient else { return try await work(home, HomeOnly(home)) }
            let clusters = HomeDirectory(home: client, userAgent: "ballast-status")
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
        throw Failure(.unavailable, "the 'ballast up' of this data folder is not ready yet; try again once it says so")
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
