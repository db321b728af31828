// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import ShopKit
import ShopTesting
import Testing

@testable import cart

@Suite("cart service")
struct CartServiceTests {
    private func withCart(_ scratch: Scratch, _ body: @Sendable (UpstreamClient) async throws -> Void) async throws {
        let service = try Service.forTest("cart", environment: ["DATA_DIR": scratch.path])
        let cart = CartRoutes(store: try CartStore(folder: scratch.path))
        cart.register(in: service.metrics)
        try await withRunning(service, cart.routes, whyNotReady: { await cart.whyNotReady() }, body)
    }

    @Test("things are added, taken out and kept over a restart")
    func lifecycle() async throws {
        let scratch = try Scratch()
        try await withCart(scratch) { client async throws in
            #expect(try await client.get("/cart").text == #"{"count":0,"items":[]}"# + "\n")
            #expect(try await client.post("/cart/items", #"{"product":"rope","quantity":2}"#).status == 201)
            #expect(try await client.post("/cart/items", #"{"product":"chart"}"#).status == 201)
        }
        try await withCart(scratch) { client async throws in
            #expect(try await client.delete("/cart/items/rope").status == 200)
            let cart = try await client.get("/cart").text
            #expect(cart == #"{"count":1,"items":[{"product":"chart","quantity":1}]}"# + "\n")
            #expect(try await client.delete("/cart/items").text == #"{"count":0,"items":[]}"# + "\n")
        }
    }

    @Test(
        "nonsense is refused with its reason",
        arguments: [
            ("", 400), ("{}", 400), (#"{"product":"Rope"}"#, 400), (#"{"product":""}"#, 400),
            (#"{"product":"rope","quantity":0}"#, 400), (#"{"product":"rope","quantity":1001}"#, 400),
            (#"{"product":"../etc"}"#, 400), (#"{"product":"rope","quantity":1.5}"#, 400),
        ]
    )
    func refusals(_ body: String, _ status: Int) async throws {
        let scratch = try Scratch()
        try await withCart(scratch) { client async throws in
            let answer = try await client.post("/cart/items", body)
            #expect(answer.status == status)
            #expect(answer.text.hasPrefix(#"{"error":""#))
            #expect(try await client.get("/cart").text.contains(#""count":0"#))
        }
    }

    @Test("many at once are all kept")
    func concurrent() async throws {
        let scratch = try Scratch()
        try await withCart(scratch) { client async throws in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<40 {
                    group.addTask { try await client.post("/cart/items", #"{"product":"rope"}"#).status }
                }
                for try await status in group { #expect(status == 201) }
            }
            #expect(try await client.get("/cart").text.contains(#""count":40"#))
            #expect(try await client.get("/metrics").text.contains("\ncart_items{app=\"cart\"} 40\n"))
        }
    }

    @Test("what is not there cannot be taken out, and a full cart takes no more")
    func limits() async throws {
        let scratch = try Scratch()
        try await withCart(scratch) { client async throws in
            #expect(try await client.delete("/cart/items/rope").status == 404)
            #expect(try await client.post("/cart/items", #"{"product":"rope","quantity":1000}"#).status == 201)
            #expect(try await client.post("/cart/items", #"{"product":"rope"}"#).status == 409)
        }
    }

    @Test("a volume that is gone makes it unready and answers 503")
    func volumeGone() async throws {
        let scratch = try Scratch()
        try await withCart(scratch) { client async throws in
            #expect(try await client.get("/readyz").status == 200)
            try FileManager.default.removeItem(atPath: scratch.path)
            #expect(try await client.get("/readyz").status == 503)
            #expect(try await client.get("/healthz").status == 200)
            let answer = try await client.post("/cart/items", #"{"product":"rope"}"#)
            #expect(answer.status == 503)
            #expect(answer.text.contains("the cart's volume fails"))
        }
    }
}
