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

    // MARK: pulling

    func manifest(_ reference: ImageReference) async throws -> StoredManifest {
        let selector = reference.selector
        let call = RegistryCall(
            method: .GET,
            url: try exchange.url("\(reference.repository)/manifests/\(selector)"),
            headers: [("Accept", Self.manifestTypes)],
            repository: reference.repository,
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
        note(bytes, of: reference.repository)
        return StoredManifest(mediaType: Self.type(of: bytes, response), bytes: bytes, digest: digest)
    }

    /// What a manifest names is in its repository, from where it can be mounted.
    private func note(_ manifest: [UInt8], of repository: String) {
        guard let json = try? JSON(parsing: manifest) else { return }
        for blob in (json["layers"]?.array ?? []) + [json["config"]].compactMap(\.self) {
            guard let digest = blob["digest"]?.string.flatMap({ Digest($0) }) else { continue }
            origins.note(digest, in: repository, of: host)
        }
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
            url: try exchange.url("\(repository)/blobs/\(digest)"),
            repository: repository,
            scopes: ["repository:\(repository):pull"],
            purpose: "pull the blob '\(digest)' of '\(repository)'"
        )
        let response = try await success(call)
        origins.note(digest, in: repository, of: host)
        let pieces = BodyPieces(response.body) { error in
            let broken = exchange.unreachable(error, call.url, call.purpose)
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
        let isThere = try await exchange.retrying { try await exchange.has(blob.digest, in: repository) }
        if !isThere {
            let source = origins.repository(with: blob.digest, of: host).flatMap { $0 == repository ? nil : $0 }
            var upload = BlobUpload(blob, to: repository, from: source, exchange)
            try await upload.run()
        }
        origins.note(blob.digest, in: repository, of: host)
    }

    func push(_ manifest: StoredManifest, as reference: ImageReference) async throws -> Digest {
        let selector = reference.tag ?? reference.digest?.description ?? manifest.digest.description
        let call = RegistryCall(
            method: .PUT,
            url: try exchange.url("\(reference.repository)/manifests/\(selector)"),
            headers: [("Content-Type", manifest.mediaType)],
            body: .bytes(manifest.bytes),
            repository: reference.repository,
            scopes: ["repository:\(reference.repository):pull,push"],
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
