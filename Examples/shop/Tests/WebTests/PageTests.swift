// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import ShopKit
import Testing

@testable import web

@Suite("page")
struct PageTests {
    private static let rope = Product(id: "rope", name: "Rope", description: "Hemp", price: 2705, currency: "EUR")

    private func page(
        _ products: Part<[Product]> = .here([rope]),
        _ cart: Part<Cart> = .here(Cart(items: [])),
        complaint: String? = nil
    ) -> String {
        Page(version: "7", products: products, cart: cart, complaint: complaint).html
    }

    @Test("it shows each product with its price and a form that adds it")
    func product() {
        let html = page()
        #expect(html.contains("<h3>Rope</h3>"))
        #expect(html.contains("27.05 EUR"))
        #expect(html.contains(#"<input type="hidden" name="product" value="rope">"#))
        #expect(html.contains("Your cart is empty."))
        #expect(html.contains("web 7"))
    }

    @Test("the cart has names, quantities and a total")
    func cart() {
        let html = page(.here([Self.rope]), .here(Cart(items: [CartItem(product: "rope", quantity: 3)])))
        #expect(html.contains("3 × Rope"))
        #expect(html.contains("81.15 EUR"))
    }

    @Test("without prices there is no total, and the cart shows ids")
    func noTotal() {
        let html = page(.missing(reason: "gone"), .here(Cart(items: [CartItem(product: "rope", quantity: 3)])))
        #expect(html.contains("3 × rope"))
        #expect(!html.contains("Total"))
        #expect(html.contains("The products cannot be shown just now: gone"))
    }

    @Test("what comes from elsewhere is never markup")
    func escaping() {
        let bad = "<script>\"'&"
        let product = Product(id: bad, name: bad, description: bad, price: 1, currency: bad)
        let html = page(.here([product]), .here(Cart(items: [CartItem(product: bad, quantity: 1)])), complaint: bad)
        #expect(!html.contains("<script>"))
        #expect(html.contains("&lt;script&gt;&quot;&#39;&amp;"))
    }
}
