// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FlyingFox
import FoundationEssentials
import ShopKit

/// The cart's API.
struct CartRoutes: Sendable {
    struct Addition: Codable {
        let product: String
        let quantity: Int?
    }

    let store: CartStore

    var routes: [Route] {
        [
            Route("GET", "/cart") { _ in try .json(await onDisk { try await store.current() }.cart) },
            Route("POST", "/cart/items") { request in
                let addition = try Self.addition(from: request.body)
                let state = try await onDisk { try await store.add(addition.product, addition.quantity ?? 1) }
                return try .json(state.cart, status: .created)
            },
            Route("DELETE", "/cart/items/{product}") { request in
                let product = request.parameters["product"] ?? ""
                return try .json(await onDisk { try await store.remove(product) }.cart)
            },
            Route("DELETE", "/cart/items") { _ in try .json(await onDisk { try await store.clear() }.cart) },
        ]
    }

    func whyNotReady() async -> String? {
        do {
            _ = try await store.current()
            return nil
        } catch {
            return "\(error)"
        }
    }

    func register(in metrics: Metrics) {
        metrics.reading("cart_items", "Things in the cart.", labels: ["app": "cart"]) { Double(store.known.cart.count) }
        metrics.reading("cart_log_bytes", "Size of the cart's log.", labels: ["app": "cart"]) {
            Double(store.known.size)
        }
        metrics.reading("cart_damaged_lines", "Lines of the log that could not be read.", labels: ["app": "cart"]) {
            Double(store.known.damagedLines)
        }
    }

    private static func addition(from body: Data) throws -> Addition {
        do {
            return try JSONDecoder().decode(Addition.self, from: body)
        } catch {
            throw HTTPProblem(.badRequest, #"the body must be like {"product":"rope","quantity":1}"#)
        }
    }

    /// A volume that is full or gone is not the caller's fault, and may pass.
    private func onDisk(_ work: () async throws -> CartStore.State) async throws -> CartStore.State {
        do {
            return try await work()
        } catch let error as SystemError {
            throw HTTPProblem(.serviceUnavailable, "the cart's volume fails: \(error)")
        }
    }
}
