// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

public import ShopKit

/// Runs a service on a free port of loopback for as long as `body` takes, and stops it as SIGTERM would.
public func withRunning<Value: Sendable>(
    _ service: Service,
    _ routes: [Route],
    whyNotReady: @escaping @Sendable () async -> String? = { nil },
    _ body: @Sendable (UpstreamClient) async throws -> Value
) async throws -> Value {
    async let running: Void = service.run(routes, whyNotReady: whyNotReady)
    let port = try await service.listeningPort()
    let client = UpstreamClient(url: try ServiceURL("http://127.0.0.1:\(port)"), timeout: .seconds(20))
    do {
        let value = try await body(client)
        service.stop()
        try await running
        return value
    } catch {
        service.stop()
        _ = try? await running
        throw error
    }
}

extension Service {
    /// A service for a test: any free port, no delay at its end, a quiet log.
    public static func forTest(
        _ app: String,
        environment: [String: String] = [:],
        log: Log? = nil,
        misbehaviour: MisbehaviourSwitch? = nil
    ) throws -> Service {
        var configuration = try Configuration(
            app: app,
            environment: environment.merging(["PORT": "0"]) { given, _ in given }
        )
        configuration.drain = .zero
        let quiet = Log(app: app, version: configuration.version) { _ in }
        return Service(configuration, log: log ?? quiet, misbehaviour: misbehaviour)
    }
}

extension UpstreamResponse {
    public var text: String { String(decoding: body, as: UTF8.self) }
}

extension UpstreamClient {
    public func get(_ target: String) async throws -> UpstreamResponse {
        try await send(UpstreamRequest("GET", target))
    }

    public func post(_ target: String, _ body: String) async throws -> UpstreamResponse {
        try await send(UpstreamRequest("POST", target, body: Array(body.utf8)))
    }

    public func delete(_ target: String) async throws -> UpstreamResponse {
        try await send(UpstreamRequest("DELETE", target))
    }
}
