// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AsyncHTTPClient
import Foundation
import Model
import NIOHTTP1
import Ports

/// Sends one blob to one repository: does what ``UploadMachine`` says and tells it what came of it.
struct BlobUpload<C: Clock> where C.Duration == Duration {
    let exchange: RegistryExchange<C>
    let blob: BlobFile
    let repository: String
    /// A repository of the same registry that is known to have the blob.
    let source: String?

    private var machine: UploadMachine
    /// Where the registry wants the next request.
    private var location: URL?
    private var hasBegun = false

    private var host: String { exchange.address.host }
    private var scopes: [String] { ["repository:\(repository):pull,push"] }
    private var purpose: String { "push a blob to '\(repository)'" }

    init(_ blob: BlobFile, to repository: String, from source: String?, _ exchange: RegistryExchange<C>) {
        self.exchange = exchange
        self.blob = blob
        self.repository = repository
        self.source = source
        machine = UploadMachine(size: blob.size)
    }

    mutating func run() async throws {
        var action = UploadMachine.Action.open(after: .zero)
        while true {
            let event: UploadMachine.Event
            do {
                switch action {
                case .done: return
                case .fail(let failure): throw failure
                case .open(let pause): event = try await open(after: pause)
                case .ask(let pause): event = try await ask(after: pause)
                case .send(let range): event = try await send(range)
                case .finish(let start): event = try await finish(from: start)
                }
            } catch let transient as Transient {
                event = .broke(transient.failure, wait: transient.wait)
            } catch let failure as Failure where failure.code == .deadlineExceeded {
                // A line that was cut looks like one that is slow.
                event = .broke(failure, wait: nil)
            }
            action = machine.observe(event)
        }
    }

    // MARK: opening

    private mutating func open(after pause: Duration) async throws -> UploadMachine.Event {
        if pause > .zero { try await exchange.clock.sleep(for: pause) }
        // What broke off may have arrived all the same.
        if hasBegun, try await exchange.has(blob.digest, in: repository) { return .stored }
        hasBegun = true
        location = nil
        let mount = "mount=\(blob.digest.description.replacing(":", with: "%3A"))"
        var query = mount
        var scopes = scopes
        if let source {
            query += "&from=\(source.replacing("/", with: "%2F"))"
            scopes.append("repository:\(source):pull")
        }
        var response: HTTPClientResponse?
        do {
            let answer = try await exchange.once(opening(query, scopes))
            if answer.status == .created || answer.status == .accepted {
                response = answer
            } else {
                await exchange.discard(answer)
            }
        } catch let failure as Failure where failure.code == .denied && source != nil {
            // Some registries refuse a mount, or the second scope, where they would allow a plain upload.
        }
        let answer: HTTPClientResponse
        if let response { answer = response } else { answer = try await exchange.once(opening("", self.scopes)) }
        guard answer.status == .created || answer.status == .accepted else {
            throw try await exchange.failure(of: answer, to: opening("", self.scopes))
        }
        await exchange.discard(answer)
        guard answer.status == .accepted else { return .stored }
        try follow(answer, from: opening("", self.scopes).url, isNeeded: true)
        return .opened(smallestChunk: answer.headers.first(name: "oci-chunk-min-length").flatMap { Int($0) })
    }

    private func opening(_ query: String, _ scopes: [String]) throws -> RegistryCall {
        RegistryCall(
            method: .POST,
            url: try exchange.url("\(repository)/blobs/uploads/", query: query),
            repository: repository,
            scopes: scopes,
            purpose: purpose
        )
    }

    /// Takes the address of the next request from an answer.
    private mutating func follow(_ answer: HTTPClientResponse, from url: URL, isNeeded: Bool = false) throws {
        guard let text = answer.headers.first(name: "location"), let next = exchange.address.location(text, from: url)
        else {
            guard isNeeded else { return }
            throw Failure(.fault, "the registry '\(host)' opened an upload without saying where")
        }
        guard !AddressKind(next.host() ?? "").isLocal || AddressKind(exchange.address.base.host() ?? "").isLocal else {
            let problem = "the registry '\(host)' wants uploads sent to '\(next.host() ?? "")'"
            throw Failure(.denied, "\(problem), which is an address of this machine or its link")
        }
        location = next
    }

    // MARK: sending

    private func call(_ method: HTTPMethod, _ url: URL, _ range: Range<Int>? = nil) -> RegistryCall {
        var call = RegistryCall(method: method, url: url, repository: repository, scopes: scopes, purpose: purpose)
        guard let range else { return call }
        call.headers = [("Content-Type", "application/octet-stream")]
        if range.isEmpty {
            // An upload of nothing needs no body, but its length has to be said.
            call.body = .bytes([])
        } else {
            call.body = .file(blob, range)
        }
        return call
    }

    private mutating func send(_ range: Range<Int>) async throws -> UploadMachine.Event {
        guard let location else { return .lost(vanished) }
        var call = call(.PATCH, location, range)
        call.headers.append(("Content-Range", "\(range.lowerBound)-\(range.upperBound - 1)"))
        let response = try await exchange.once(call)
        guard (200..<300).contains(response.status.code) else { return try await trouble(response, call) }
        await exchange.discard(response)
        try follow(response, from: location)
        return .stands(at: Self.place(response))
    }

    private mutating func finish(from start: Int) async throws -> UploadMachine.Event {
        guard let location else { return .lost(vanished) }
        guard let url = RegistryAddress.finishing(location, digest: blob.digest.description) else {
            throw Failure(.fault, "the registry '\(host)' opened an upload at '\(location)', which is no address")
        }
        var call = call(.PUT, url, start..<blob.size)
        if start > 0, start < blob.size { call.headers.append(("Content-Range", "\(start)-\(blob.size - 1)")) }
        let response = try await exchange.once(call)
        // Bytes that were joined from several requests and do not fit the digest are worth one more beginning.
        if response.status == .badRequest, start > 0 { return .lost(await exchange.failure(of: response, to: call)) }
        guard [200, 201, 204].contains(response.status.code) else { return try await trouble(response, call) }
        await exchange.discard(response)
        return .stored
    }

    private mutating func trouble(_ response: HTTPClientResponse, _ call: RegistryCall) async throws
        -> UploadMachine.Event
    {
        switch response.status.code {
        case 404: return .lost(await exchange.failure(of: response, to: call))
        case 413: return .tooLarge(await exchange.failure(of: response, to: call))
        case 416:
            await exchange.discard(response)
            try follow(response, from: call.url)
            return .outOfStep(at: Self.place(response))
        default: throw await exchange.failure(of: response, to: call)
        }
    }

    private mutating func ask(after pause: Duration) async throws -> UploadMachine.Event {
        try await exchange.clock.sleep(for: pause)
        guard let location else { return .lost(vanished) }
        let call = call(.GET, location)
        let response = try await exchange.once(call)
        guard (200..<300).contains(response.status.code) else {
            return .lost(await exchange.failure(of: response, to: call))
        }
        await exchange.discard(response)
        try follow(response, from: location)
        return .stands(at: Self.place(response) ?? 0)
    }

    private var vanished: Failure {
        Failure(.unavailable, "the registry '\(host)' cannot be reached to \(purpose)")
    }

    /// How much a `Range` says has arrived. `0-0` is what registries say of nothing, and of one byte.
    static func place(_ response: HTTPClientResponse) -> Int? {
        guard let text = response.headers.first(name: "range") else { return nil }
        let parts = text.replacing("bytes=", with: "").split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let first = Int(parts[0]), let last = Int(parts[1]), first == 0, last >= -1 else {
            return nil
        }
        return last <= 0 ? 0 : last + 1
    }
}
