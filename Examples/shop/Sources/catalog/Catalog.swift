// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FlyingFox
import FoundationEssentials
import ShopKit

/// What the shop sells.
struct Catalog: Sendable {
    let products: [Product]

    var routes: [Route] {
        [
            Route("GET", "/products") { _ in try .json(Product.List(products: products)) },
            Route("GET", "/products/{id}") { request in
                let id = request.parameters["id"] ?? ""
                guard let product = products.first(where: { $0.id == id }) else {
                    throw HTTPProblem(.notFound, "there is no product '\(id)'")
                }
                return try .json(product)
            },
        ]
    }

    static let standard = Catalog(products: [
        product("anchor", "Anchor", "Cast iron, with a shackle. Holds in sand and in doubt.", 4900),
        product("barometer", "Barometer", "Aneroid, brass. Falls before the wind rises.", 8950),
        product("chart", "Chart", "The coast at 1:50 000, printed on cloth.", 1850),
        product("compass", "Compass", "Gimballed, with a cover of walnut.", 6400),
        product("lantern", "Lantern", "Paraffin, burns twelve hours on one filling.", 3200),
        product("oilskin", "Oilskin", "A coat to the knee, waxed by hand.", 11900),
        product("rope", "Rope", "Thirty metres of three-strand hemp.", 2700),
        product("sextant", "Sextant", "With seven shades and its certificate.", 24900),
    ])

    private static func product(_ id: String, _ name: String, _ description: String, _ price: Int) -> Product {
        Product(id: id, name: name, description: description, price: price, currency: "EUR")
    }
}
