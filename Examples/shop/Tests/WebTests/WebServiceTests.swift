// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FlyingFox
import ShopKit
import ShopTesting
import Synchronization
import Testing

@testable import web

@Suite("web service")
struct WebServiceTests {
    private static let products = Route("GET", "/products") { _ in
        try .json(
            Product.List(products: [
                Product(id: "rope", name: "Rope", description: "Hemp", price: 2700, currency: "EUR")
            ])
        )
    }
    private static let cart = Route("GET", "/cart") { _ in
        try .json(Cart(items: [CartItem(product: "rope", quantity: 2)]))
    }
    /// Nothing listens there.
    private static let nowhere = "http://127.0.0.1:1"

    /// Runs web with these as its catalog and cart; without routes there is no such service at all.
    private func withWeb(
        catalog: [Route]? = [products],
        cart: [Route]? = [cart],
        log: Log? = nil,
        timeout: Duration = .seconds(20),
        _ body: @escaping @Sendable (UpstreamClient) async throws -> Void
    ) async throws {
        try await withOptional(catalog) { catalogURL in
            try await withOptional(cart) { cartURL in
                let service = try Service.forTest("web", log: log)
                let upstreams = Upstreams(
                    catalog: UpstreamClient(url: catalogURL, timeout: timeout),
                    cart: UpstreamClient(url: cartURL, timeout: timeout),
                    log: service.log,
                    metrics: service.metrics
                )
                try await withRunning(service, WebRoutes(version: "7", upstreams: upstreams).routes, body)
            }
        }
    }

    private func withOptional(_ routes: [Route]?, _ body: @Sendable (ServiceURL) async throws -> Void) async throws {
        guard let routes else { return try await body(ServiceURL(Self.nowhere)) }
        try await withRunning(Service.forTest("peer"), routes) { client in try await body(client.url) }
    }

    @Test("the page is made from all three services")
    func whole() async throws {
        try await withWeb { client in
            let answer = try await client.get("/")
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"] == "text/html; charset=utf-8")
            #expect(answer.text.contains("The Chandlery"))
            #expect(answer.text.contains("<h3>Rope</h3>"))
            #expect(answer.text.contains("2 × Rope"))
        }
    }

    @Test("without catalog the page still shows the cart, says so and is 503")
    func noCatalog() async throws {
        try await withWeb(catalog: nil) { client in
            let answer = try await client.get("/")
            #expect(answer.status == 503)
            #expect(answer.headers["retry-after"] == "1")
            #expect(
                answer.text.contains(
                    "The products cannot be shown just now: cannot reach 127.0.0.1:1: Connection refused"
                )
            )
            #expect(answer.text.contains("2 × rope"))
            let metrics = try await client.get("/metrics").text
            #expect(metrics.contains(#"upstream_requests_total{app="web",upstream="catalog",code="none"} 1"#))
            #expect(metrics.contains(#"http_errors_total{app="web"} 1"#))
        }
    }

    @Test("without cart the page still shows the products, says so and is 503")
    func noCart() async throws {
        try await withWeb(cart: nil) { client in
            let answer = try await client.get("/")
            #expect(answer.status == 503)
            #expect(answer.text.contains("The cart cannot be shown just now"))
            #expect(answer.text.contains("<h3>Rope</h3>"))
        }
    }

    @Test("a part that answers with an error or with nonsense is missing, with its reason")
    func badParts() async throws {
        let failing = Route("GET", "/products") { _ in throw HTTPProblem(.internalServerError, "out of chalk") }
        let nonsense = Route("GET", "/cart") { _ in .plain("<html>") }
        try await withWeb(catalog: [failing], cart: [nonsense]) { client in
            let answer = try await client.get("/")
            #expect(answer.status == 503)
            #expect(answer.text.contains("out of chalk"))
            #expect(answer.text.contains("cart gave an answer that is not understood"))
        }
    }

    @Test("a part that takes too long is given up")
    func slowPart() async throws {
        let (stream, gate) = AsyncStream<Never>.makeStream()
        let stuck = Route("GET", "/cart") { _ in
            for await _ in stream {}
            return .plain("")
        }
        try await withWeb(cart: [stuck], timeout: .milliseconds(200)) { client in
            let answer = try await client.get("/")
            #expect(answer.status == 503)
            #expect(answer.text.contains("The cart cannot be shown just now: no answer within 200 ms"))
            gate.finish()
        }
    }

    @Test("a form changes the cart and leads back to the page")
    func forms() async throws {
        let seen = Mutex<[String]>([])
        let record: Route.Handler = { request in
            seen.withLock {
                $0.append("\(request.method) \(request.path) \(String(decoding: request.body, as: UTF8.self))")
            }
            return .plain("ok")
        }
        let routes = [
            Route("POST", "/cart/items", handler: record), Route("DELETE", "/cart/items", handler: record),
            Route("DELETE", "/cart/items/{product}", handler: record),
        ]
        try await withWeb(cart: routes) { client in
            for (form, body) in [("add", "product=a%22b&quantity=2"), ("remove", "product=a+b"), ("clear", "")] {
                let answer = try await client.post("/cart/\(form)", body)
                #expect(answer.status == 303)
                #expect(answer.headers["location"] == "/")
            }
        }
        #expect(
            seen.withLock { $0 } == [
                #"POST /cart/items {"product":"a\"b","quantity":2}"#, "DELETE /cart/items/a%20b ",
                "DELETE /cart/items ",
            ]
        )
    }

    @Test("what cart refuses is told on the page, with cart's reason and status")
    func refusedChange() async throws {
        let refuse = Route("POST", "/cart/items") { _ in throw HTTPProblem(.conflict, "the cart is full") }
        try await withWeb(cart: [refuse, Self.cart]) { client in
            let answer = try await client.post("/cart/add", "product=rope")
            #expect(answer.status == 409)
            #expect(answer.text.contains(#"role="alert">the cart is full"#))
            #expect(answer.text.contains("<h3>Rope</h3>"))
        }
    }

    @Test("the request's id goes along to the services that are called")
    func traceHeaders() async throws {
        let seen = Mutex<[String]>([])
        let record = Route("GET", "/products") { request in
            seen.withLock { $0.append(request.headers[HTTPHeader("X-Request-Id")] ?? "none") }
            return try .json(Product.List(products: []))
        }
        try await withWeb(catalog: [record]) { client in
            _ = try await client.send(UpstreamRequest("GET", "/", headers: [("X-Request-Id", "abc-1")]))
        }
        #expect(seen.withLock { $0 } == ["abc-1"])
    }

    @Test("another site's form changes nothing")
    func crossSite() async throws {
        try await withWeb(cart: [Self.cart]) { client in
            let request = UpstreamRequest(
                "POST",
                "/cart/add",
                headers: [("Sec-Fetch-Site", "cross-site")],
                body: Array("product=rope".utf8)
            )
            #expect(try await client.send(request).status == 403)
            let metrics = try await client.get("/metrics").text
            #expect(metrics.contains(#"upstream_requests_total{app="web",upstream="cart",code="200"} 1"#))
        }
    }
}
