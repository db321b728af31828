// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import ShopKit
import ShopTesting
import Testing

@testable import catalog

@Suite("catalog")
struct CatalogTests {
    private func withCatalog(_ body: @Sendable (UpstreamClient) async throws -> Void) async throws {
        try await withRunning(Service.forTest("catalog"), Catalog.standard.routes, body)
    }

    @Test("the list holds every product once, each with a price")
    func list() async throws {
        try await withCatalog { client in
            let answer = try await client.get("/products")
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"] == "application/json")
            let products = try JSONDecoder().decode(Product.List.self, from: Data(answer.body)).products
            #expect(products == Catalog.standard.products)
            #expect(Set(products.map(\.id)).count == products.count)
            #expect(products.allSatisfy { $0.price > 0 })
        }
    }

    @Test("each product of the list can be asked for by its id")
    func one() async throws {
        try await withCatalog { client in
            for product in Catalog.standard.products {
                let answer = try await client.get("/products/\(product.id)")
                #expect(try JSONDecoder().decode(Product.self, from: Data(answer.body)) == product)
            }
        }
    }

    @Test("an unknown product is 404 and named in the reason")
    func unknown() async throws {
        try await withCatalog { client in
            let answer = try await client.get("/products/no%20such%22thing")
            #expect(answer.status == 404)
            #expect(answer.text == #"{"error":"there is no product 'no such\"thing'"}"# + "\n")
        }
    }

    @Test("the catalogue cannot be written to")
    func readOnly() async throws {
        try await withCatalog { client in
            let answer = try await client.post("/products", "{}")
            #expect(answer.status == 405)
            #expect(answer.headers["allow"] == "GET")
        }
    }
}
