// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// One thing that can be bought, as catalog tells it.
public struct Product: Sendable, Codable, Equatable {
    public let id: String
    public let name: String
    public let description: String
    /// In the currency's smallest unit.
    public let price: Int
    public let currency: String

    public init(id: String, name: String, description: String, price: Int, currency: String) {
        self.id = id
        self.name = name
        self.description = description
        self.price = price
        self.currency = currency
    }

    /// `GET /products`
    public struct List: Sendable, Codable, Equatable {
        public let products: [Product]
        public init(products: [Product]) { self.products = products }
    }
}

/// `GET /cart`
public struct Cart: Sendable, Codable, Equatable {
    /// In the order in which they were first added.
    public let items: [CartItem]
    /// Of all items together.
    public let count: Int

    public init(items: [CartItem]) {
        self.items = items
        count = items.reduce(0) { $0 + $1.quantity }
    }
}

/// So many of one product.
public struct CartItem: Sendable, Codable, Equatable {
    public let product: String
    public var quantity: Int

    public init(product: String, quantity: Int) {
        self.product = product
        self.quantity = quantity
    }
}
