// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import NIOCore
import Testing

@testable import EnvoyProxy

@Suite(
    "pods that end at once, with a real Envoy",
    .serialized,
    .enabled(if: TestEdge.isPossible, "needs root and .tools/bin/envoy")
)
struct DrainTestsSerial {
    @Test func noRequestFailsWhenPodsEndAsSoonAsTheyAreDrained() async throws {
        try await TestEdge.with { edge in
            var current = try await edge.backend("pod0", 1, delay: .milliseconds(5))
            try await edge.service("web", 100)
            try await edge.endpoints("web", [(1, current)])
            try await edge.ingress("main", [("a.test", "/", "web")])
            try await edge.get("a.test/", until: { $0.status == 200 })
            let load = Load(edge: edge)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<6 { group.addTask { await load.run(keepsConnection: true, at: .edge) } }
                for _ in 0..<2 { group.addTask { await load.run(keepsConnection: false, at: .edge) } }
                for _ in 0..<2 { group.addTask { await load.run(keepsConnection: false, at: .service) } }
                for round in 1...24 {
                    let (old, number) = (current, 1 + round % 40)
                    current = try await edge.backend("pod\(round)", number, delay: .milliseconds(5))
                    try await edge.endpoints("web", [(number, current)])
                    let start = ContinuousClock.now
                    await edge.proxy.drained("\(edge.net).\(1 + (round - 1) % 40)", within: .seconds(5))
                    #expect(ContinuousClock.now - start < .seconds(4), "Envoy acknowledges; the limit is not needed")
                    await old.die()
                    await load.wait(forMore: 100)
                }
                load.stop()
                try await group.waitForAll()
            }
            let (good, bad) = load.result
            #expect(bad.isEmpty, "\(bad.count) failed: \(bad.prefix(5))")
            #expect(good > 2400)
            await current.die()
        }
    }

    @Test func whatNobodyIsLedToIsDrainedAtOnceAndWaitingHasALimit() async throws {
        try await TestEdge.with { edge in
            let web = try await edge.backend("web", 1)
            try await edge.service("web", 100)
            try await edge.endpoints("web", [(1, web)])
            try await edge.ingress("main", [("a.test", "/", "web")])
            try await edge.get("a.test/", until: { $0.status == 200 })
            let start = ContinuousClock.now
            await edge.proxy.drained("\(edge.net).9", within: .seconds(60))
            #expect(ContinuousClock.now - start < .seconds(30))
            await edge.proxy.drained("\(edge.net).1", within: .milliseconds(50))
            #expect(ContinuousClock.now - start >= .milliseconds(50), "it is still in use")
            await web.close()
        }
    }

    @Test func theKernelsListOfConnectionsIsRead() {
        let text = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1
               1: 010212C6:C350 050212C6:1F90 01 00000000:00000000 00:00000000 00000000     0        0 2 1
               2: 010212C6:C351 060212C6:1F90 06 00000000:00000000 00:00000000 00000000     0        0 0 3

            """
        func isConnected(_ address: String, _ port: Int) -> Bool {
            ConnectionTable.isConnected(to: address, [port], in: Array(text.utf8))
        }
        #expect(isConnected("198.18.2.5", 8080))
        #expect(!isConnected("198.18.2.5", 8081), "another port")
        #expect(!isConnected("198.18.2.6", 8080), "closed already")
        #expect(!isConnected("198.18.2.1", 50000), "our own side")
    }
}
