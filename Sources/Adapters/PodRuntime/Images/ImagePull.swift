// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
import Model
import Ports

/// One pull of one image from one registry.
struct ImagePull: Sendable {
    struct Source: Sendable {
        var registry: any ImageRegistry
        var credentials: RegistryCredentials?
    }

    struct Layer: Sendable {
        var blob: ImageManifest.Blob
        /// The digest of the uncompressed archive.
        var content: Digest
    }

    struct Image: Sendable {
        var manifest: Digest
        var config: ImageConfig
        var layers: [Layer]
    }

    let source: Source
    let reference: ImageReference
    let architecture: String
    let storage: ImageStorage

    private static let documentLimit = 8 << 20

    /// Follows an index to this machine's image, and reads and keeps its manifest and configuration.
    func describe(_ top: StoredManifest) async throws -> Image {
        if let wanted = reference.digest { try check(top, wanted) }
        try check(top, top.digest)
        var stored = top
        var manifest = try ImageManifest(top.bytes, mediaType: top.mediaType)
        if case .index(let choices) = manifest {
            guard let digest = ImageManifest.pick(choices, architecture: architecture) else {
                throw LayerError("no match for platform in manifest: not found (linux/\(architecture))")
            }
            var inner = reference
            inner.digest = digest
            stored = try await source.registry.manifest(inner)
            try check(stored, digest)
            manifest = try ImageManifest(stored.bytes, mediaType: stored.mediaType)
        }
        guard case .image(let configurationBlob, let blobs) = manifest else {
            throw LayerError("the index leads to another index")
        }
        let text = try await document(configurationBlob)
        let configuration = try ImageConfiguration(text)
        guard configuration.contents.count == blobs.count else {
            throw LayerError("the image has \(blobs.count) layers, its configuration \(configuration.contents.count)")
        }
        try FileText.replace(storage.configuration(configurationBlob.digest), with: text)
        try FileText.replace(storage.manifest(stored.digest), with: stored.bytes)
        let layers = zip(blobs, configuration.contents).map { Layer(blob: $0, content: $1) }
        return Image(manifest: stored.digest, config: configuration.config, layers: layers)
    }

    private func check(_ manifest: StoredManifest, _ digest: Digest) throws {
        let found = ContentHash.digest(of: manifest.bytes)
        guard found == digest else { throw LayerError("the manifest '\(digest)' arrived as '\(found)'") }
    }

    private func document(_ blob: ImageManifest.Blob) async throws -> [UInt8] {
        guard blob.size <= Self.documentLimit else { throw LayerError("the image's configuration is too large") }
        if let kept = FileText.content(storage.configuration(blob.digest)), ContentHash.digest(of: kept) == blob.digest
        {
            return kept
        }
        var bytes: [UInt8] = []
        for try await chunk in try await source.registry.blob(blob.digest, from: reference.repository) {
            bytes += chunk
            guard bytes.count <= blob.size else {
                throw LayerError("the blob '\(blob.digest)' is longer than its manifest says")
            }
        }
        let found = ContentHash.digest(of: bytes)
        guard found == blob.digest else { throw LayerError("the blob '\(blob.digest)' arrived as '\(found)'") }
        return bytes
    }

    /// Fetches one layer and unpacks it as it comes.
    @concurrent
    func unpack(_ layer: Layer) async throws {
        let temporary = try storage.makeTemporary()
        do {
            var unpacker = try LayerUnpacker(into: temporary)
            var size = 0
            for try await chunk in try await source.registry.blob(layer.blob.digest, from: reference.repository) {
                size += chunk.count
                guard size <= layer.blob.size else {
                    throw LayerError("the layer '\(layer.blob.digest)' is longer than its manifest says")
                }
                try unpacker.write(chunk)
            }
            try Task.checkCancellation()
            try unpacker.finish(blob: layer.blob.digest, content: layer.content)
            try storage.install(temporary, as: layer.blob.digest)
        } catch {
            try? Folder.remove(temporary)
            throw error
        }
    }
}
