// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AsyncHTTPClient
import Foundation
import Model
import NIOCore
import NIOHTTP1
import Ports

/// Sends calls to one registry: proves who asks, follows redirects, tries again what may pass.
struct RegistryExchange<C: Clock>: Sendable where C.Duration == Duration {
    let http: HTTPClient
    let address: RegistryAddress
    let source: LoginSource
    let trust: RegistryTrust
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

    /// Sends a call, a second time where the registry wants to know who asks. Throws ``Transient`` for passing trouble, and
    /// `denied` where the registry wants somebody else.
    func once(_ call: RegistryCall) async throws -> HTTPClientResponse {
        let key = key(for: call.scopes)
        let known = await authorizations.header(for: key)
        let first = try await follow(call, known)
        guard first.status == .unauthorized else { return try await checked(first, call) }
        let challenges = first.headers["www-authenticate"].flatMap(AuthChallenge.parse)
        await authorizations.forget(key)
        guard let header = try await authorization(challenges, call, key) else {
            throw await refusal(first, call, key)
        }
        await discard(first)
        let second = try await follow(call, header)
        guard second.status != .unauthorized else {
            await authorizations.forget(key)
            // Who has got a token is known: what is missing are rights.
            throw await refusal(second, call, key, isKnown: header.hasPrefix("Bearer "))
        }
        return try await checked(second, call)
    }

    func checked(_ response: HTTPClientResponse, _ call: RegistryCall) async throws -> HTTPClientResponse {
        guard response.status.code >= 500 || response.status == .tooManyRequests else { return response }
        let wait = RetryAfter.wait(
            response.headers.first(name: "retry-after"),
            date: response.headers.first(name: "date")
        )
        let failure = await failure(of: response, to: call)
        // Neither a full disk nor a server that cannot do something gets better by asking again.
        guard failure.code == .unavailable, ![501, 505, 507].contains(response.status.code) else { throw failure }
        throw Transient(failure: failure, wait: wait)
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
            guard !AddressKind(next.host() ?? "").isLocal || AddressKind(address.base.host() ?? "").isLocal else {
                let problem =
                    "the registry '\(address.host)' sends us to '\(next.host() ?? "")', asked to \(call.purpose)"
                throw Failure(.denied, "\(problem), which is an address of this machine or its link")
            }
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

    func exchange(
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
        case .file(let blob, let range):
            let pieces = FilePieces(path: blob.path, range: range)
            request.body = .stream(pieces, length: .known(Int64(range.count)))
        }
        do {
            return try await http.execute(request, timeout: TimeAmount(call.deadline))
        } catch {
            throw unreachable(error, url, call.purpose)
        }
    }

    /// Reads the rest of an answer nobody wants, so that its connection can be used again.
    func discard(_ response: HTTPClientResponse) async { _ = try? await response.body.collect(upTo: 1 << 20) }

    // MARK: what many need

    func url(_ path: String, query: String = "") throws -> URL {
        guard let url = address.url(path, query: query) else {
            throw Failure(.invalidInput, "'\(path)' is no path in the registry '\(address.host)'")
        }
        return url
    }

    /// Whether a repository has a blob.
    func has(_ digest: Digest, in repository: String) async throws -> Bool {
        let call = RegistryCall(
            method: .HEAD,
            url: try url("\(repository)/blobs/\(digest)"),
            repository: repository,
            scopes: ["repository:\(repository):pull,push"],
            purpose: "push a blob to '\(repository)'"
        )
        let response = try await once(call)
        await discard(response)
        // Whatever else it says, the upload that follows will tell better.
        return response.status == .ok
    }

    /// A whole answer of at most `limit` bytes.
    func body(of response: HTTPClientResponse, limit: Int) async throws -> [UInt8] {
        do {
            return Array(try await response.body.collect(upTo: limit).readableBytesView)
        } catch let error as NIOTooManyBytesError {
            throw Failure(.fault, "the registry '\(address.host)' answered more than \(limit) bytes", cause: error)
        } catch {
            throw unreachable(error, address.base, "read its answer")
        }
    }
}
