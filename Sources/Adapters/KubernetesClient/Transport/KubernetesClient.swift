// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AsyncHTTPClient
package import Model
import NIOCore
import NIOHTTP1
package import Ports

/// A Kubernetes API reached over a socket.
///
/// Every call has a deadline, waits for a server that asks for patience (`Retry-After`) within it, and is made again on
/// another connection where that is safe; a watch has a deadline for its start and an end it agrees with the server.
/// `shutdown()` must be called before the last reference goes.
package struct KubernetesClient: ClusterAPI {
    let link: ClusterLink
    private let discovery: Discovery

    /// Throws `invalidInput` where the certificates cannot be read.
    package init(_ config: KubeConfig, deadline: Duration = .seconds(30), userAgent: String = "ballast") throws {
        try self.init(config, limits: Limits(deadline: deadline), userAgent: userAgent)
    }

    init(
        _ config: KubeConfig,
        limits: Limits,
        userAgent: String = "ballast",
        pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) throws {
        link = try ClusterLink(config, limits: limits, userAgent: userAgent, pause: pause)
        discovery = Discovery(link)
    }

    package func shutdown() async { await link.shutdown() }

    /// What the client connects to, for people.
    package var server: String { link.config.server }
    package var config: KubeConfig { link.config }

    package var schema: any ClusterSchema { discovery }

    /// Reads any path as JSON: `/version`.
    package func read(_ path: String) async throws -> JSON {
        try await link.send(APICall(.GET, path)).json(from: link.config.server)
    }
}

/// How long and how much.
struct Limits: Sendable {
    /// For a call's whole answer.
    var deadline: Duration
    var connect: Duration = .seconds(10)
    /// Calls at one time; watches and followed logs are not counted.
    var concurrency = 64
    /// The server is asked to end each watch after a time in this range, so that clients spread over many servers.
    var watch: ClosedRange<Int> = 300...600
    /// So much later than the server ought to have ended it, a silent watch counts as broken.
    var watchGrace: Duration = .seconds(20)

    init(deadline: Duration = .seconds(30)) { self.deadline = deadline }
}
