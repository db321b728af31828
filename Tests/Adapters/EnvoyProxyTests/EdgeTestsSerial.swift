// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Glibc
import Model
import Ports
import Synchronization
import Testing

@testable import EnvoyProxy

@Suite("the edge, with a real Envoy", .serialized, .enabled(if: TestEdge.isPossible, "needs root and .tools/bin/envoy"))
struct EdgeTestsSerial {
    @Test func hostsAndPathsLeadToTheirPods() async throws {
        try await TestEdge.with { edge in
            let (web, cart) = (try await edge.backend("web", 1), try await edge.backend("cart", 2))
            try await edge.service("web")
            try await edge.service("cart")
            try await edge.endpoints("web", [(1, web)])
            try await edge.endpoints("cart", [(2, cart)])
            try await edge.ingress(
                "main",
                [
                    ("shop.localhost", "/", "web"), ("shop.localhost", "/cart", "cart"), ("*.wild.test", "/", "cart"),
                    ("empty.test", "/", "nosuch"),
                ]
            )
            try await edge.get("shop.localhost/cart/1?x=y", until: { $0.body.hasPrefix("cart\nGET /cart/1?x=y\n") })
            #expect(try await edge.get("SHOP.localhost:8080/cartoon").body.hasPrefix("web\n"))
            #expect(try await edge.get("a.wild.test/").body.hasPrefix("cart\n"))
            let deep = try await edge.get("a.b.wild.test/")
            #expect(deep.status == 404)
            let unknown = try await edge.get("nowhere.test/x")
            #expect(unknown.status == 404 && unknown.body == "404 no Ingress has a rule for nowhere.test/x\n")
            let missing = try await edge.get("empty.test/")
            #expect(missing.status == 503 && missing.body.contains("no pod is ready"))
            try await edge.endpoints("web", [])
            let empty = try await edge.get("shop.localhost/", until: { $0.status == 503 })
            #expect(empty?.body.contains("no pod is ready") == true)
            await web.close()
            await cart.close()
        }
    }

    @Test func podsLearnWhoAsked() async throws {
        try await TestEdge.with { edge in
            let web = try await edge.backend("web", 1)
            try await edge.service("web")
            try await edge.endpoints("web", [(1, web)])
            try await edge.ingress("main", [("a.test", "/", "web")])
            try await edge.get("a.test/", until: { $0.status == 200 })
            let forged = "X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nX-Forwarded-For: 6.6.6.6\r\n"
            let seen = try await edge.get("a.test:8080/", headers: forged).body
            #expect(seen.contains("host: a.test:8080\n"))
            #expect(
                seen.contains("x-forwarded-for: 127.0.0.1\n") && seen.contains("x-forwarded-proto: http\n"),
                "\(seen)"
            )
            #expect(
                seen.contains("x-forwarded-host: a.test:8080\n") && !seen.contains("evil") && !seen.contains("6.6.6.6")
            )
            #expect(seen.contains("x-request-id: ") && !seen.lowercased().contains("x-envoy"))
            await web.close()
        }
    }

    @Test func noRequestFailsWhileEndpointsAndIngressesChange() async throws {
        try await TestEdge.with { edge in
            var backends: [(Int, TestBackend)] = []
            for number in 1...3 { backends.append((number, try await edge.backend("pod\(number)", number))) }
            try await edge.service("web", 100)
            try await edge.service("other", 101)
            try await edge.endpoints("web", [backends[0]])
            try await edge.endpoints("other", [backends[1]])
            try await edge.ingress("main", [("a.test", "/", "web")])
            try await edge.get("a.test/", until: { $0.status == 200 })
            let load = Load(edge: edge)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { await load.run(keepsConnection: true, at: .edge) } }
                for _ in 0..<2 { group.addTask { await load.run(keepsConnection: false, at: .edge) } }
                group.addTask { await load.run(keepsConnection: false, at: .service) }
                for round in 0..<40 {
                    let one = backends[round % 3]
                    try await edge.endpoints("web", round % 2 == 0 ? [one, backends[(round + 1) % 3]] : [one])
                    if round % 3 == 0 {
                        let service = round % 2 == 0 ? "web" : "other"
                        try await edge.ingress("main", [("a.test", "/", service), ("r\(round).test", "/x", "web")])
                    }
                    if round % 5 == 0 { try await edge.service("extra\(round)", 110 + round, port: 81 + round) }
                    await load.wait(forMore: 60)
                }
                load.stop()
                try await group.waitForAll()
            }
            let (good, bad) = load.result
            #expect(bad.isEmpty, "\(bad.prefix(5))")
            #expect(good > 2000)
            for (_, backend) in backends { await backend.close() }
        }
    }

    @Test func upgradedConnectionsPassThrough() async throws {
        try await TestEdge.with { edge in
            let echo = try EchoServer(address: "\(edge.net).1")
            try await edge.service("web")
            var slice = KubeObject(
                .endpointSlices,
                namespace: "shop",
                name: "web-0",
                labels: ["kubernetes.io/service-name": "web"]
            )
            slice["ports"] = [["name": "http", "port": JSON(echo.port)]]
            slice["endpoints"] = [["addresses": ["\(edge.net).1"]]]
            try await edge.put(slice, .endpointSlices)
            try await edge.ingress("main", [("a.test", "/", "web")])
            let head = "GET /socket HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
            let text = await eventually {
                try? await TestConnection.exchange(
                    [(head, "\r\n\r\n"), ("ping", "ping"), ("pong", "pong")],
                    at: "127.0.0.1",
                    edge.configuration.edgePort
                )
            } holds: {
                $0?.hasSuffix("pingpong") == true
            }
            #expect(text?.hasPrefix("HTTP/1.1 101") == true && text?.hasSuffix("pingpong") == true)
        }
    }

    @Test func serviceAddressesComeAndGo() async throws {
        try await TestEdge.with { edge in
            let web = try await edge.backend("web", 1)
            try await edge.service("web", 100, port: 8888)
            try await edge.endpoints("web", [(1, web)])
            func ask() async -> TestConnection.Reply? {
                try? await TestConnection.get("any/", at: "\(edge.net).100", 8888)
            }
            #expect(
                await eventually {
                    await ask()
                } holds: {
                    $0?.body.hasPrefix("web\n") == true
                } != nil
            )
            try await edge.cluster.delete(ObjectReference(.services, namespace: "shop", name: "web"))
            _ = await eventually {
                await ask()
            } holds: {
                $0 == nil
            }
            #expect(await ask() == nil)
            await web.close()
        }
    }

    // MARK: faults

    @Test func whatEnvoyRejectsIsReportedAndDoesNotStopTheRest() async throws {
        try await TestEdge.with { edge in
            let web = try await edge.backend("web", 1)
            // Two Services cannot have one address; a real API server sees to that.
            try await edge.service("first", 99)
            try await edge.service("foreign", 99)
            let rejected = await eventually {
                edge.proxy.state.rejections
            } holds: {
                $0?.isEmpty == false
            }
            #expect(rejected?.first?.file == "listeners")
            #expect(rejected?.first?.reason.contains("duplicate address") == true, "\(String(describing: rejected))")
            try await edge.service("web", 100)
            try await edge.endpoints("web", [(1, web)])
            try await edge.ingress("main", [("a.test", "/", "web")])
            try await edge.get("a.test/", until: { $0.status == 200 })
            try await edge.cluster.delete(ObjectReference(.services, namespace: "shop", name: "foreign"))
            #expect(
                await eventually {
                    edge.proxy.state.rejections
                } holds: {
                    $0?.isEmpty == true
                } == []
            )
            await web.close()
        }
    }

    @Test func anEnvoyThatEndsIsStartedAgain() async throws {
        try await TestEdge.with { edge in
            let web = try await edge.backend("web", 1)
            try await edge.service("web")
            try await edge.endpoints("web", [(1, web)])
            try await edge.ingress("main", [("a.test", "/", "web")])
            try await edge.get("a.test/", until: { $0.status == 200 })
            let first = LeftoverEnvoy.processes(edge.configuration.bootstrapPath)
            #expect(first.count == 1)
            for process in first { kill(process, SIGKILL) }
            _ = await eventually {
                edge.proxy.state.restarts
            } holds: {
                $0 == 1
            }
            try await edge.get("a.test/", until: { $0.status == 200 })
            #expect(edge.proxy.state.restarts == 1)
            try await edge.ingress("main", [("b.test", "/", "web")])
            try await edge.get("b.test/", until: { $0.status == 200 })
            await web.close()
        }
    }

    @Test func anEnvoyLeftByAKilledRunIsEnded() async throws {
        try await TestEdge.with { edge in
            let mine = LeftoverEnvoy.processes(edge.configuration.bootstrapPath)
            #expect(mine.count == 1)
            let ended = try await LeftoverEnvoy.end(
                bootstrap: edge.configuration.bootstrapPath,
                clock: ContinuousClock()
            )
            #expect(ended == 1)
            #expect(LeftoverEnvoy.processes(edge.configuration.bootstrapPath).allSatisfy { !mine.contains($0) })
        }
    }

    @Test func requestsAreLoggedAsJSON() async throws {
        try await TestEdge.with { edge in
            _ = try await edge.get("nowhere.test/logged")
            let log = edge.configuration.accessLogPath
            let rotation = AccessLogRotation(configuration: edge.configuration, clock: ContinuousClock(), limit: 0)
            // Envoy writes its log in batches; reopening it writes what is due.
            try await AdminClient(socket: edge.configuration.adminSocket).reopenLogs()
            let size = await eventually {
                AtomicFile.size(log)
            } holds: {
                ($0 ?? 0) > 0
            }
            #expect((size ?? 0) > 0)
            await rotation.rotate()
            let text = String(decoding: try #require(FileManager.default.contents(atPath: "\(log).1")), as: UTF8.self)
            let line = try JSON(parsing: text.split(separator: "\n")[0].utf8)
            #expect(
                line["host"]?.string == "nowhere.test" && line["status"]?.int == 404 && line["flags"]?.string == "NR"
            )
            _ = try await edge.get("nowhere.test/again")
            #expect(
                await eventually {
                    AtomicFile.size(log)
                } holds: {
                    $0 != nil
                } != nil
            )
        }
    }
}

/// Requests without end, until told to stop.
final class Load: Sendable {
    enum Place { case edge, service }

    private let edge: TestEdge
    private let state = Mutex((good: 0, bad: [String](), isStopped: false))

    init(edge: TestEdge) { self.edge = edge }

    var result: (good: Int, bad: [String]) { state.withLock { ($0.good, $0.bad) } }
    func stop() { state.withLock { $0.isStopped = true } }

    func run(keepsConnection: Bool, at place: Place) async {
        let (address, port) = place == .edge ? ("127.0.0.1", edge.configuration.edgePort) : ("\(edge.net).100", 80)
        while !state.withLock({ $0.isStopped }) {
            var isFirst = true
            do {
                try await TestConnection.keepAsking(
                    at: address,
                    port,
                    next: {
                        defer { isFirst = false }
                        return self.state.withLock { $0.isStopped } || (!keepsConnection && !isFirst)
                            ? nil : "a.test/load"
                    },
                    take: { reply in
                        self.state.withLock { $0.good += reply.status == 200 ? 1 : 0 }
                        if reply.status != 200 { self.note("\(place) \(reply.status) \(reply.body)") }
                    }
                )
            } catch {
                note("\(place) keeps \(keepsConnection): \(error)")
            }
        }
    }

    private func note(_ failure: String) { state.withLock { $0.bad.append(failure) } }

    /// Returns once that many more requests were answered.
    func wait(forMore count: Int) async {
        let start = result.good
        _ = await eventually {
            self.result.good
        } holds: {
            ($0 ?? 0) >= start + count
        }
    }
}
