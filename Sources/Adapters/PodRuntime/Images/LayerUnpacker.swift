// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
import Model

/// Turns one layer's blob into a folder as its bytes come, and proves both digests.
struct LayerUnpacker: ~Copyable {
    private enum Format { case unknown, gzip, plain }

    private var format = Format.unknown
    private var head: [UInt8] = []
    private let blobHash = ContentHash()
    private var inflater = Inflater()
    private var content: LayerContent

    /// `folder` must exist and be empty.
    init(into folder: String) throws { content = LayerContent(try LayerTree(folder)) }

    mutating func write(_ chunk: [UInt8]) throws {
        blobHash.update(chunk.span)
        guard format == .unknown else { return try unpack(chunk) }
        head += chunk
        if head.count >= 4 { try start() }
    }

    /// Ends the layer and checks what it was: the blob's digest and its content's.
    consuming func finish(blob: Digest, content expected: Digest) throws {
        if format == .unknown { try start() }
        let arrived = blobHash.finish()
        guard arrived == blob else { throw LayerError("the layer '\(blob)' arrived as '\(arrived)'") }
        if format == .gzip { try inflater.finish() }
        let found = try content.finish()
        guard found == expected else {
            throw LayerError("the layer '\(blob)' holds '\(found)', where its image promises '\(expected)'")
        }
    }

    /// Decides by the first bytes, as media types are often wrong.
    private mutating func start() throws {
        if head.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) {
            throw LayerError("layers compressed with zstd are not supported")
        }
        format = head.starts(with: [0x1F, 0x8B]) ? .gzip : .plain
        let first = head
        head = []
        try unpack(first)
    }

    private mutating func unpack(_ chunk: [UInt8]) throws {
        guard format == .gzip else { return try content.take(chunk.span) }
        try Self.inflate(chunk, by: &inflater, into: &content)
    }

    private static func inflate(_ chunk: [UInt8], by inflater: inout Inflater, into content: inout LayerContent) throws
    {
        var offset = 0
        while let produced = try inflater.next(chunk, from: &offset) {
            try content.take(inflater.output.span.extracting(first: produced))
        }
    }
}

/// A layer's uncompressed archive on its way into a folder.
struct LayerContent: ~Copyable {
    private let hash = ContentHash()
    private var reader = TarReader()
    private var tree: LayerTree

    init(_ tree: consuming LayerTree) { self.tree = tree }

    mutating func take(_ bytes: Span<UInt8>) throws {
        hash.update(bytes)
        try reader.feed(bytes, to: &tree)
    }

    /// The digest of all that was taken; the folder is on the disk then.
    consuming func finish() throws -> Digest {
        try reader.finish()
        try tree.finish()
        return hash.finish()
    }
}
