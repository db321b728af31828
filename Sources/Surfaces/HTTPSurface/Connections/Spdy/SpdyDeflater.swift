// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CZlib

/// Writes frames with headers; all of one direction of a connection, in their order.
@safe struct SpdyDeflater: ~Copyable {
    /// Owned by this value alone: ended and freed in `deinit`.
    private let stream: UnsafeMutablePointer<z_stream>

    init() {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let words = SpdyDictionary.bytes
        var status = unsafe deflateInit_(
            stream,
            Z_DEFAULT_COMPRESSION,
            ZLIB_VERSION,
            CInt(MemoryLayout<z_stream>.size)
        )
        if status == Z_OK { status = unsafe deflateSetDictionary(stream, words, UInt32(words.count)) }
        precondition(status == Z_OK, "zlib has no memory or is another version")
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deinitialize(count: 1)
        unsafe stream.deallocate()
    }

    /// The answer to a stream that was opened.
    mutating func reply(_ stream: UInt32, _ headers: [(name: String, value: String)] = []) -> [UInt8] {
        SpdyBytes.control(SpdyType.reply, SpdyBytes.number(stream) + block(headers))
    }

    mutating func open(_ stream: UInt32, _ headers: [(name: String, value: String)]) -> [UInt8] {
        SpdyBytes.control(
            SpdyType.open,
            SpdyBytes.number(stream) + SpdyBytes.number(0) + [0, 0] + block(headers)
        )
    }

    /// One compressed block of headers.
    mutating func block(_ headers: [(name: String, value: String)]) -> [UInt8] {
        var plain = SpdyBytes.number(UInt32(headers.count))
        for (name, value) in headers {
            for text in [name, value] { plain += SpdyBytes.number(UInt32(text.utf8.count)) + Array(text.utf8) }
        }
        return deflate(plain)
    }

    private mutating func deflate(_ plain: [UInt8]) -> [UInt8] {
        let stream = unsafe stream
        // A flushed block grows by a few bytes at most, the first one by zlib's own header.
        var output = [UInt8](repeating: 0, count: plain.count + plain.count / 1000 + 64)
        let produced = unsafe plain.withUnsafeBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                // zlib does not write to its input; the header only lacks `const`.
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
                unsafe stream.pointee.avail_in = UInt32(source.count)
                unsafe stream.pointee.next_out = target.baseAddress
                unsafe stream.pointee.avail_out = UInt32(target.count)
                let status = unsafe CZlib.deflate(stream, Z_SYNC_FLUSH)
                let room = unsafe Int(stream.pointee.avail_out)
                precondition(status == Z_OK && room > 0, "a block outgrew its bound")
                return target.count - room
            }
        }
        return Array(output[..<produced])
    }
}
