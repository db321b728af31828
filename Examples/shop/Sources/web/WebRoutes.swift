// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FlyingFox
import FoundationEssentials
import ShopKit

/// The pages that a browser sees.
struct WebRoutes: Sendable {
    let version: String
    let upstreams: Upstreams

    var routes: [Route] {
        [
            Route("GET", "/") { await page(for: $0) },
            Route("POST", "/cart/add") { request in
                await change(request) { fields in
                    let quantity = fields["quantity"].map { Int($0) ?? 0 } ?? 1
                    let body = "{\"product\":\(JSONText(fields["product"] ?? "").text),\"quantity\":\(quantity)}"
                    try await upstreams.changeCart("POST", "/cart/items", body: Array(body.utf8), for: request)
                }
            },
            Route("POST", "/cart/remove") { request in
                await change(request) { fields in
                    let product = PercentCoding.encoded(fields["product"] ?? "")
                    try await upstreams.changeCart("DELETE", "/cart/items/\(product)", for: request)
                }
            },
            Route("POST", "/cart/clear") { request in
                await change(request) { _ in try await upstreams.changeCart("DELETE", "/cart/items", for: request) }
            },
        ]
    }

    /// Both parts at once. A page with a part missing is still a page, but nobody should take it for a good one:
    /// it says 503, so that caches, probes and error rates see what the reader sees.
    private func page(for request: Request, problem: HTTPProblem? = nil) async -> HTTPResponse {
        async let products = upstreams.products(for: request)
        async let cart = upstreams.cart(for: request)
        let page = Page(version: version, products: await products, cart: await cart, complaint: problem?.message)
        let isWhole = !page.products.isMissing && !page.cart.isMissing
        var response = HTTPResponse.html(page.html, status: problem?.status ?? (isWhole ? .ok : .serviceUnavailable))
        response.headers[HTTPHeader("Cache-Control")] = "no-store"
        response.headers[HTTPHeader("Content-Security-Policy")] =
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"
        if !isWhole { response.headers[HTTPHeader("Retry-After")] = "1" }
        return response
    }

    /// Back to the page when it worked, so that a reload repeats nothing.
    private func change(_ request: Request, _ work: ([String: String]) async throws -> Void) async -> HTTPResponse {
        do {
            guard request.headers[HTTPHeader("Sec-Fetch-Site")] != "cross-site" else {
                throw HTTPProblem(.forbidden, "another site may not change your cart")
            }
            try await work(PercentCoding.form(String(decoding: request.body, as: UTF8.self)))
            return HTTPResponse(statusCode: .seeOther, headers: HTTPHeaders([.location: "/"]))
        } catch let problem as HTTPProblem {
            return await page(for: request, problem: problem)
        } catch {
            return await page(for: request, problem: HTTPProblem(.internalServerError, "that did not work"))
        }
    }
}
