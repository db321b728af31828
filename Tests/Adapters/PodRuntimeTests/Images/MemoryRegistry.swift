// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CZlib
import Digests
import Model
import Ports
import Synchronization

@testable import PodRuntime

/// A registry in memory that counts what it is asked for.
final class MemoryRegistry: ImageRegistry, ImageRegistries {
    struct State {
        var manifests: [String: StoredManifest] = [:]
        var blobs: [Digest: [UInt8]] = [:]
        var asked: [String] = []
        /// With these only; `nil`: anybody.
        var login: RegistryCredentials?
        var fault: Failure?
        /// Blobs wait until this many of them are being read at once.
        var gate: (@Sendable () async -> Void)?
    }

    let state: Mutex<State>
    private let credentials: RegistryCredentials?
    private let shared: MemoryRegistry?

    init() {
        state = Mutex(State())
        credentials = nil
        shared = nil
    }

    private init(_ shared: MemoryRegistry, as credentials: RegistryCredentials?) {
        state = Mutex(State())
        self.shared = shared
        self.credentials = credentials
    }

    func registry(_ host: String, credentials: RegistryCredentials?) -> any ImageRegistry {
        MemoryRegistry(self, as: credentials)
    }

    func manifest(_ reference: ImageReference) async throws -> StoredManifest {
        try answer("manifest \(reference.selector)") { state in
            guard let found = state.manifests[reference.selector] else { throw Failure(.notFound, "manifest unknown") }
            return found
        }
    }

    func blob(_ digest: Digest, from repository: String) async throws -> AsyncThrowingStream<[UInt8], any Error> {
        let bytes = try answer("blob \(digest)") { state in
            guard let found = state.blobs[digest] else { throw Failure(.notFound, "blob unknown") }
            return found
        }
        let gate = (shared ?? self).state.withLock { $0.gate }
        await gate?()
        return AsyncThrowingStream { continuation in
            for start in stride(from: 0, to: bytes.count, by: 1000) {
                continuation.yield(Array(bytes[start..<min(start + 1000, bytes.count)]))
            }
            continuation.finish()
        }
    }

    func push(_ blob: BlobFile, to repository: String) async throws { throw Failure(.fault, "not for pushing") }
    func push(_ manifest: StoredManifest, as reference: ImageReference) async throws -> Digest {
        throw Failure(.fault, "no")
    }

    private func answer<Value>(_ question: String, _ body: (inout State) throws -> Value) throws -> Value {
        try (shared ?? self).state.withLock { state in
            state.asked.append(question)
            if let fault = state.fault { throw fault }
            if let login = state.login, login != credentials { throw Failure(.denied, "authentication required") }
            return try body(&state)
        }
    }

    // MARK: filling it

    /// Stores an image whose layers are the archives, compressed, and returns its manifest's digest.
    @discardableResult
    func add(
        _ tag: String,
        _ archives: [[UInt8]],
        config: JSON = [:],
        compresses: Bool = true,
        contents: [Digest]? = nil
    ) -> Digest {
        let blobs = archives.map { compresses ? Self.gzip($0) : $0 }
        let diffs = contents ?? archives.map { ContentHash.digest(of: $0) }
        let configuration: JSON = [
            "os": "linux", "config": config,
            "rootfs": ["type": "layers", "diff_ids": .array(diffs.map { "\($0)" })],
        ]
        let layers = blobs.map { descriptor($0, "application/vnd.oci.image.layer.v1.tar+gzip") }
        let manifest: JSON = [
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor(configuration.bytes, "application/vnd.oci.image.config.v1+json"),
            "layers": .array(layers),
        ]
        for blob in blobs + [configuration.bytes] { store(blob) }
        return store(manifest, as: tag)
    }

    @discardableResult
    func store(_ manifest: JSON, as tag: String) -> Digest {
        let bytes = manifest.bytes
        let digest = ContentHash.digest(of: bytes)
        let stored = StoredManifest(mediaType: manifest["mediaType"]?.string ?? "", bytes: bytes, digest: digest)
        state.withLock { state in
            state.manifests[tag] = stored
            state.manifests["\(digest)"] = stored
        }
        return digest
    }

    func store(_ blob: [UInt8]) { state.withLock { $0.blobs[ContentHash.digest(of: blob)] = blob } }

    func descriptor(_ blob: [UInt8], _ type: String) -> JSON {
        ["mediaType": .string(type), "digest": "\(ContentHash.digest(of: blob))", "size": JSON(blob.count)]
    }

    var asked: [String] { state.withLock { $0.asked } }

    static func gzip(_ bytes: [UInt8]) -> [UInt8] {
        var stream = unsafe z_stream()
        let size = unsafe CInt(MemoryLayout<z_stream>.size)
        _ = unsafe deflateInit2_(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size)
        defer { unsafe _ = deflateEnd(&stream) }
        var input = bytes
        var output = [UInt8](repeating: 0, count: bytes.count + 1024)
        let (available, space) = (UInt32(input.count), UInt32(output.count))
        unsafe input.withUnsafeMutableBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                unsafe stream.next_in = source.baseAddress
                unsafe stream.avail_in = available
                unsafe stream.next_out = target.baseAddress
                unsafe stream.avail_out = space
                _ = unsafe deflate(&stream, Z_FINISH)
            }
        }
        return Array(output.prefix(unsafe Int(stream.total_out)))
    }
}
