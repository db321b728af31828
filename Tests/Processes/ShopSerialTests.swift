// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Testing

@Suite("the shop", .serialized, .enabled(if: Programs.obstacle == nil, "\(Programs.obstacle ?? "")"))
struct ShopSerialTests {
    @Test func oneCommandReleasesItAndItsCartSurvivesReleasesAndKills() throws {
        // The first build of the shop takes minutes on a small machine.
        let machine = try RunningBallast(arguments: ["--demo"], limit: 900)
        defer {
            machine.stop()
            machine.clean()
        }
        func page() throws -> (status: Int, body: String) { try machine.edge("/", host: "shop.localhost") }

        // The page answers 200 only where all three services had their part in it.
        let first = try page()
        #expect(first.status == 200)
        #expect(
            first.body.contains("Compass") && first.body.contains("Cart") && !first.body.contains("class=\"notice\"")
        )
        #expect(try machine.ballast("status").output.split(separator: "\n").count == 4)
        #expect(try machine.edge("/", host: "nobody.localhost").status == 404)

        // What lies in the cart stays there through a new release, a restart and a kill.
        let curl = try #require(Programs.tool("curl"))
        let edge = "http://127.0.0.1:\(RunningBallast.edgePort + machine.offset)"
        let added = try Programs.run(
            curl,
            [
                "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Host: shop.localhost", "-d",
                "product=compass&quantity=1", "\(edge)/cart/add",
            ]
        )
        #expect(["200", "302", "303"].contains(added.output), "\(added.output)")
        func cartHoldsTheCompass() throws -> Bool {
            let (status, body) = try page()
            guard status == 200, let cart = body.range(of: "<h2>Cart</h2>") else { return false }
            return body[cart.upperBound...].contains("Compass")
        }
        #expect(try cartHoldsTheCompass())

        try machine.ask("set", "env", "deploy/cart", "-n", "shop", "VERSION=by-hand")
        try machine.ask("rollout", "status", "deploy/cart", "-n", "shop", "--timeout=60s")
        let refused = try machine.ballast("release", "Examples/shop/cart")
        #expect(refused.code != 0 && refused.errors.contains("is owned by 'kubectl-set'"), "\(refused.errors)")
        let again = try machine.ballast("release", "Examples/shop/cart", "--take", "all")
        #expect(again.code == 0, "\(again.errors)")
        try machine.wait("the cart after a release", until: cartHoldsTheCompass)

        machine.stop()
        #expect(Leftovers.of(machine.folder).isEmpty)
        try machine.restart()
        try machine.wait("the cart after a restart", until: cartHoldsTheCompass)
        machine.killHard()
        try machine.restart()
        try machine.wait("the cart after a kill", until: cartHoldsTheCompass)
    }
}
