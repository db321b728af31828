// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import ShopKit

/// The shop's one page.
struct Page: Sendable {
    let version: String
    let products: Part<[Product]>
    let cart: Part<Cart>
    /// Why what was just tried did not work.
    var complaint: String?

    var html: String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>The Chandlery</title>
        <style>\(Self.style)</style>
        </head>
        <body>
        <header><h1>The Chandlery</h1><p>Everything for a small boat</p></header>
        \(complaint.map { Self.notice($0) } ?? "")<main>
        <section id="catalog"><h2>Products</h2>
        \(catalogPart)
        </section>
        <aside id="cart"><h2>Cart</h2>
        \(cartPart)
        </aside>
        </main>
        <footer>web \(Self.escaped(version))</footer>
        </body>
        </html>

        """
    }

    private var catalogPart: String {
        switch products {
        case .missing(let reason): return Self.notice("The products cannot be shown just now: \(reason)")
        case .here(let products): return "<ul class=\"products\">\n\(products.map(Self.card).joined())</ul>"
        }
    }

    private static func card(_ product: Product) -> String {
        """
        <li><h3>\(escaped(product.name))</h3><p>\(escaped(product.description))</p>
        <form method="post" action="/cart/add"><strong>\(price(product.price, product.currency))</strong>\
        <input type="hidden" name="product" value="\(escaped(product.id))">\
        <button>Add to cart</button></form></li>

        """
    }

    private var cartPart: String {
        switch cart {
        case .missing(let reason): return Self.notice("The cart cannot be shown just now: \(reason)")
        case .here(let cart) where cart.items.isEmpty: return "<p>Your cart is empty.</p>"
        case .here(let cart): return "<ul>\n\(cart.items.map(row).joined())</ul>\n\(total(of: cart))\(Self.clearForm)"
        }
    }

    private func row(_ item: CartItem) -> String {
        let name = product(item.product)?.name ?? item.product
        return """
            <li><span>\(item.quantity) × \(Self.escaped(name))</span>\
            <form method="post" action="/cart/remove"><input type="hidden" name="product" value="\(Self.escaped(item.product))">\
            <button class="quiet" title="Remove">Remove</button></form></li>

            """
    }

    private static let clearForm =
        "<form method=\"post\" action=\"/cart/clear\"><button class=\"quiet\">Empty the cart</button></form>"

    /// Left out while a price is not known.
    private func total(of cart: Cart) -> String {
        var sum = 0
        for item in cart.items {
            guard let product = product(item.product) else { return "" }
            sum += product.price * item.quantity
        }
        guard let currency = cart.items.first.flatMap({ product($0.product)?.currency }) else { return "" }
        return "<p class=\"total\">Total <strong>\(Self.price(sum, currency))</strong></p>\n"
    }

    private func product(_ id: String) -> Product? {
        guard case .here(let products) = products else { return nil }
        return products.first { $0.id == id }
    }

    static func price(_ amount: Int, _ currency: String) -> String {
        let cents = amount % 100
        return "\(amount / 100).\(cents < 10 ? "0" : "")\(cents) \(escaped(currency))"
    }

    private static func notice(_ text: String) -> String {
        "<p class=\"notice\" role=\"alert\">\(escaped(text))</p>\n"
    }

    static func escaped(_ text: String) -> String {
        var out = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }

    private static let style = """
        :root{--ink:#16324f;--line:#d5dde5;--accent:#b5432a}*{box-sizing:border-box}\
        body{margin:0 auto;max-width:64rem;padding:1.5rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:#fbfaf7}\
        header{border-bottom:3px solid var(--ink);margin-bottom:1.5rem}h1{margin:0}header p{margin:0 0 .75rem}\
        main{display:grid;grid-template-columns:1fr 18rem;gap:2rem}@media(max-width:44rem){main{grid-template-columns:1fr}}\
        ul{list-style:none;margin:0;padding:0}.products{display:grid;grid-template-columns:repeat(auto-fill,minmax(14rem,1fr));gap:1rem}\
        .products li{display:flex;flex-direction:column;background:#fff;border:1px solid var(--line);border-radius:.5rem;padding:1rem}\
        h3{margin:0}.products p{margin:.25rem 0 1rem}.products form{margin-top:auto}\
        form{display:flex;justify-content:space-between;align-items:center;gap:.5rem}\
        button{font:inherit;border:0;border-radius:.35rem;padding:.35rem .75rem;background:var(--ink);color:#fff;cursor:pointer}\
        .quiet{background:none;color:var(--ink);text-decoration:underline;padding:0}\
        #cart li{display:flex;justify-content:space-between;border-bottom:1px solid var(--line);padding:.4rem 0}\
        .total{display:flex;justify-content:space-between}\
        .notice{border-left:4px solid var(--accent);background:#fbeae6;padding:.6rem .9rem;margin:0 0 1rem}\
        footer{margin-top:2rem;border-top:1px solid var(--line);padding-top:.5rem;color:#5b6b7b;font-size:.85rem}
        """
}
