// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
import Foundation
import Model
import Testing

@testable import ImageStore

/// A request's body for tests: pieces, and an error at its end where a client goes away.
struct Pieces: AsyncSequence, Sendable {
    struct Gone: Error {}

    var pieces: [[UInt8]]
    var breaksOff = false

    init(_ text: String) { pieces = text.utf8.map { [$0] } }
    init(_ pieces: [[UInt8]], breaksOff: Bool = false) {
        self.pieces = pieces
        self.breaksOff = breaksOff
    }

    func makeAsyncIterator() -> Iterator { Iterator(pieces: pieces[...], breaksOff: breaksOff) }

    struct Iterator: AsyncIteratorProtocol {
        var pieces: ArraySlice<[UInt8]>
        var breaksOff: Bool

        mutating func next() async throws -> [UInt8]? {
            guard let piece = pieces.popFirst() else {
                if breaksOff { throw Gone() }
                return nil
            }
            return piece
        }
    }
}

/// The API as a client sees it, without a socket.
struct RegistryCalls {
    let service: RegistryService

    init(folder: String, staleBefore: Timestamp = Timestamp(seconds: 0)) throws {
        service = RegistryService(try RegistryStore(folder: folder, removingUploadsBefore: staleBefore))
    }

    /// `target` is a path with an optional query; values in it need no escapes.
    func call(
        _ method: String,
        _ target: String,
        _ headers: [String: String] = [:],
        body: Pieces = Pieces("")
    ) async -> RegistryResponse {
        let parts = target.split(separator: "?", maxSplits: 1)
        let query = parts.dropFirst().flatMap { $0.split(separator: "&") }.map { pair in
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            return (name: sides[0], value: sides.count > 1 ? sides[1] : "")
        }
        return await service.respond(
            to: RegistryRequest(method: method, path: String(parts[0]), query: query, headers: headers, body: body)
        )
    }

    func call(_ method: String, _ target: String, _ headers: [String: String] = [:], text: String) async
        -> RegistryResponse
    {
        await call(method, target, headers, body: Pieces([Array(text.utf8)]))
    }

    @discardableResult
    func pushBlob(_ text: String, to repository: String) async throws -> Digest {
        let digest = ContentHash.digest(of: Array(text.utf8))
        let answer = await call("POST", "/v2/\(repository)/blobs/uploads/?digest=\(digest)", text: text)
        try #require(answer.status == 201)
        return digest
    }

    /// Pushes a configuration, a layer and a manifest over them.
    @discardableResult
    func pushImage(
        _ name: String,
        to repository: String,
        as reference: String,
        subject: Digest? = nil,
        type: String? = nil
    ) async throws -> (text: String, digest: Digest, layer: Digest) {
        let configuration = try await pushBlob("{}", to: repository)
        let layer = try await pushBlob("layer of \(name)", to: repository)
        var document: JSON = [
            "schemaVersion": 2, "mediaType": .string(MediaType.manifest),
            "config": [
                "mediaType": .string(MediaType.configuration), "digest": .string("\(configuration)"), "size": 2,
            ],
            "layers": [
                [
                    "mediaType": .string(MediaType.layer), "digest": .string("\(layer)"),
                    "size": JSON("layer of \(name)".utf8.count),
                ]
            ],
        ]
        if let subject {
            document["subject"] = [
                "mediaType": .string(MediaType.manifest), "digest": .string("\(subject)"), "size": 7,
            ]
        }
        document["artifactType"] = type.map { .string($0) }
        let text = document.text + "\n"  // a byte that only exact storage keeps
        let digest = ContentHash.digest(of: Array(text.utf8))
        let target = reference == "digest" ? "\(digest)" : reference
        let answer = await call(
            "PUT",
            "/v2/\(repository)/manifests/\(target)",
            ["content-type": MediaType.manifest],
            text: text
        )
        try #require(answer.status == 201, "\(answer.document)")
        return (text, digest, layer)
    }
}

extension RegistryResponse {
    /// The body as text, also where it is a blob.
    var text: String {
        get async {
            switch body {
            case .bytes(let bytes): return String(decoding: bytes, as: UTF8.self)
            case .blob(let blob, let range):
                var bytes: [UInt8] = []
                do {
                    for try await piece in blob.chunks(in: range) { bytes += piece }
                } catch {
                    return "\(error)"
                }
                return String(decoding: bytes, as: UTF8.self)
            }
        }
    }

    var document: String {
        guard case .bytes(let bytes) = body else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The first error code in the body.
    var code: String? { (try? JSON(parsing: document))?["errors"]?[0]?["code"]?.string }
}
