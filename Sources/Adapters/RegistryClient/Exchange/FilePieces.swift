// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import NIOCore

/// A file's bytes in pieces, read as the connection takes them.
struct FilePieces: AsyncSequence, Sendable {
    let path: String

    func makeAsyncIterator() -> Iterator { Iterator(path: path) }

    struct Iterator: AsyncIteratorProtocol {
        let path: String
        private var handle: FileHandle?

        init(path: String) { self.path = path }

        mutating func next() async throws -> ByteBuffer? {
            let open = try handle ?? FileHandle(forReadingFrom: URL(filePath: path))
            handle = open
            guard let data = try open.read(upToCount: 256 << 10), !data.isEmpty else { return nil }
            return ByteBuffer(bytes: data)
        }
    }
}
