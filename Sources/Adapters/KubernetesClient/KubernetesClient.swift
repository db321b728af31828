// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AsyncHTTPClient
import Foundation
package import Model
import NIOCore
import NIOHTTP1
import NIOSSL
import Ports

/// A Kubernetes API reached over a socket.
///
/// Every call has a deadline; a watch has one for its start and none for its length.
/// `shutdown()` must be called before the last reference goes.
package struct KubernetesClient: ClusterAPI {
    let config: KubeConfig
    let http: HTTPClient
    /// For a call's whole answer.
    let deadline: TimeAmount
    let userAgent: String

    package init(_ config: KubeConfig, deadline: Duration = .seconds(30), userAgent: String = "ballast") throws {
        self.config = config
        self.deadline = .nanoseconds(deadline.components.seconds * 1_000_000_000)
        self.userAgent = userAgent
        var configuration = HTTPClient.Configuration()
        configuration.tlsConfiguration = try Self.tls(config)
        configuration.timeout.connect = .seconds(5)
        configuration.redirectConfiguration = .disallow
        configuration.httpVersion = .http1Only
        configuration.connectionPool.idleTimeout = .seconds(30)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 32
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    package func shutdown() async { try? await http.shutdown() }

    private static func tls(_ config: KubeConfig) throws -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        do {
            if let authority = config.authority {
                tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(authority.utf8)))
            }
            if let (certificate, key) = config.clientCertificate {
                let chain = try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8))
                tls.certificateChain = chain.map { .certificate($0) }
                tls.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem))
            }
        } catch {
            throw Failure(.invalidInput, "the certificates for '\(config.server)' cannot be read", cause: error)
        }
        if config.skipsVerification { tls.certificateVerification = .none }
        return tls
    }

    // MARK: Requests

    func request(
        _ method: HTTPMethod,
        _ path: String,
        query: [(String, String)] = [],
        body: JSON? = nil,
        contentType: String = "application/json"
    ) -> HTTPClientRequest {
        var components = URLComponents()
        components.percentEncodedPath = path
        var allowed = CharacterSet.urlQueryAllowed
        allowed.remove(charactersIn: "+&=;")
        components.percentEncodedQuery =
            query.isEmpty
            ? nil
            : query.map { name, value in
                "\(name)=\(value.addingPercentEncoding(withAllowedCharacters: allowed) ?? value)"
            }.joined(separator: "&")
        var request = HTTPClientRequest(url: config.server + (components.string ?? path))
        request.method = method
        request.headers.add(name: "Accept", value: "application/json")
        request.headers.add(name: "User-Agent", value: userAgent)
        if let token = config.token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let (username, password) = config.basic {
            request.headers.add(
                name: "Authorization",
                value: "Basic " + Base64.encode(Array("\(username):\(password)".utf8))
            )
        }
        if let body {
            request.headers.add(name: "Content-Type", value: contentType)
            request.body = .bytes(ByteBuffer(bytes: body.bytes))
        }
        return request
    }

    /// Sends a request and reads the whole answer; a `Status` that is no success becomes a ``Failure``.
    func send(_ request: HTTPClientRequest) async throws -> JSON {
        try await withDeadline {
            let response = try await start(request)
            let bytes: ByteBuffer
            do {
                bytes = try await response.body.collect(upTo: 1 << 30)
            } catch {
                throw unreachable(error)
            }
            return try JSON(answer: bytes, from: config.server)
        }
    }

    /// The client's own deadline ends at an answer's head; this one covers the body too.
    private func withDeadline<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws
        -> Value
    {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try await Task.sleep(for: .nanoseconds(deadline.nanoseconds))
                throw Failure(.deadlineExceeded, "the cluster at '\(config.server)' did not answer in time")
            }
            defer { group.cancelAll() }
            // The group has two children, so there is a first result.
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }

    /// Sends a request and returns when the answer's head is there and says success.
    func start(_ request: HTTPClientRequest) async throws -> HTTPClientResponse {
        let response: HTTPClientResponse
        do {
            response = try await http.execute(request, timeout: deadline)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw unreachable(error)
        }
        guard response.status.code < 300 else { throw try await failure(of: response) }
        return response
    }

    private func failure(of response: HTTPClientResponse) async throws -> Failure {
        let bytes = try await response.body.collect(upTo: 16 << 20)
        let fallback = KubeStatus(
            code: Int(response.status.code),
            reason: "",
            message: "'\(config.server)' answered \(response.status.code) \(response.status.reasonPhrase)"
        )
        guard let json = try? JSON(parsing: bytes.readableBytesView), json["kind"]?.string == "Status" else {
            return Failure(fallback)
        }
        return Failure(KubeStatus(json) ?? fallback)
    }

    func unreachable(_ error: any Error) -> any Error {
        if error is CancellationError { return error }
        if let error = error as? HTTPClientError, error == .deadlineExceeded || error == .readTimeout {
            return Failure(.deadlineExceeded, "the cluster at '\(config.server)' did not answer in time", cause: error)
        }
        if let error = error as? HTTPClientError, error == .cancelled { return CancellationError() }
        if let problem = Self.tlsProblem(error) {
            return Failure(.unavailable, "the cluster at '\(config.server)' \(problem)")
        }
        return Failure(.unavailable, "the cluster at '\(config.server)' cannot be reached", cause: error)
    }
}

extension KubernetesClient {
    /// The library's words for trouble with TLS name its source files.
    private static func tlsProblem(_ error: any Error) -> String? {
        let text = "\(error)"
        if text.contains("CERTIFICATE_VERIFY_FAILED") || text.contains("unableToValidateCertificate") {
            return "shows a certificate that its kubeconfig does not trust"
        }
        if text.contains("WRONG_VERSION_NUMBER") { return "speaks no TLS" }
        return error is NIOSSLError ? "and we find no common way of encryption" : nil
    }
}

extension JSON {
    fileprivate init(answer bytes: ByteBuffer, from server: String) throws {
        do {
            try self.init(parsing: bytes.readableBytesView)
        } catch {
            throw Failure(.fault, "'\(server)' answered something that is no JSON", cause: error)
        }
    }
}

extension KubeStatus {
    /// Reads a `Status` object; `nil` where it is none.
    package init?(_ json: JSON) {
        guard json["kind"]?.string == "Status" else { return nil }
        var details = json["details"] ?? [:]
        let causes = (details["causes"]?.array ?? []).map { cause in
            Cause(
                reason: cause["reason"]?.string ?? "",
                message: cause["message"]?.string ?? "",
                field: cause["field"]?.string
            )
        }
        details["causes"] = nil
        self.init(
            code: json["code"]?.int ?? 500,
            reason: json["reason"]?.string ?? "",
            message: json["message"]?.string ?? "no message",
            causes: causes,
            details: details
        )
    }
}
