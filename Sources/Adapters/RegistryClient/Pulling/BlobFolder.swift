// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
import Foundation
import Model
import Ports

/// Blobs and manifests of registries in a folder, by digest; what is there is whole and was checked when it came.
///
/// Several processes may share a folder: a file appears under its name at once or not at all.
struct BlobFolder: Sendable {
    let path: String
    /// Files beyond this are removed, the longest unused first; but none that was used in the last hour.
    var limit = 8 << 30

    /// The file of a blob; `nil` where it is not here.
    func find(_ digest: Digest, size: Int? = nil) -> BlobFile? {
        let file = "\(path)/\(digest.hex)"
        let attributes = try? FileManager.default.attributesOfItem(atPath: file)
        guard let found = attributes?[.size] as? Int, size == nil || size == found else { return nil }
        try? FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: file)
        return BlobFile(digest: digest, size: found, path: file)
    }

    /// Writes what a stream brings. Throws `fault` where that is not what the digest and the size promise, and leaves nothing
    /// behind then.
    func store(
        _ pieces: AsyncThrowingStream<[UInt8], any Error>,
        as digest: Digest,
        size: Int?,
        of source: String
    ) async throws -> BlobFile {
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        let temporary = "\(path)/.new-\(UUID().uuidString)"
        do {
            let hash = ContentHash()
            try Data().write(to: URL(filePath: temporary))
            let handle = try FileHandle(forWritingTo: URL(filePath: temporary))
            for try await piece in pieces {
                hash.update(piece.span)
                if let size, hash.count > size { break }
                try handle.write(contentsOf: piece)
            }
            try handle.synchronize()
            try handle.close()
            let (found, count) = (hash.count, hash.finish())
            guard count == digest, size == nil || size == found else {
                throw Failure(.fault, "\(source) sent something else than the blob '\(digest)'; nothing of it was kept")
            }
            let file = "\(path)/\(digest.hex)"
            guard unsafe rename(temporary, file) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
            return BlobFile(digest: digest, size: found, path: file)
        } catch {
            try? FileManager.default.removeItem(atPath: temporary)
            guard !(error is Failure), !(error is CancellationError) else { throw error }
            let words = ErrorWords.text(of: error)
            let advice = words == ErrorWords.text(ofNumber: ENOSPC) ? "; free some space and release again" : ""
            throw Failure(.fault, "the folder '\(path)' for base images cannot be written: \(words)\(advice)")
        }
    }

    func store(_ bytes: [UInt8], as digest: Digest, of source: String) async throws -> BlobFile {
        let stream = AsyncThrowingStream<[UInt8], any Error> { continuation in
            continuation.yield(bytes)
            continuation.finish()
        }
        return try await store(stream, as: digest, size: bytes.count, of: source)
    }

    func prune() {
        let keys: Set<URLResourceKey> = [.fileSizeKey, .contentModificationDateKey]
        let urls =
            (try? FileManager.default.contentsOfDirectory(
                at: URL(filePath: path),
                includingPropertiesForKeys: Array(keys)
            )) ?? []
        var files = urls.compactMap { url -> (url: URL, size: Int, used: Date)? in
            guard let values = try? url.resourceValues(forKeys: keys), let size = values.fileSize,
                let used = values.contentModificationDate
            else { return nil }
            return (url, size, used)
        }
        files.sort { $0.used < $1.used }
        var total = files.reduce(0) { $0 + $1.size }
        let recent = Date().addingTimeInterval(-3600)
        for file in files where file.used < recent {
            guard total > limit || file.url.lastPathComponent.hasPrefix(".new-") else { continue }
            try? FileManager.default.removeItem(at: file.url)
            total -= file.size
        }
    }
}
