// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AsyncHTTPClient
import Digests
import Foundation
import Model
import NIOCore
import NIOHTTP1
import Ports

/// Sends calls to one registry: proves who asks, follows redirects, tries again what may pass.
struct RegistryExchange<C: Clock>: Sendable where C.Duration == Duration {
    let http: HTTPClient
    let address: RegistryAddress
    let credentials: RegistryCredentials?
    let authorizations: AuthorizationCache<C>
    let clock: C

    private static var redirectLimit: Int { 5 }

    /// Sends a call until it has an answer that is no passing trouble; the answer may be a refusal.
    func send(_ call: RegistryCall) async throws -> HTTPClientResponse {
        try await retrying { try await once(call) }
    }

    /// Runs the work again where it throws ``Transient``, for as long as the schedule allows.
    func retrying<Value: Sendable>(_ work: () async throws -> Value) async throws -> Value {
        var schedule = RetrySchedule()
        while true {
            do {
                return try await work()
            } catch let transient as Transient {
                guard let pause = schedule.next(asked: transient.wait) else { throw transient.failure }
                try await clock.sleep(for: pause)
            }
        }
    }

    /// Sends a call, a second time where the registry wants to know who asks. Throws ``Transient`` for passing trouble.
    func once(_ call: RegistryCall) async throws -> HTTPClientResponse {
        let key = key(for: call.scopes)
        let known = await authorizations.header(for: key)
        let first = try await follow(call, known)
        guard first.status == .unauthorized else { return try await checked(first, call) }
        let challenges = first.headers["www-authenticate"].flatMap(AuthChallenge.parse)
        await discard(first)
        await authorizations.forget(key)
        guard let header = try await authorization(challenges, call, key) else {
            throw refused(call, "it wants credentials", nil)
        }
        return try await checked(try await follow(call, header), call)
    }

    private func checked(_ response: HTTPClientResponse, _ call: RegistryCall) async throws -> HTTPClientResponse {
        guard response.status.code >= 500 || response.status == .tooManyRequests else { return response }
        let wait = response.headers.first(name: "retry-after").flatMap { Int($0) }.map { Duration.seconds($0) }
        throw Transient(failure: await failure(of: response, to: call), wait: wait)
    }

    // MARK: one exchange

    private func follow(_ call: RegistryCall, _ authorization: String?) async throws -> HTTPClientResponse {
        var url = call.url
        for _ in 0...Self.redirectLimit {
            let response = try await exchange(call, at: url, address.isOrigin(of: url) ? authorization : nil)
            guard Self.isRedirect(response.status, call.method), let text = response.headers.first(name: "location"),
                let next = URL(string: text, relativeTo: url)?.absoluteURL
            else { return response }
            await discard(response)
            url = next
        }
        throw Failure(.fault, "the registry '\(address.host)' redirects in circles, asked to \(call.purpose)")
    }

    private static func isRedirect(_ status: HTTPResponseStatus, _ method: HTTPMethod) -> Bool {
        switch status {
        case .temporaryRedirect, .permanentRedirect: true
        case .movedPermanently, .found, .seeOther: method == .GET || method == .HEAD
        default: false
        }
    }

    private func exchange(
        _ call: RegistryCall,
        at url: URL,
        _ authorization: String?
    ) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: url.absoluteString)
        request.method = call.method
        request.headers = HTTPHeaders(call.headers + [("User-Agent", "ballast")])
        if let authorization { request.headers.add(name: "Authorization", value: authorization) }
        switch call.body {
        case .none: break
        case .bytes(let bytes): request.body = .bytes(ByteBuffer(bytes: bytes))
        case .file(let blob): request.body = .stream(FilePieces(path: blob.path), length: .known(Int64(blob.size)))
        }
        do {
            return try await http.execute(request, timeout: TimeAmount(call.deadline))
        } catch {
            throw unreachable(error, url)
        }
    }

    /// Reads the rest of an answer nobody wants, so that its connection can be used again.
    private func discard(_ response: HTTPClientResponse) async { _ = try? await response.body.collect(upTo: 1 << 20) }

    // MARK: who asks

    private func key(for scopes: [String]) -> AuthorizationCache<C>.Key {
        let secret = credentials.map { "\($0.username)\u{0}\($0.password)" } ?? ""
        // A digest, so that no password lingers in a table.
        return .init(
            registry: address.base.absoluteString,
            credentials: ContentHash.digest(of: Array(secret.utf8)).hex,
            scopes: scopes
        )
    }

    private var basic: String? {
        credentials.map { "Basic " + Base64.encode(Array("\($0.username):\($0.password)".utf8)) }
    }

    /// The header that answers the challenges; `nil` where we have none.
    private func authorization(
        _ challenges: [AuthChallenge],
        _ call: RegistryCall,
        _ key: AuthorizationCache<C>.Key
    ) async throws -> String? {
        if let bearer = challenges.first(where: { $0.scheme == "bearer" && $0.parameters["realm"] != nil }) {
            let answer = try await token(bearer, call)
            let header = "Bearer \(answer.token)"
            await authorizations.keep(header, for: key, life: answer.life)
            return header
        }
        guard challenges.contains(where: { $0.scheme == "basic" }), let basic else { return nil }
        await authorizations.keep(basic, for: key, life: nil)
        return basic
    }

    private func token(_ challenge: AuthChallenge, _ call: RegistryCall) async throws -> TokenAnswer {
        guard let realm = challenge.parameters["realm"].flatMap({ URLComponents(string: $0) }), let url = realm.url
        else {
            throw Failure(.fault, "the registry '\(address.host)' names no usable token service")
        }
        guard
            credentials == nil || url.scheme == "https" || address.base.scheme == "http"
                || RegistryAddress.isLoopback(url.host() ?? "")
        else {
            throw Failure(
                .denied,
                "the registry '\(address.host)' sends passwords to '\(url)', which is not encrypted; none was sent"
            )
        }
        var components = realm
        var items = components.queryItems ?? []
        if let service = challenge.parameters["service"] { items.append(URLQueryItem(name: "service", value: service)) }
        // Ours first, because some services read only the first; then what the registry asked for beyond it.
        let asked = challenge.parameters["scope"].map { [$0] } ?? []
        let scopes = call.scopes + asked.filter { !call.scopes.contains($0) }
        components.queryItems = items + scopes.map { URLQueryItem(name: "scope", value: $0) }
        guard let full = components.url else {
            throw Failure(.fault, "the token service '\(url)' has no usable address")
        }
        return try await ask(full, call)
    }

    private func ask(_ service: URL, _ call: RegistryCall) async throws -> TokenAnswer {
        let question = RegistryCall(method: .GET, url: service, scopes: [], purpose: call.purpose)
        let response = try await exchange(question, at: service, basic)
        switch response.status.code {
        case 200..<300:
            let bytes = try await body(of: response, limit: 1 << 20)
            guard let json = try? JSON(parsing: bytes), let answer = TokenAnswer(json) else {
                throw Failure(.fault, "the token service of the registry '\(address.host)' answered without a token")
            }
            return answer
        case 401, 403: throw await failure(of: response, to: call)
        default:
            _ = try await checked(response, question)
            throw await failure(of: response, to: call)
        }
    }

    /// A whole answer of at most `limit` bytes.
    func body(of response: HTTPClientResponse, limit: Int) async throws -> [UInt8] {
        do {
            return Array(try await response.body.collect(upTo: limit).readableBytesView)
        } catch let error as NIOTooManyBytesError {
            throw Failure(.fault, "the registry '\(address.host)' answered more than \(limit) bytes", cause: error)
        } catch {
            throw unreachable(error, address.base)
        }
    }
}
