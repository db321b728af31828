// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FlyingFox
import ShopTesting
import Synchronization
import Testing

@testable import ShopKit

@Suite("switches")
struct SwitchesTests {
    private static let hello = Route("GET", "/hello") { _ in .plain("hello") }

    @Test("the told share of requests fails; probes and scrapes never do")
    func errors() async throws {
        let dice = Mutex([0.1, 0.9, 0.49, 0.5])
        let quiet = Log(app: "x", version: "") { _ in }
        let misbehaviour = MisbehaviourSwitch(folder: "/tmp", log: quiet) { dice.withLock { $0.removeFirst() } }
        try await withRunning(Service.forTest("x", misbehaviour: misbehaviour), [Self.hello]) { client async throws in
            #expect(try await client.post("/misbehave", "errors=50%").status == 200)
            var codes: [Int] = []
            for _ in 0..<4 {
                codes.append(try await client.get("/hello").status)
                #expect(try await client.get("/healthz").status == 200)
            }
            #expect(codes == [500, 200, 500, 200])
            #expect(try await client.get("/misbehave").text.contains(#""errors":0.5"#))
            #expect(try await client.delete("/misbehave").text.contains(#""errors":0.0"#))
            #expect(try await client.get("/hello").status == 200)
        }
    }

    @Test("latency is added to every request, and readiness and liveness follow their switches")
    func latencyAndProbes() async throws {
        let service = try Service.forTest("x", environment: ["MISBEHAVE": "latency=30ms,ready=false"])
        try await withRunning(service, [Self.hello]) { client async throws in
            let start = ContinuousClock.now
            #expect(try await client.get("/hello").status == 200)
            #expect(start.duration(to: .now) >= .milliseconds(30))
            #expect(try await client.get("/readyz").status == 503)
            #expect(try await client.get("/healthz").status == 200)
            #expect(try await client.post("/misbehave", "ready=true,live=false").status == 200)
            #expect(try await client.get("/readyz").status == 200)
            #expect(try await client.get("/healthz").status == 500)
        }
    }

    @Test("a bad setting changes nothing and says why")
    func badSetting() async throws {
        try await withRunning(Service.forTest("x"), [Self.hello]) { client async throws in
            let answer = try await client.post("/misbehave", "errors=1,latncy=1s")
            #expect(answer.status == 400)
            #expect(answer.text.contains("did you mean 'latency'?"))
            #expect(try await client.get("/hello").status == 200)
        }
    }

    @Test("the crash is answered before it happens")
    func crash() async throws {
        let crashed = OneShot<Void>()
        let quiet = Log(app: "x", version: "") { _ in }
        let misbehaviour = MisbehaviourSwitch(folder: "/tmp", log: quiet, crash: { crashed.resolve(.success(())) })
        try await withRunning(Service.forTest("x", misbehaviour: misbehaviour), []) { client in
            let status = try await client.post("/misbehave", "crash=now").status
            #expect(status == 200)
            try await crashed.value()
        }
    }
}
