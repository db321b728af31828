// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CZlib

/// Reads compressed blocks of headers; all blocks of one direction of a connection, in their order.
@safe struct SpdyInflater: ~Copyable {
    /// In bytes; what one block may hold.
    static let limit = 64 * 1024

    /// Owned by this value alone: ended and freed in `deinit`.
    private let stream: UnsafeMutablePointer<z_stream>
    private var isBroken = false

    init() {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let status = unsafe inflateInit_(stream, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size))
        precondition(status == Z_OK, "zlib has no memory or is another version")
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deinitialize(count: 1)
        unsafe stream.deallocate()
    }

    /// Decompresses one block and reads its headers.
    mutating func read(_ block: ArraySlice<UInt8>) throws(SpdyError) -> SpdyHeaders {
        let plain = inflate(Array(block))
        guard let plain, !isBroken else {
            // The history is lost, and with it whatever follows.
            isBroken = true
            throw SpdyError("the headers are damaged")
        }
        return try Self.headers(in: plain)
    }

    /// `nil` where the block is damaged or too long.
    private mutating func inflate(_ block: [UInt8]) -> [UInt8]? {
        var output = [UInt8](repeating: 0, count: Self.limit)
        let stream = unsafe stream
        let produced = unsafe block.withUnsafeBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target -> Int? in
                // zlib does not write to its input; the header only lacks `const`.
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
                unsafe stream.pointee.avail_in = UInt32(source.count)
                unsafe stream.pointee.next_out = target.baseAddress
                unsafe stream.pointee.avail_out = UInt32(target.count)
                var status = unsafe CZlib.inflate(stream, Z_SYNC_FLUSH)
                if status == Z_NEED_DICT {
                    let words = SpdyDictionary.bytes
                    guard unsafe inflateSetDictionary(stream, words, UInt32(words.count)) == Z_OK else { return nil }
                    status = unsafe CZlib.inflate(stream, Z_SYNC_FLUSH)
                }
                // An empty block leaves nothing to do, which zlib calls a buffer error.
                guard status == Z_OK || status == Z_BUF_ERROR else { return nil }
                guard unsafe stream.pointee.avail_in == 0, unsafe stream.pointee.avail_out > 0 else { return nil }
                return unsafe target.count - Int(stream.pointee.avail_out)
            }
        }
        return produced.map { Array(output[..<$0]) }
    }

    /// A count, then as many names and values, each behind its length.
    static func headers(in bytes: [UInt8]) throws(SpdyError) -> SpdyHeaders {
        var rest = bytes[...]
        func number() throws(SpdyError) -> Int {
            guard rest.count >= 4 else { throw SpdyError("the headers end too early") }
            defer { rest = rest.dropFirst(4) }
            return rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        }
        func text() throws(SpdyError) -> String {
            let count = try number()
            guard count <= rest.count else { throw SpdyError("the headers end too early") }
            defer { rest = rest.dropFirst(count) }
            return String(decoding: rest.prefix(count), as: UTF8.self)
        }
        var headers: SpdyHeaders = [:]
        for _ in 0..<(try number()) {
            let name = try text().lowercased()
            let value = try text()
            if headers[name] == nil { headers[name] = String(value.prefix { $0 != "\0" }) }
        }
        return headers
    }
}
