// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
package import Model
package import Ports

/// Base images from registries, kept in a folder.
///
/// A name with a digest that is here needs no registry at all; a tag is looked up each time, since it may have moved.
package struct CachedBaseImages: BaseImages {
    private let registries: any ImageRegistries
    private let blobs: BlobFolder

    private static let nesting = 3
    private static let tries = 3
    private static let atOnce = 3

    package init(folder: String, registries: any ImageRegistries) {
        blobs = BlobFolder(path: folder)
        self.registries = registries
    }

    package func image(
        _ reference: ImageReference,
        architecture: String,
        credentials: RegistryCredentials?
    ) async throws -> FetchedImage {
        let registry = registries.registry(reference.registry, credentials: credentials)
        var manifest = try await self.manifest(reference, registry)
        var pinned = reference
        pinned.digest = manifest.digest
        for _ in 0..<Self.nesting {
            guard let index = try Self.index(manifest, reference) else { break }
            var chosen = reference
            chosen.digest = try PlatformChoice.digest(in: index, architecture: architecture, reference)
            manifest = try await self.manifest(chosen, registry)
        }
        let (image, fetched) = try await collect(manifest, pinned, registry)
        try Self.check(image, architecture, reference)
        blobs.prune()
        return FetchedImage(image: image, pinned: pinned, fetched: fetched)
    }

    // MARK: manifests

    private func manifest(_ reference: ImageReference, _ registry: any ImageRegistry) async throws -> StoredManifest {
        if let digest = reference.digest, let file = blobs.find(digest),
            let bytes = FileManager.default.contents(atPath: file.path).map({ Array($0) }),
            let type = try? JSON(parsing: bytes)["mediaType"]?.string
        {
            return StoredManifest(mediaType: type, bytes: bytes, digest: digest)
        }
        let manifest = try await registry.manifest(reference)
        _ = try await blobs.store(manifest.bytes, as: manifest.digest, of: "the registry '\(reference.registry)'")
        return manifest
    }

    /// The document where it is an index; `nil` where it is an image.
    private static func index(_ manifest: StoredManifest, _ name: ImageReference) throws -> JSON? {
        guard let json = try? JSON(parsing: manifest.bytes) else {
            throw Failure(.invalidInput, "the manifest of '\(name)' is no JSON")
        }
        if json["manifests"]?.array != nil, json["layers"] == nil { return json }
        guard json["schemaVersion"]?.int != 1, json["layers"]?.array != nil, json["config"] != nil else {
            throw Failure(
                .invalidInput,
                "'\(name)' is no image that can be built on (its manifest is '\(manifest.mediaType)'); images of before 2016 have to be pushed anew"
            )
        }
        return nil
    }

    // MARK: blobs

    private struct Descriptor: Sendable {
        var digest: Digest
        var size: Int
        var type: String

        init(_ json: JSON?, _ name: ImageReference) throws {
            guard let digest = json?["digest"]?.string.flatMap({ Digest($0) }), let size = json?["size"]?.int, size >= 0
            else { throw Failure(.invalidInput, "the manifest of '\(name)' names a blob without digest or size") }
            self.digest = digest
            self.size = size
            type = json?["mediaType"]?.string ?? ""
        }
    }

    private func collect(
        _ manifest: StoredManifest,
        _ name: ImageReference,
        _ registry: any ImageRegistry
    ) async throws -> (BuiltImage, fetched: Int) {
        let json = try JSON(parsing: manifest.bytes)
        let layers = try (json["layers"]?.array ?? []).map { try Descriptor($0, name) }
        let configuration = try Descriptor(json["config"], name)
        var files: [Digest: BlobFile] = [:]
        var missing: [Descriptor] = []
        for blob in [configuration] + layers where files[blob.digest] == nil {
            if let file = blobs.find(blob.digest, size: blob.size) {
                files[blob.digest] = file
            } else if !missing.contains(where: { $0.digest == blob.digest }) {
                missing.append(blob)
            }
        }
        try await withThrowingTaskGroup(of: BlobFile.self) { group in
            var waiting = missing[...]
            for blob in waiting.prefix(Self.atOnce) { group.addTask { try await fetch(blob, name, registry) } }
            waiting = waiting.dropFirst(Self.atOnce)
            while let file = try await group.next() {
                files[file.digest] = file
                if let blob = waiting.popFirst() { group.addTask { try await fetch(blob, name, registry) } }
            }
        }
        guard let config = files[configuration.digest] else {
            throw Failure(.fault, "a blob of '\(name)' went missing")
        }
        let image = BuiltImage(
            layers: layers.compactMap { files[$0.digest] },
            configuration: config,
            manifest: manifest
        )
        return (image, missing.reduce(0) { $0 + $1.size })
    }

    /// A line that breaks is tried again; what does not fit its digest is not.
    private func fetch(_ blob: Descriptor, _ name: ImageReference, _ registry: any ImageRegistry) async throws
        -> BlobFile
    {
        for round in 1... {
            do {
                let stream = try await registry.blob(blob.digest, from: name.repository)
                let source = "the registry '\(name.registry)'"
                return try await blobs.store(stream, as: blob.digest, size: blob.size, of: source)
            } catch let failure as Failure where failure.code == .unavailable && round < Self.tries {
                continue
            }
        }
        preconditionFailure("the last round returns or throws")
    }

    private static func check(_ image: BuiltImage, _ architecture: String, _ name: ImageReference) throws {
        let json = FileManager.default.contents(atPath: image.configuration.path).flatMap {
            try? JSON(parsing: Array($0))
        }
        guard let json, json["rootfs"] != nil else {
            throw Failure(.invalidInput, "'\(name)' is no container image: its configuration names no layers")
        }
        let platform = [json["os"]?.string ?? "linux", json["architecture"]?.string ?? architecture]
        guard platform == ["linux", architecture] else {
            let own = platform.joined(separator: "/")
            throw Failure(.notFound, "the image '\(name)' is for '\(own)' alone, not for 'linux/\(architecture)'")
        }
    }
}
