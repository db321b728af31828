// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Glibc
import Model
import NIOCore
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

    @Test func clientsCannotSpeakForEnvoy() async throws {
        try await TestEdge.with { edge in
            let web = try await edge.backend("web", 1, delay: .milliseconds(50))
            try await edge.service("web")
            try await edge.endpoints("web", [(1, web)])
            try await edge.ingress("main", [("a.test", "/", "web")])
            try await edge.get("a.test/", until: { $0.status == 200 })
            let forged = [
                "x-envoy-upstream-rq-timeout-ms: 1", "X-Envoy-Original-Path: /evil", "x-envoy-retry-on: 5xx",
                "x-envoy-made-up: 1", "x-envoy-force-trace: 1", "x-envoy-external-address: 6.6.6.6",
            ]
            let reply = try await edge.get("a.test/", headers: forged.map { "\($0)\r\n" }.joined())
            #expect(reply.status == 200, "the client does not set our time limits")
            #expect(reply.body.hasPrefix("web\nGET /\n") && !reply.body.lowercased().contains("x-envoy"))
            await web.close()
        }
    }

    @Test func oldClientsLargeBodiesAndLargeHeadersAreServed() async throws {
        try await TestEdge.with { edge in
            let web = try await edge.backend("web", 1)
            try await edge.service("web")
            try await edge.endpoints("web", [(1, web)])
            try await edge.ingress("main", [("a.test", "/", "web")])
            var fallback = KubeObject(.ingresses, namespace: "shop", name: "fallback")
            fallback["spec"] = ["defaultBackend": ["service": ["name": "web", "port": ["name": "http"]]]]
            try await edge.put(fallback, .ingresses)
            try await edge.get("a.test/", until: { $0.status == 200 })
            try await edge.get("b.test/", until: { $0.status == 200 })

            let port = edge.configuration.edgePort
            func say(_ text: String, until end: String) async throws -> String {
                try await TestConnection.exchange([(text, end)], at: "127.0.0.1", port)
            }
            let old = try await say("GET /old HTTP/1.0\r\nHost: a.test\r\n\r\n", until: "never")
            #expect(old.hasPrefix("HTTP/1.") && old.contains(" 200 OK\r\n") && old.contains("GET /old\n"), "\(old)")
            let bare = try await say("GET /bare HTTP/1.0\r\n\r\n", until: "never")
            #expect(bare.contains(" 200 OK\r\n") && bare.contains("GET /bare\n"), "no Host is no rule's host: \(bare)")

            let size = 24 << 20
            let down = try await edge.get("a.test/bytes/\(size)")
            #expect(down.body.utf8.count == size)
            let upload =
                "POST /up HTTP/1.1\r\nHost: a.test\r\nContent-Length: \(size)\r\nConnection: close\r\n\r\n"
            let up = try await say(upload + String(repeating: "y", count: size), until: "received \(size)\n")
            #expect(up.hasPrefix("HTTP/1.1 200") && up.hasSuffix("received \(size)\n"))

            let large = try await edge.get("a.test/", headers: "X-Large: \(String(repeating: "z", count: 50000))\r\n")
            #expect(large.status == 200)
            let tooLarge = "X-Large: \(String(repeating: "z", count: 70000))\r\n"
            #expect(try await edge.get("a.test/", headers: tooLarge).status == 431)
            await web.close()
        }
    }

    @Test func pathTypesAndPrecedenceAreKubernetes() async throws {
        try await TestEdge.with { edge in
            var backends: [TestBackend] = []
            let names = ["root", "prefix", "exact", "deep", "fallback", "own"]
            for (number, name) in names.enumerated() {
                backends.append(try await edge.backend(name, number + 1))
                try await edge.service(name)
                try await edge.endpoints(name, [(number + 1, backends[number])])
            }
            func path(_ path: String, _ type: String, _ service: String) -> JSON {
                [
                    "path": .string(path), "pathType": .string(type),
                    "backend": ["service": ["name": .string(service), "port": ["number": 80]]],
                ]
            }
            var ingress = KubeObject(.ingresses, namespace: "shop", name: "main")
            ingress["spec"] = [
                "ingressClassName": "ballast",
                "defaultBackend": ["service": ["name": "fallback", "port": ["number": 80]]],
                "rules": [
                    [
                        "host": "a.test",
                        "http": [
                            "paths": [
                                path("/foo", "Prefix", "prefix"), path("/foo/bar/", "Prefix", "deep"),
                                path("/foo", "Exact", "exact"), path("/own", "ImplementationSpecific", "own"),
                            ]
                        ],
                    ],
                    ["host": "*.wild.test", "http": ["paths": [path("/", "Prefix", "root")]]],
                    ["host": "b.wild.test", "http": ["paths": [path("/", "Prefix", "exact")]]],
                ],
            ]
            var ours = KubeObject(.ingressClasses, name: "ballast")
            ours["spec"] = ["controller": .string(EdgeClasses.controller)]
            try await edge.put(ours, .ingressClasses)
            try await edge.put(ingress, .ingresses)
            try await edge.get("a.test/foo", until: { $0.body.hasPrefix("exact\n") })
            for (url, expected) in [
                ("a.test/foo/", "prefix"), ("a.test/foo/x", "prefix"), ("a.test/foobar", "fallback"),
                ("a.test/foo/bar", "deep"), ("a.test/foo/bar/x", "deep"), ("a.test/foo/barx", "prefix"),
                ("a.test/foo?q=/foo/bar", "exact"), ("a.test:8080/foo", "exact"), ("A.TEST/foo", "exact"),
                ("a.test/own/x", "own"), ("a.test/", "fallback"), ("a.test/Foo", "fallback"),
                ("x.wild.test/any", "root"), ("b.wild.test/any", "exact"), ("x.y.wild.test/any", "fallback"),
                ("wild.test/", "fallback"), ("nobody.test/foo", "fallback"),
            ] {
                let reply = try await edge.get(url)
                #expect(reply.body.hasPrefix("\(expected)\n"), "\(url): \(reply.body.prefix(20))")
            }
            for backend in backends { await backend.close() }
        }
    }

    @Test func podsThatSpeakHTTP2AreSpokenToSo() async throws {
        try await TestEdge.with { edge in
            let server = try BareHTTP2Server(address: "\(edge.net).1")
            let ports: JSON = [["name": "grpc", "port": 80, "appProtocol": "kubernetes.io/h2c"]]
            try await edge.service("web", 100, spec: ["ports": ports])
            try await edge.handwritten("web", "\(edge.net).1", port: server.port, name: "grpc")
            try await edge.ingress("main", [("a.test", "/", "web")])
            try await edge.get("a.test/", until: { $0.status == 204 })
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
        // Routes come before listeners, so the edge answers a moment before the Service's address does.
        var hasAnswered = place == .edge
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
                        hasAnswered = true
                        self.state.withLock { $0.good += reply.status == 200 ? 1 : 0 }
                        if reply.status != 200 { self.note("\(place) \(reply.status) \(reply.body)") }
                    }
                )
            } catch {
                if hasAnswered { note("\(place) keeps \(keepsConnection): \(error)") }
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
