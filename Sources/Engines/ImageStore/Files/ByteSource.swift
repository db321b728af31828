// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Bytes that can be read from any place, in pieces.
protocol ByteSource {
    /// The bytes from the offset on: fewer than `count` only at the end.
    func read(at offset: Int, count: Int) throws(FileError) -> [UInt8]
}

/// Reads a file's bytes piece by piece.
final class FileBytes: ByteSource {
    private let file: OpenFile

    init(_ path: String) throws(FileError) { file = try .reading(path) }

    func read(at offset: Int, count: Int) throws(FileError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let read = try file.read(into: &bytes, at: offset)
        bytes.removeLast(count - read)
        return bytes
    }
}

extension [UInt8]: ByteSource {
    func read(at offset: Int, count: Int) -> [UInt8] {
        guard offset >= 0, offset < self.count, count > 0 else { return [] }
        return Array(self[offset..<offset + Swift.min(count, self.count - offset)])
    }
}
