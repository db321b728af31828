// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FlyingFox
import FoundationEssentials
import ShopTesting
import Synchronization
import Testing

@testable import ShopKit

@Suite("service")
struct ServiceTests {
    private static let hello = Route("GET", "/hello/{name}") { .plain("hello \($0.parameters["name"] ?? "")") }
    private static let echo = Route("POST", "/echo") { .plain(String(decoding: $0.body, as: UTF8.self)) }

    @Test("requests are counted by route, timed and logged; probes and scrapes are not")
    func observed() async throws {
        let lines = Mutex<[String]>([])
        let log = Log(app: "x", version: "3") { line in
            lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
        }
        try await withRunning(Service.forTest("x", environment: ["VERSION": "3"], log: log), [Self.hello]) {
            client async throws in
            #expect(try await client.get("/hello/anne").text == "hello anne")
            #expect(try await client.get("/hello/bob").status == 200)
            #expect(try await client.get("/nowhere/1").status == 404)
            #expect(try await client.get("/nowhere/2").status == 404)
            #expect(try await client.post("/hello/x", "").status == 405)
            #expect(try await client.get("/healthz").text == "ok\n")
            #expect(try await client.get("/readyz").text == "ok\n")
            let metrics = try await client.get("/metrics")
            #expect(metrics.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            let text = metrics.text
            #expect(
                text.contains("\nhttp_requests_total{app=\"x\",method=\"GET\",path=\"/hello/{name}\",code=\"200\"} 2\n")
            )
            #expect(text.contains("\nhttp_requests_total{app=\"x\",method=\"GET\",path=\"other\",code=\"404\"} 2\n"))
            #expect(
                text.contains(
                    "\nhttp_request_duration_seconds_count{app=\"x\",method=\"GET\",path=\"/hello/{name}\"} 2\n"
                )
            )
            #expect(text.contains("\nhttp_errors_total{app=\"x\"} 0\n"))
            #expect(text.contains("\napp_info{app=\"x\",version=\"3\"} 1\n"))
            #expect(!text.contains("/healthz"))
        }
        let requests = lines.withLock { $0.filter { $0.contains(#""msg":"request""#) } }
        #expect(requests.count == 5)
        #expect(
            requests[0].contains(
                #""method":"GET","path":"/hello/anne","route":"/hello/{name}","status":200,"duration_ms":"#
            )
        )
    }

    @Test("HEAD is answered like GET, without the body")
    func head() async throws {
        try await withRunning(Service.forTest("x"), [Self.hello]) { client in
            let answer = try await client.send(UpstreamRequest("HEAD", "/hello/anne"))
            #expect(answer.status == 200)
            #expect(answer.headers["content-length"] == "10")
            #expect(answer.body.isEmpty)
        }
    }

    @Test(
        "a body that is too large is refused, and the connection still carries the next request",
        arguments: [65_537, 3_000_000]
    )
    func largeBody(_ size: Int) async throws {
        try await withRunning(Service.forTest("x"), [Self.hello, Self.echo]) { client in
            var connection = try await UpstreamConnection.open(to: client.url)
            let large = UpstreamRequest("POST", "/echo", body: Array(repeating: 0x61, count: size))
            let refused = try await connection.send(large, keepAlive: true)
            #expect(refused.status == 413)
            let isReusable = connection.isReusable
            #expect(isReusable)
            let next = try await connection.send(UpstreamRequest("POST", "/nowhere", body: large.body), keepAlive: true)
            #expect(next.status == 404)
            let last = try await connection.send(UpstreamRequest("GET", "/hello/anne"), keepAlive: true)
            #expect(last.text == "hello anne")
        }
    }

    @Test("a request in flight is finished before the service ends, and its connection then closes")
    func gracefulStop() async throws {
        let service = try Service.forTest("x")
        let started = OneShot<Void>()
        let (gate, opener) = AsyncStream<Never>.makeStream()
        let slow = Route("GET", "/slow") { _ in
            started.resolve(.success(()))
            for await _ in gate {}
            return .plain("done")
        }
        async let running: Void = service.run([slow])
        let client = UpstreamClient(
            url: try ServiceURL("http://127.0.0.1:\(try await service.listeningPort())"),
            timeout: .seconds(20)
        )
        async let answer = client.get("/slow")
        try await started.value()
        service.stop()
        await #expect(throws: UpstreamError.self, "no new connection is accepted any more") {
            for _ in 0..<100_000 { _ = try await client.get("/readyz") }
        }
        opener.finish()
        #expect(try await answer.text == "done")
        #expect(try await answer.headers["connection"] == "close")
        try await running
    }

    @Test("while it is stopping it is not ready, and connections are asked to close")
    func draining() async throws {
        let configuration = try Configuration(app: "x", environment: ["PORT": "0"])
        let (gate, opener) = AsyncStream<Never>.makeStream()
        let service = Service(configuration, log: Log(app: "x", version: "") { _ in }, clock: GateClock(gate: gate))
        async let running: Void = service.run([Self.hello])
        let port = try await service.listeningPort()
        let client = UpstreamClient(url: try ServiceURL("http://127.0.0.1:\(port)"), timeout: .seconds(20))
        service.stop()
        var answer = try await client.get("/readyz")
        while answer.status == 200 { answer = try await client.get("/readyz") }  // Until the stop is noticed.
        #expect(answer.text == "stopping\n")
        let hello = try await client.get("/hello/anne")
        #expect(hello.status == 200)
        #expect(hello.headers["connection"] == "close")
        opener.finish()
        try await running
    }

    @Test("a port that is taken is an error")
    func portTaken() async throws {
        try await withRunning(Service.forTest("x"), []) { client in
            let configuration = try Configuration(app: "y", environment: ["PORT": "\(client.url.port)"])
            let second = Service(configuration, log: Log(app: "y", version: "") { _ in })
            await #expect(throws: (any Error).self) { try await second.run([]) }
        }
    }

    @Test("what a handler throws becomes a status; only its own words reach the caller")
    func problems() async throws {
        struct Secret: Error {}
        let routes = [
            Route("GET", "/known") { _ in throw HTTPProblem(.conflict, "known \"reason\"") },
            Route("GET", "/unknown") { _ in throw Secret() },
        ]
        try await withRunning(Service.forTest("x"), routes) { client async throws in
            #expect(try await client.get("/known").text == #"{"error":"known \"reason\""}"# + "\n")
            let unknown = try await client.get("/unknown")
            #expect(unknown.status == 500)
            #expect(!unknown.text.contains("Secret"))
            #expect(try await client.get("/metrics").text.contains("\nhttp_errors_total{app=\"x\"} 1\n"))
        }
    }
}

/// Every sleep lasts until the gate is opened.
private struct GateClock: Clock {
    let gate: AsyncStream<Never>
    var now: ContinuousClock.Instant { .now }
    var minimumResolution: Duration { .zero }

    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
        for await _ in gate {}
    }
}
