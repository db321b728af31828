// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// A blob opened for reading; it stays readable when it is deleted meanwhile.
package final class StoredBlob: Sendable {
    package let digest: Digest
    package let size: Int
    private let file: OpenFile

    init(_ digest: Digest, at path: String) throws(FileError) {
        self.digest = digest
        file = try .reading(path)
        size = try file.status().size
    }

    /// The bytes of a range that lies inside, in pieces of at most 256 KiB.
    package func chunks(in range: Range<Int>) -> Chunks {
        precondition(range.lowerBound >= 0 && range.upperBound <= size, "range outside of the blob")
        return Chunks(blob: self, range: range)
    }

    /// A range of a blob as a sequence of pieces, read one at a time as they are asked for.
    package struct Chunks: AsyncSequence, Sendable {
        let blob: StoredBlob
        let range: Range<Int>

        package func makeAsyncIterator() -> Iterator { Iterator(blob: blob, range: range) }

        package struct Iterator: AsyncIteratorProtocol {
            let blob: StoredBlob
            var range: Range<Int>

            package mutating func next() async throws -> [UInt8]? {
                guard !range.isEmpty else { return nil }
                var buffer = [UInt8](repeating: 0, count: Swift.min(256 << 10, range.count))
                let count = try blob.file.read(into: &buffer, at: range.lowerBound)
                guard count == buffer.count else {
                    throw RegistryError(.unknown, "the blob '\(blob.digest)' is shorter than it was")
                }
                range = range.lowerBound + count..<range.upperBound
                return buffer
            }
        }
    }
}
