// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import NIOCore

/// A part of a file in pieces, read as the connection takes them.
struct FilePieces: AsyncSequence, Sendable {
    let path: String
    let range: Range<Int>

    func makeAsyncIterator() -> Iterator { Iterator(path: path, range: range) }

    struct Iterator: AsyncIteratorProtocol {
        let path: String
        private var rest: Range<Int>
        private var handle: FileHandle?

        init(path: String, range: Range<Int>) {
            self.path = path
            rest = range
        }

        mutating func next() async throws -> ByteBuffer? {
            guard !rest.isEmpty else { return nil }
            let open = try handle ?? opened()
            handle = open
            guard let data = try open.read(upToCount: Swift.min(256 << 10, rest.count)), !data.isEmpty else {
                return nil
            }
            rest = (rest.lowerBound + data.count)..<rest.upperBound
            return ByteBuffer(bytes: data)
        }

        private func opened() throws -> FileHandle {
            let handle = try FileHandle(forReadingFrom: URL(filePath: path))
            if rest.lowerBound > 0 { try handle.seek(toOffset: UInt64(rest.lowerBound)) }
            return handle
        }
    }
}
