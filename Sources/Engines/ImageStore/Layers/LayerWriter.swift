// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
import Model

/// A finished layer: what the manifest says of it, and what the configuration says of its uncompressed form.
struct LayerRecord: Sendable, Hashable {
    /// Of the compressed bytes.
    var digest: Digest
    /// Of the tar archive.
    var diffID: Digest
    /// In compressed bytes.
    var size: Int
}

/// Streams a tree as tar, through gzip, into a file, and hashes both forms on the way.
///
/// Memory is three buffers, whatever the files' sizes.
final class LayerWriter {
    private let tarHash = ContentHash()
    private let gzipHash = ContentHash()
    private let gzip = GzipStream()

    private init() {}

    /// Writes the layer to a new file at `path`, which survives a power cut once this returns.
    static func write(_ tree: LayerTree, to path: String) throws -> LayerRecord {
        let output = try OpenFile.creating(path)
        let writer = LayerWriter()
        for (path, entry) in tree.sorted { try writer.append(entry, at: path, to: output) }
        try writer.put([UInt8](repeating: 0, count: 2 * TarHeader.blockSize).span, to: output)
        try writer.gzip.finish { try writer.store($0, in: output) }
        try output.synchronize()
        let size = writer.gzipHash.count
        return LayerRecord(digest: writer.gzipHash.finish(), diffID: writer.tarHash.finish(), size: size)
    }

    private func append(_ entry: LayerTree.Entry, at path: LayerPath, to output: borrowing OpenFile) throws {
        try put(TarHeader.bytes(path: path, entry: entry).span, to: output)
        guard case .file(let source, let status) = entry else { return }
        try copy(source, status, to: output)
        try put(TarHeader.padding(after: status.size).span, to: output)
    }

    private func copy(_ source: String, _ expected: FileStatus, to output: borrowing OpenFile) throws {
        let file = try OpenFile.reading(source)
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        var offset = 0
        while offset < expected.size {
            try Task.checkCancellation()
            let count = min(try file.read(into: &buffer, at: offset), expected.size - offset)
            guard count > 0 else { throw SourceChanged(path: source) }
            try put(buffer.span.extracting(first: count), to: output)
            offset += count
        }
        guard try file.status() == expected else { throw SourceChanged(path: source) }
    }

    private func put(_ bytes: Span<UInt8>, to output: borrowing OpenFile) throws {
        tarHash.update(bytes)
        try gzip.write(bytes) { try store($0, in: output) }
    }

    private func store(_ bytes: Span<UInt8>, in output: borrowing OpenFile) throws {
        gzipHash.update(bytes)
        try output.write(bytes)
    }
}

/// A source file did not hold still while it was read.
struct SourceChanged: Error, CustomStringConvertible {
    var path: String
    var description: String { "'\(path)' changed while it was read; run the build again" }
}
