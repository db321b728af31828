// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AsyncHTTPClient
import Model
import NIOCore

/// The body of an answer that goes on and on, read as fast as its reader reads: what the reader does not take stays with
/// the server. One reader at a time.
actor BodySource {
    private var iterator: HTTPClientResponse.Body.AsyncIterator?
    private var lines = LineSplitter()
    private var ready: [[UInt8]] = []
    /// So long nothing may come; `nil`: for ever.
    private let silence: Duration?
    private let link: ClusterLink

    init(_ body: HTTPClientResponse.Body, silence: Duration?, of link: ClusterLink) {
        iterator = body.makeAsyncIterator()
        self.silence = silence
        self.link = link
    }

    /// The next line that is not empty; a last one without its end does not count.
    func nextLine() async throws -> [UInt8]? {
        while ready.isEmpty {
            guard let chunk = try await nextBuffer() else { return nil }
            ready = lines.append(chunk.readableBytesView).reversed()
        }
        return ready.removeLast()
    }

    func nextChunk() async throws -> [UInt8]? { try await nextBuffer().map { Array($0.readableBytesView) } }

    private func nextBuffer() async throws -> ByteBuffer? {
        do {
            guard let silence else { return try await read() }
            return try await link.within(silence) { try await self.read() }
        } catch {
            iterator = nil
            throw ConnectionTrouble.failure(error, link.config)
        }
    }

    private func read() async throws -> ByteBuffer? {
        guard var reading = iterator.take() else { return nil }
        let chunk = try await reading.next(isolation: self)
        if chunk != nil { iterator = reading }
        return chunk
    }
}

/// Cuts a stream of chunks into lines; keeps the unfinished last one.
struct LineSplitter {
    private var rest: [UInt8] = []

    mutating func append(_ chunk: some Collection<UInt8>) -> [[UInt8]] {
        rest.append(contentsOf: chunk)
        guard chunk.contains(0x0A) else { return [] }
        var lines = rest.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
        rest = lines.removeLast()
        return lines.filter { !$0.isEmpty }
    }
}
