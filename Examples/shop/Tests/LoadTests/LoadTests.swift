// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FlyingFox
import ShopKit
import ShopTesting
import Synchronization
import Testing

@testable import shop_load

@Suite("load")
struct LoadTests {
    @Test("flags are understood")
    func flags() throws {
        let options = try Options([
            "--url", "http://x:1", "--host", "shop.localhost", "--path", "/a?b", "--method", "post", "--body", "{}",
            "--rate", "0.5",
            "--duration", "2s", "--concurrency", "3", "--timeout", "100ms", "--fail-on-error",
        ])
        #expect(options.url == "http://x:1")
        #expect(options.host == "shop.localhost")
        #expect(options.path == "/a?b")
        #expect(options.method == "POST")
        #expect(options.rate == 0.5)
        #expect(options.duration == .seconds(2))
        #expect(options.concurrency == 3)
        #expect(options.timeout == .milliseconds(100))
        #expect(options.failOnError)
    }

    @Test(
        "flags that make no sense are refused",
        arguments: [
            ["--rat", "1"], ["--rate"], ["--rate", "-1"], ["--rate", "nan"], ["--concurrency", "0"],
            ["--duration", "10"],
            ["--duration", "0"], ["--path", "x"], ["--path", "/a b"], ["--method", "G T"],
        ]
    )
    func refused(_ arguments: [String]) {
        #expect(throws: Options.Invalid.self) { try Options(arguments) }
    }

    @Test("percentiles are latencies that were seen")
    func percentiles() {
        var tally = Tally()
        #expect(tally.percentile(0.5) == nil)
        for latency in (1...100).reversed() { tally.record(status: 200, latency: Double(latency)) }
        #expect(tally.percentile(0.5) == 50)
        #expect(tally.percentile(0.99) == 99)
        #expect(tally.percentile(1) == 100)
        #expect(tally.percentile(0) == 1)
    }

    @Test("the report has every code and every reason")
    func report() {
        var tally = Tally()
        tally.record(status: 200, latency: 0.001)
        tally.record(status: 503, latency: 0.003)
        tally.record(failure: "gone")
        #expect(tally.hasErrors)
        #expect(
            tally.report(over: 2) == """
                3 requests in 2.0 s (1.0 answers/s)
                  200  1
                  503  1
                  no answer  1  (gone)
                latency  p50 1.0 ms  p90 3.0 ms  p99 3.0 ms  max 3.0 ms

                """
        )
    }

    @Test("it sends as many requests as rate and duration ask for, and counts what comes back")
    func run() async throws {
        let hosts = Mutex<Set<String>>([])
        let count = Mutex(0)
        let route = Route("GET", "/") { request in
            hosts.withLock { _ = $0.insert(request.headers[.host] ?? "") }
            let number = count.withLock { count in
                count += 1
                return count
            }
            guard number % 4 != 0 else { throw HTTPProblem(.serviceUnavailable, "every fourth") }
            return .plain("ok")
        }
        try await withRunning(Service.forTest("x"), [route]) { client in
            let options = try Options([
                "--url", "\(client.url)", "--host", "shop.localhost", "--rate", "200", "--duration", "200ms",
                "--timeout", "20s",
            ])
            let tally = await (try Load(options)).run().tally
            #expect(tally.codes == [200: 30, 503: 10])
            #expect(tally.failures.isEmpty)
        }
        #expect(hosts.withLock { $0 } == ["shop.localhost"])
    }
}
