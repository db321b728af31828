// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model
package import Ports
import Synchronization

/// The Kubernetes API of one cluster: requests in, answers and watches out. It knows no socket.
///
/// State lives in the ``ObjectLog``; the server itself keeps only what it can read from there again. Every answer that is
/// no success is a `Status` with the real API's code, reason and words.
package final class KubernetesServer: Sendable {
    /// What differs from one cluster to another.
    package struct Configuration: Sendable {
        /// Where Service addresses come from, such as `10.96.0.0/16`.
        package var serviceRange = "10.96.0.0/16"
        package var nodePorts = 30000...32767
        /// `host:port`, as discovery tells clients.
        package var address = "127.0.0.1:6443"
        /// What `/version` calls the build.
        package var buildVersion = "v1.36.2+ballast"
        /// UDP ports of Services are refused, since nothing here would forward them.
        package var refusesUDPServices = true
        /// Pods are refused what this node cannot grant them (hostPath, privileged containers and the like).
        package var refusesUnsupportedPods = true
        /// Whoever writes an Ingress is told what of it the edge does not do.
        package var warnsOfUnservedIngresses = true
        /// A pod's service account must exist, and lends the pod its pull secrets.
        package var requiresServiceAccounts = true
        /// Pods are given a token of their account; only where tokens are issued.
        package var mountsServiceAccountTokens = false
        /// Who the tokens of service accounts say has issued them; also the audience of this server.
        package var tokenIssuer = "https://kubernetes.default.svc.cluster.local"
        /// Users known by a fixed token.
        package var listedTokens: [String: APIUser] = [:]
        /// The default roles and bindings are created, and mended at every start.
        package var settlesDefaultRoles = true
        /// What the node's containers use is served as `metrics.k8s.io`.
        package var servesMetrics = false
        /// How long an event stays after something was last added to it.
        package var eventLifetime = Duration.seconds(3600)

        package init() {}
    }

    let log: ObjectLog
    let configuration: Configuration
    let clock: WallClock
    let timer: any Clock<Duration>
    let randomness: Randomness
    let catalog: Catalog
    let serviceAddresses: ServiceAddresses
    let access: AccessIndex
    let tokens: ServiceTokens
    let quotaNamespaces = QuotaNamespaces()
    let usageBook = UsageBook()
    let openAPICache = Mutex(OpenAPICache())
    private let node = Mutex<(any NodeAgent)?>(nil)

    /// Reads what the log holds: which custom resources are served and which Service addresses are taken.
    package init(
        log: ObjectLog,
        configuration: Configuration = Configuration(),
        clock: WallClock,
        timer: any Clock<Duration> = ContinuousClock(),
        randomness: Randomness = .system,
        signer: (any TokenSigner)? = nil
    ) throws {
        self.log = log
        self.configuration = configuration
        self.clock = clock
        self.timer = timer
        self.randomness = randomness
        access = AccessIndex(log)
        tokens = ServiceTokens(
            log: log,
            clock: clock,
            issuer: configuration.tokenIssuer,
            listed: configuration.listedTokens,
            signer: signer
        )
        catalog = Catalog(builtIn: BuiltInResources.all(configuration))
        serviceAddresses = try ServiceAddresses(
            range: configuration.serviceRange,
            ports: configuration.nodePorts,
            randomness: randomness
        )
        try loadServices()
        try loadQuotas()
        try loadDefinitions()
    }

    /// Who is asked for container logs; without one, `pods/log` answers 503.
    package var nodeAgent: (any NodeAgent)? {
        get { node.withLock { $0 } }
        set { node.withLock { $0 = newValue } }
    }

    /// The same objects without requests, for what runs in this process.
    package var api: any ClusterAPI { api(as: "kube-apiserver") }

    /// The same under the name by which `client` comes to own what it writes.
    package func api(as client: String) -> any ClusterAPI { LocalClusterAPI(server: self, client: client) }

    /// Creates the namespaces every cluster has; what is there stays as it is.
    package func bootstrap() async throws {
        for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
            let namespace = KubeObject(.namespaces, name: name)
            do {
                _ = try await api.create(namespace, as: .namespaces)
            } catch let failure as Failure where failure.status?.reason == "AlreadyExists" {
                continue
            }
        }
        try await addSystemPriorities()
        if configuration.settlesDefaultRoles { try await settleDefaultRoles() }
    }

    /// Finishes the writes under way, ends all watches and closes the log, which leaves one whole file; from then on every
    /// write is answered with 503.
    package func close() async { await log.close() }

    /// Finishes what a crash interrupted, then from time to time tells idle watches how far they have seen and removes old
    /// events, until cancelled.
    package func run() async {
        await resumeDefinitions()
        async let sampling: Void = keepSampling()
        await keepHouse()
        await sampling
    }

    private func keepSampling() async {
        guard configuration.servesMetrics else { return }
        while !Task.isCancelled {
            await sampleUsage()
            guard (try? await timer.sleep(for: Self.samplingInterval)) != nil else { return }
        }
    }

    private func keepHouse() async {
        while !Task.isCancelled {
            log.reportProgress()
            await expireEvents()
            await recountQuotas()
            do {
                try await timer.sleep(for: .seconds(60))
            } catch {
                return
            }
        }
    }
}

/// Where identifiers and addresses get their chance from; tests pass a sequence of their own.
package struct Randomness: Sendable {
    private let next: @Sendable () -> UInt64

    package init(_ next: @escaping @Sendable () -> UInt64) { self.next = next }

    package static let system = Randomness {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }

    func below(_ bound: Int) -> Int { bound > 0 ? Int(next() % UInt64(bound)) : 0 }

    /// A random (version 4) UUID.
    func uuid() -> String {
        let high = next() & ~0xF000 | 0x4000
        let low = next() & ~(0b11 << 62) | 0b10 << 62
        let hex = Self.hex(high) + Self.hex(low)
        var parts: [Substring] = []
        var rest = Substring(hex)
        for width in [8, 4, 4, 4, 12] {
            parts.append(rest.prefix(width))
            rest = rest.dropFirst(width)
        }
        return parts.joined(separator: "-")
    }

    private static func hex(_ word: UInt64) -> String {
        let text = String(word, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }

    private static let letters = Array("bcdfghjklmnpqrstvwxz2456789")

    /// Five letters and digits without vowels, as generated names end in.
    func nameSuffix() -> String { String((0..<5).map { _ in Self.letters[below(Self.letters.count)] }) }
}
