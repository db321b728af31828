// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FlyingFox
import FoundationEssentials
import ShopKit

/// What the page needs of another service: the value, or why there is none.
enum Part<Value: Sendable>: Sendable {
    case here(Value)
    case missing(reason: String)

    var isMissing: Bool {
        if case .missing = self { true } else { false }
    }
}

/// Calls catalog and cart, counting how each call ended.
struct Upstreams: Sendable {
    let catalog: UpstreamClient
    let cart: UpstreamClient
    private let log: Log
    private let calls: Counter
    private let durations: Histogram

    init(catalog: UpstreamClient, cart: UpstreamClient, log: Log, metrics: Metrics) {
        self.catalog = catalog
        self.cart = cart
        self.log = log
        calls = metrics.counter(
            "upstream_requests_total",
            "Calls to other services; code is 'none' where there was no answer.",
            labels: ["app", "upstream", "code"]
        )
        durations = metrics.histogram(
            "upstream_request_duration_seconds",
            "Time of calls to other services.",
            labels: ["app", "upstream"],
            bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
        )
    }

    func products(for request: Request) async -> Part<[Product]> {
        await part(Product.List.self, of: catalog, "catalog", "/products", request) { $0.products }
    }

    func cart(for request: Request) async -> Part<Cart> {
        await part(Cart.self, of: cart, "cart", "/cart", request) { $0 }
    }

    /// Throws an ``HTTPProblem`` with cart's own words where it gave any.
    func changeCart(_ method: String, _ target: String, body: [UInt8] = [], for request: Request) async throws {
        var call = UpstreamRequest(method, target, headers: request.traceHeaders, body: body)
        if !body.isEmpty { call.headers.append(("Content-Type", "application/json")) }
        let answer: UpstreamResponse
        do {
            answer = try await send(call, to: cart, "cart")
        } catch let error as DeadlineExceeded {
            throw HTTPProblem(.gatewayTimeout, "the cart is not available: \(error)")
        } catch {
            throw HTTPProblem(.serviceUnavailable, "the cart is not available: \(error)")
        }
        guard answer.status >= 400 else { return }
        let reason = Self.reason(in: answer)
        switch answer.status {
        case 400: throw HTTPProblem(.badRequest, reason)
        case 404: throw HTTPProblem(.notFound, reason)
        case 409: throw HTTPProblem(.conflict, reason)
        default: throw HTTPProblem(.serviceUnavailable, "the cart is not available: \(reason)")
        }
    }

    private func part<Body: Decodable, Value>(
        _ type: Body.Type,
        of client: UpstreamClient,
        _ name: String,
        _ target: String,
        _ request: Request,
        _ pick: (Body) -> Value
    ) async -> Part<Value> {
        do {
            let answer = try await send(UpstreamRequest("GET", target, headers: request.traceHeaders), to: client, name)
            guard answer.status == 200 else { return .missing(reason: Self.reason(in: answer)) }
            return .here(pick(try JSONDecoder().decode(type, from: Data(answer.body))))
        } catch is DecodingError {
            return .missing(reason: "\(name) gave an answer that is not understood")
        } catch {
            return .missing(reason: "\(error)")
        }
    }

    private func send(_ call: UpstreamRequest, to client: UpstreamClient, _ name: String) async throws
        -> UpstreamResponse
    {
        let start = ContinuousClock.now
        defer { durations.observe(start.duration(to: .now).inSeconds, ["web", name]) }
        do {
            let answer = try await client.send(call)
            calls.increment(["web", name, String(answer.status)])
            if answer.status >= 500 { warn(call, name, "status \(answer.status)") }
            return answer
        } catch {
            calls.increment(["web", name, "none"])
            warn(call, name, "\(error)")
            throw error
        }
    }

    private func warn(_ call: UpstreamRequest, _ name: String, _ error: String) {
        let requestID = call.headers.first { $0.name == "X-Request-Id" }?.value ?? ""
        log.warn(
            "upstream failed",
            ["upstream": JSONText(name), "error": JSONText(error), "request_id": JSONText(requestID)]
        )
    }

    private static func reason(in answer: UpstreamResponse) -> String {
        struct Problem: Decodable { let error: String }
        let problem = try? JSONDecoder().decode(Problem.self, from: Data(answer.body))
        return problem?.error ?? "status \(answer.status)"
    }
}
