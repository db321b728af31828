// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model
import NIOCore
import NIOPosix
import Ports
import Telemetry
import TestKit
import Testing

@testable import PodRuntime

@Suite("the name server on a socket", .serialized)
struct PodDNSTestsSerial {
    private let plan = NetworkPlan.choose(for: "/tests", avoiding: [])

    private struct NoUpstream: DNSUpstream {
        func ask(_ message: [UInt8], isStream: Bool) async -> [UInt8]? { nil }
    }

    private func withServer(_ cluster: FakeCluster, _ body: @escaping @Sendable (HostNameServers) async throws -> Void)
        async throws
    {
        let dns = PodDNS(plan: try #require(plan), api: cluster, telemetry: Telemetry("test"))
        let folder = try ScratchFolder()
        try FileText.replace("\(folder.path)/resolv.conf", with: Array("# ours\nnameserver 127.0.0.1\nsearch x\n".utf8))
        let path = "\(folder.path)/resolv.conf"
        let (ports, ready) = AsyncStream<Int>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            // One that was free a moment ago for streams; the system chooses among those free for packets only.
            let free = Int(try Listener("127.0.0.1").port)
            group.addTask {
                defer { ready.finish() }
                try await dns.serve(host: "127.0.0.1", port: free, NoUpstream()) { ready.yield($0) }
            }
            let port = try #require(await ports.first { _ in true })
            // Our own client of name servers is the client here.
            try await body(
                HostNameServers(group: MultiThreadedEventLoopGroup.singleton, excluded: [], path: path, port: port)
            )
            group.cancelAll()
        }
        withExtendedLifetime(folder) {}
    }

    @Test func aPortThatIsTakenForStreamsIsAnErrorAndNotTheEndOfTheProcess() async throws {
        let taken = try Listener("127.0.0.1")
        let dns = PodDNS(plan: try #require(plan), api: FakeCluster(), telemetry: Telemetry("test"))
        await #expect(throws: IOError.self) {
            try await dns.serve(host: "127.0.0.1", port: Int(taken.port), NoUpstream())
        }
        withExtendedLifetime(taken) {}
    }

    @Test func answersFollowTheCluster() async throws {
        let cluster = FakeCluster()
        _ = try await cluster.create(DNSFixtures.services[0], as: .services)
        try await withServer(cluster) { client in
            let question = DNSFixtures.question("web.shop.svc.cluster.local", .a)
            for isStream in [false, true] {
                let reply = await Self.until {
                    await client.ask(question, isStream: isStream)
                } holds: {
                    $0?.last == 7
                }
                #expect(reply?.suffix(4) == [10, 200, 0, 7])
            }
            try await cluster.delete(ObjectReference(.services, namespace: "shop", name: "web"))
            let gone = await Self.until {
                await client.ask(question, isStream: false)
            } holds: {
                $0?[3] == 0x83
            }
            #expect(gone?[3] == 0x83)
        }
    }

    @Test func aSilentNameServerIsPassedOver() async throws {
        let cluster = FakeCluster()
        _ = try await cluster.create(DNSFixtures.services[0], as: .services)
        try await withServer(cluster) { client in
            let folder = try ScratchFolder()
            let path = "\(folder.path)/resolv.conf"
            // Nobody has the first address; packets to it are lost. The second refuses at once.
            let servers = "nameserver 192.0.2.254\nnameserver 127.0.0.99\nnameserver 127.0.0.1\n"
            try FileText.replace(path, with: Array(servers.utf8))
            var upstream = client
            upstream.path = path
            upstream.patience = .milliseconds(300)
            let question = DNSFixtures.question("web.shop.svc.cluster.local", .a)
            for isStream in [false, true] {
                let reply = await Self.until {
                    await upstream.ask(question, isStream: isStream)
                } holds: {
                    $0?.last == 7
                }
                #expect(reply?.suffix(4) == [10, 200, 0, 7])
            }
            try FileText.replace(path, with: Array("nameserver 192.0.2.254\n".utf8))
            let start = ContinuousClock.now
            #expect(await upstream.ask(question, isStream: false) == nil)
            #expect(ContinuousClock.now - start < .seconds(20), "and is not waited for without end")
            withExtendedLifetime(folder) {}
        }
    }

    /// Asks until the claim holds, at most for some seconds: a change reaches the server by a watch.
    private static func until(
        _ ask: () async -> [UInt8]?,
        holds: ([UInt8]?) -> Bool
    ) async -> [UInt8]? {
        let deadline = ContinuousClock.now + .seconds(10)
        var reply = await ask()
        while !holds(reply), ContinuousClock.now < deadline {
            await Task.yield()
            reply = await ask()
        }
        return reply
    }
}
