// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FlyingFox
import FlyingSocks
import FoundationEssentials
import Glibc
import Synchronization

/// What all three services have in common: their routes behind probes, metrics, logs and switches.
public final class Service: Sendable {
    public let configuration: Configuration
    public let log: Log
    public let metrics: Metrics
    public let misbehaviour: MisbehaviourSwitch
    private let clock: any Clock<Duration>
    private let pool = ListenerPool()
    private let server = OneShot<HTTPServer>()
    private let stopping = OneShot<Void>()
    private let draining = Mutex(false)

    /// `clock` times the drain.
    public init(
        _ configuration: Configuration,
        log: Log? = nil,
        misbehaviour: MisbehaviourSwitch? = nil,
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.clock = clock
        let log = log ?? Log(app: configuration.app, version: configuration.version)
        self.configuration = configuration
        self.log = log
        self.misbehaviour =
            misbehaviour ?? MisbehaviourSwitch(configuration.misbehaviour, folder: configuration.dataFolder, log: log)
        metrics = Metrics()
        ProcessFigures.register(in: metrics)
        let labels: KeyValuePairs = ["app": configuration.app, "version": configuration.version]
        metrics.reading("app_info", "The version that runs, as a label of the number 1.", labels: labels) { 1 }
    }

    /// Serves until ``stop()``, then finishes what is in flight. `whyNotReady` is nil when all is well.
    public func run(
        _ routes: [Route],
        whyNotReady: @escaping @Sendable () async -> String? = { nil }
    ) async throws {
        misbehaviour.crashIfTold()
        let pipeline = RequestPipeline(
            app: configuration.app,
            routes: routes,
            log: log,
            metrics: metrics,
            misbehaviour: misbehaviour,
            isDraining: { self.isDraining },
            whyNotReady: whyNotReady
        )
        let server = HTTPServer(
            config: .init(address: .inet6(port: configuration.port), timeout: 60, pool: pool, logger: .disabled),
            handler: ClosureHTTPHandler { await pipeline.answer($0) }
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.serve(server) }
            group.addTask { await self.misbehaviour.run() }
            group.addTask { try await self.awaitStop(of: server) }
            try await group.next()  // The server's end, or its failure; nothing else ends by itself.
            group.cancelAll()
        }
        log.info("stopped")
    }

    private var isDraining: Bool { draining.withLock { $0 } }

    /// Asks ``run(_:whyNotReady:)`` to end.
    public func stop() {
        stopping.resolve(.success(()))
    }

    /// The port, once connections are accepted.
    public func listeningPort() async throws -> UInt16 {
        let server = try await server.value()
        switch await server.listeningAddress {
        case .ip4(_, let port), .ip6(_, let port): return port
        default: throw SocketError.unsupportedAddress
        }
    }

    private func serve(_ server: HTTPServer) async throws {
        do {
            async let listening: Void = announce(server)
            try await server.run()
            try await listening
        } catch {
            self.server.resolve(.failure(error))
            guard isDraining else { throw error }
        }
    }

    private func announce(_ server: HTTPServer) async throws {
        try await server.waitUntilListening()
        self.server.resolve(.success(server))
        log.info("listening", ["port": JSONText(Int(configuration.port))])
    }

    private func awaitStop(of server: HTTPServer) async throws {
        try await stopping.value()
        draining.withLock { $0 = true }
        log.info("stopping")
        try await clock.sleep(for: configuration.drain)
        try? await withDeadline(configuration.grace, clock: ContinuousClock()) { [pool] in
            try await pool.refuseNewConnections()
        }
        await server.stop(timeout: configuration.grace.inSeconds)
        try await Task.sleep(for: .seconds(3600))  // The server's own end is what ends the group.
    }
}
