// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AsyncHTTPClient
import Model
import NIOCore
import NIOHTTP1
import NIOSSL
import Ports

/// The connections to one API server, and the rules by which calls use them.
final class ClusterLink: Sendable {
    let config: KubeConfig
    let limits: Limits
    private let http: HTTPClient
    private let tls: TLSMaterial
    private let credentials: CredentialSource
    private let gate: CallGate
    private let wall: WallClock
    private let pause: @Sendable (Duration) async throws -> Void
    private let base: (address: String, headers: HTTPHeaders)
    private let clock = ContinuousClock()

    init(
        _ config: KubeConfig,
        limits: Limits,
        userAgent: String,
        wall: WallClock = .machine,
        pause: @escaping @Sendable (Duration) async throws -> Void
    ) throws {
        self.config = config
        self.limits = limits
        self.pause = pause
        self.wall = wall
        tls = try TLSMaterial(config)
        credentials = CredentialSource(config, wall: wall)
        gate = CallGate(limits.concurrency)
        base = try ServerAddress.base(of: config, userAgent: userAgent)
        http = HTTPClient(
            eventLoopGroupProvider: .singleton,
            configuration: try HTTPClient.Configuration(config, limits, tls)
        )
    }

    func shutdown() async { try? await http.shutdown() }

    // MARK: Calls

    /// Sends a call and reads the whole answer; a `Status` that is no success becomes a ``Failure``.
    func send(_ call: APICall) async throws -> APIAnswer {
        try await gate.enter()
        defer { gate.leave() }
        // A program that hands out credentials, and the person it asks, have a time of their own.
        _ = try await credentials.current()
        let end = clock.now + limits.deadline
        return try await within(limits.deadline) { [self] in
            try await attempt(call, until: end) { response in
                APIAnswer(headers: response.headers, bytes: try await response.body.collect(upTo: 1 << 30))
            }
        }
    }

    /// Sends a call and returns when the answer's head is there and says success; the body may take as long as it likes.
    func open(_ call: APICall) async throws -> HTTPClientResponse {
        var call = call
        call.takesGzip = false
        // A program that hands out credentials, and the person it asks, have a time of their own.
        _ = try await credentials.current()
        let end = clock.now + limits.deadline
        return try await within(limits.deadline) { [self, call] in
            try await attempt(call, until: end) { response in response }
        }
    }

    private func attempt<Value: Sendable>(
        _ call: APICall,
        until end: ContinuousClock.Instant,
        _ read: @Sendable (HTTPClientResponse) async throws -> Value
    ) async throws -> Value {
        var retries = CallRetries(isRepeatable: call.isRepeatable)
        while true {
            let credential = try await credentials.current()
            let failure: any Error
            var answer: RefusedAnswer?
            do {
                let response = try await http.execute(
                    try request(call, credential),
                    deadline: .now() + limits.deadline.amount
                )
                for warning in WarningHeader.texts(response.headers) { ClusterWarnings.report(warning) }
                if response.status.code < 300 { return try await read(response) }
                let refused = try await RefusedAnswer(response, from: config)
                (answer, failure) = (refused, refused.failure)
            } catch {
                guard !(error is CancellationError), !Task.isCancelled else { throw CancellationError() }
                failure = ConnectionTrouble.failure(error, config)
                retries.note(error)
            }
            if let answer, answer.status.code == 401 {
                if retries.mayAuthenticateAgain, await credentials.refuse(credential) {
                    retries.hasAuthenticatedAgain = true
                    continue
                }
                throw RefusedCredential(config: config, credential: credential, now: wall.now).failure(
                    cause: answer.status
                )
            }
            guard let wait = retries.wait(after: answer), clock.now + wait < end else { throw failure }
            try await pause(wait)
        }
    }

    private func request(_ call: APICall, _ credential: Credential) throws -> HTTPClientRequest {
        var request = HTTPClientRequest(url: call.url(on: base.address))
        request.method = call.method
        request.headers = base.headers
        request.headers.add(name: "Accept", value: call.accept)
        // Where nothing is said the decompressor asks by itself.
        request.headers.add(name: "Accept-Encoding", value: call.takesGzip ? "gzip" : "identity")
        if let text = credential.authorization { request.headers.add(name: "Authorization", value: text) }
        if let body = call.body {
            request.headers.add(name: "Content-Type", value: call.contentType)
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        request.tlsConfiguration = try tls.override(for: credential.identity)
        return request
    }

    /// The library's own deadline ends at an answer's head; this one covers the rest too.
    func within<Value: Sendable>(
        _ limit: Duration,
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await work() }
            group.addTask { [config] in
                try await Task.sleep(for: limit)
                throw Failure(.deadlineExceeded, "the cluster at '\(config.server)' did not answer in time")
            }
            defer { group.cancelAll() }
            // The group has two children, so there is a first result.
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }
}

extension Duration {
    var amount: TimeAmount {
        .nanoseconds(components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000)
    }
}
