// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AsyncHTTPClient
import Digests
import Foundation
import Model
import NIOCore
import NIOHTTP1
import Ports

/// One OCI registry over HTTP, as one user.
struct HTTPImageRegistry<C: Clock>: ImageRegistry where C.Duration == Duration {
    let exchange: RegistryExchange<C>
    let origins: BlobOrigins

    private var host: String { exchange.address.host }

    private static var manifestTypes: String {
        [
            "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json",
            "application/vnd.docker.distribution.manifest.list.v2+json",
            "application/vnd.docker.distribution.manifest.v2+json",
        ].joined(separator: ", ")
    }

    private static var manifestLimit: Int { 8 << 20 }

    private func url(_ path: String, query: String = "") throws -> URL {
        guard let url = exchange.address.url(path, query: query) else {
            throw Failure(.invalidInput, "'\(path)' is no path in the registry '\(host)'")
        }
        return url
    }

    // MARK: pulling

    func manifest(_ reference: ImageReference) async throws -> StoredManifest {
        let selector = reference.selector
        let call = RegistryCall(
            method: .GET,
            url: try url("\(reference.repository)/manifests/\(selector)"),
            headers: [("Accept", Self.manifestTypes)],
            scopes: ["repository:\(reference.repository):pull"],
            purpose: "pull '\(reference.repository)\(reference.digest == nil ? ":" : "@")\(selector)'"
        )
        let response = try await success(call)
        let bytes = try await exchange.body(of: response, limit: Self.manifestLimit)
        let digest = ContentHash.digest(of: bytes)
        let promised = reference.digest ?? response.headers.first(name: "docker-content-digest").flatMap { Digest($0) }
        guard promised == nil || promised == digest else {
            throw Failure(
                .fault,
                "the registry '\(host)' answered a manifest with the digest '\(digest)', asked to \(call.purpose)"
            )
        }
        return StoredManifest(mediaType: Self.type(of: bytes, response), bytes: bytes, digest: digest)
    }

    private static func type(of bytes: [UInt8], _ response: HTTPClientResponse) -> String {
        let sent =
            response.headers.first(name: "content-type").map { String($0.prefix { $0 != ";" && $0 != " " }) } ?? ""
        guard sent.isEmpty || sent == "application/json" || sent == "application/octet-stream" else { return sent }
        return (try? JSON(parsing: bytes))?["mediaType"]?.string ?? sent
    }

    func blob(_ digest: Digest, from repository: String) async throws -> AsyncThrowingStream<[UInt8], any Error> {
        let call = RegistryCall(
            method: .GET,
            url: try url("\(repository)/blobs/\(digest)"),
            scopes: ["repository:\(repository):pull"],
            purpose: "pull the blob '\(digest)' of '\(repository)'"
        )
        let response = try await success(call)
        origins.note(digest, in: repository, of: host)
        let pieces = BodyPieces(response.body) { error in
            let broken = exchange.unreachable(error, call.url)
            return (broken as? Transient)?.failure ?? broken
        }
        // Unfolding asks for a piece when the consumer does, so a slow consumer slows the connection instead of filling memory.
        return AsyncThrowingStream { try await pieces.next() }
    }

    // MARK: pushing

    func push(_ blob: BlobFile, to repository: String) async throws {
        let size = try? FileManager.default.attributesOfItem(atPath: blob.path)[.size] as? Int
        guard size == blob.size else {
            throw Failure(.invalidInput, "the blob's file '\(blob.path)' is gone or has not \(blob.size) bytes")
        }
        try await exchange.retrying {
            if try await has(blob.digest, in: repository) { return }
            if let location = try await begin(blob, repository) { try await put(blob, repository, at: location) }
        }
        origins.note(blob.digest, in: repository, of: host)
    }

    private func has(_ digest: Digest, in repository: String) async throws -> Bool {
        let call = RegistryCall(
            method: .HEAD,
            url: try url("\(repository)/blobs/\(digest)"),
            scopes: Self.pushScopes(repository),
            purpose: "look for a blob in '\(repository)'"
        )
        let response = try await exchange.once(call)
        _ = try await exchange.body(of: response, limit: 1 << 20)
        if response.status == .unauthorized { throw exchange.refused(call, "401 Unauthorized", nil) }
        // Whatever else it says, the upload that follows will tell better.
        return response.status == .ok
    }

    private static func pushScopes(_ repository: String) -> [String] { ["repository:\(repository):pull,push"] }

    /// Opens an upload; `nil` where the registry took the blob over from another repository instead.
    private func begin(_ blob: BlobFile, _ repository: String) async throws -> URL? {
        let source = origins.repository(with: blob.digest, of: host).flatMap { $0 == repository ? nil : $0 }
        var query = "mount=\(blob.digest.description.replacing(":", with: "%3A"))"
        var scopes = Self.pushScopes(repository)
        if let source {
            query += "&from=\(source.replacing("/", with: "%2F"))"
            scopes.append("repository:\(source):pull")
        }
        var call = RegistryCall(
            method: .POST,
            url: try url("\(repository)/blobs/uploads/", query: query),
            scopes: scopes,
            purpose: "push a blob to '\(repository)'"
        )
        var response = try await exchange.once(call)
        if response.status.code >= 400 {
            // Some registries refuse a mount, or the second scope, where they would allow a plain upload.
            _ = try await exchange.body(of: response, limit: 1 << 20)
            call.url = try url("\(repository)/blobs/uploads/")
            call.scopes = Self.pushScopes(repository)
            response = try await exchange.once(call)
        }
        guard response.status == .created || response.status == .accepted else {
            throw await exchange.failure(of: response, to: call)
        }
        _ = try await exchange.body(of: response, limit: 1 << 20)
        guard response.status == .accepted else { return nil }
        guard let text = response.headers.first(name: "location"),
            let location = exchange.address.location(text, from: call.url)
        else { throw Failure(.fault, "the registry '\(host)' opened an upload without saying where") }
        return location
    }

    private func put(_ blob: BlobFile, _ repository: String, at location: URL) async throws {
        guard let url = RegistryAddress.finishing(location, digest: blob.digest.description) else {
            throw Failure(.fault, "the registry '\(host)' opened an upload at '\(location)', which is no address")
        }
        let call = RegistryCall(
            method: .PUT,
            url: url,
            headers: [("Content-Type", "application/octet-stream")],
            body: .file(blob),
            scopes: Self.pushScopes(repository),
            purpose: "push a blob to '\(repository)'"
        )
        let response = try await exchange.once(call)
        guard response.status == .created || response.status == .noContent || response.status == .ok else {
            let failure = await exchange.failure(of: response, to: call)
            // The upload may have been lost with a restarted registry: worth another beginning.
            throw response.status == .notFound ? Transient(failure: failure, wait: nil) : failure
        }
        _ = try await exchange.body(of: response, limit: 1 << 20)
    }

    func push(_ manifest: StoredManifest, as reference: ImageReference) async throws -> Digest {
        let selector = reference.tag ?? reference.digest?.description ?? manifest.digest.description
        let call = RegistryCall(
            method: .PUT,
            url: try url("\(reference.repository)/manifests/\(selector)"),
            headers: [("Content-Type", manifest.mediaType)],
            body: .bytes(manifest.bytes),
            scopes: Self.pushScopes(reference.repository),
            purpose: "push '\(reference.repository):\(selector)'"
        )
        let response = try await success(call)
        _ = try await exchange.body(of: response, limit: 1 << 20)
        let stored = response.headers.first(name: "docker-content-digest").flatMap { Digest($0) }
        guard stored == nil || stored == manifest.digest else {
            throw Failure(.fault, "the registry '\(host)' stored another manifest than '\(manifest.digest)'")
        }
        return manifest.digest
    }

    private func success(_ call: RegistryCall) async throws -> HTTPClientResponse {
        let response = try await exchange.send(call)
        guard (200..<300).contains(response.status.code) else { throw await exchange.failure(of: response, to: call) }
        return response
    }
}

/// Hands out an answer's body piece by piece.
///
/// Proof of `@unchecked Sendable`: the iterator is touched by `next()` alone, and the one `AsyncThrowingStream` that holds this
/// calls `next()` again only after the last call returned, because a stream has one consumer.
private final class BodyPieces: @unchecked Sendable {
    private var iterator: HTTPClientResponse.Body.AsyncIterator
    private let translate: @Sendable (any Error) -> any Error

    init(_ body: HTTPClientResponse.Body, translate: @escaping @Sendable (any Error) -> any Error) {
        iterator = body.makeAsyncIterator()
        self.translate = translate
    }

    func next() async throws -> [UInt8]? {
        do {
            return try await iterator.next().map { Array($0.readableBytesView) }
        } catch {
            throw translate(error)
        }
    }
}
