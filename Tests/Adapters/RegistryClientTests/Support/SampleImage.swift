// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
import Foundation
import Model
import Ports

@testable import RegistryClient

/// Blobs in files and a manifest over them, different in every value.
final class SampleImage {
    let folder: String
    let layer: BlobFile
    let configuration: BlobFile
    let manifest: StoredManifest

    init(layerSize: Int = 100_000) throws {
        folder = FileManager.default.temporaryDirectory.path + "/ballast-sample-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var bytes = Array(UUID().uuidString.utf8)
        bytes += [UInt8](repeating: 7, count: layerSize - bytes.count)
        layer = try Self.write(bytes, in: folder)
        configuration = try Self.write(
            Array(#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#.utf8),
            in: folder
        )
        func descriptor(_ type: String, _ blob: BlobFile) -> JSON {
            ["mediaType": .string(type), "digest": .string("\(blob.digest)"), "size": JSON(blob.size)]
        }
        let type = "application/vnd.oci.image.manifest.v1+json"
        let document: JSON = [
            "schemaVersion": 2, "mediaType": .string(type),
            "config": descriptor("application/vnd.oci.image.config.v1+json", configuration),
            "layers": [descriptor("application/vnd.oci.image.layer.v1.tar+gzip", layer)],
        ]
        manifest = StoredManifest(
            mediaType: type,
            bytes: document.bytes,
            digest: ContentHash.digest(of: document.bytes)
        )
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private static func write(_ bytes: [UInt8], in folder: String) throws -> BlobFile {
        let digest = ContentHash.digest(of: bytes)
        let path = "\(folder)/\(digest.hex)"
        try Data(bytes).write(to: URL(filePath: path))
        return BlobFile(digest: digest, size: bytes.count, path: path)
    }

    func push(to registry: any ImageRegistry, _ reference: ImageReference) async throws -> Digest {
        try await registry.push(layer, to: reference.repository)
        try await registry.push(configuration, to: reference.repository)
        return try await registry.push(manifest, as: reference)
    }
}

/// Runs a test with a set of clients, and shuts them down whatever comes.
func withRegistries(_ work: (HTTPImageRegistries) async throws -> Void) async throws {
    let registries = HTTPImageRegistries()
    do {
        try await work(registries)
    } catch {
        await registries.shutdown()
        throw error
    }
    await registries.shutdown()
}

/// All bytes of a stream.
func collect(_ stream: AsyncThrowingStream<[UInt8], any Error>) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    for try await piece in stream { bytes += piece }
    return bytes
}
