// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CZlib

/// Compresses a stream of bytes to gzip with a header that names no time and no operating system (byte 255).
///
/// The output depends on the input, the level and zlib's version alone, not on how the input was cut into pieces.
@safe
final class GzipStream {
    /// Level 1 is three times as fast as zlib's default and 9 % larger on shared libraries (docs/formats/image-store.md).
    static let level: Int32 = 1

    private let stream: UnsafeMutablePointer<z_stream>
    private let header: UnsafeMutablePointer<gz_header>
    private var output: [UInt8]

    init() {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        unsafe header = .allocate(capacity: 1)
        unsafe header.initialize(to: gz_header())
        unsafe header.pointee.os = 255
        output = [UInt8](repeating: 0, count: 128 << 10)
        let result = unsafe deflateInit2_(
            stream,
            Self.level,
            Z_DEFLATED,
            15 + 16,
            9,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        )
        guard result == Z_OK, unsafe deflateSetHeader(stream, header) == Z_OK else {
            fatalError("zlib refused its own constants")
        }
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
        unsafe header.deallocate()
    }

    /// Compresses the bytes and hands what came out to `sink`.
    func write(_ bytes: Span<UInt8>, to sink: (Span<UInt8>) throws -> Void) throws {
        try run(bytes, Z_NO_FLUSH, sink)
    }

    /// Hands the rest to `sink`; the stream must not be used after it.
    func finish(to sink: (Span<UInt8>) throws -> Void) throws {
        try run([UInt8]().span, Z_FINISH, sink)
    }

    private func run(_ bytes: Span<UInt8>, _ flush: Int32, _ sink: (Span<UInt8>) throws -> Void) throws {
        try unsafe bytes.withUnsafeBytes { input in
            // zlib reads from next_in and never writes there; its C type lacks the const.
            unsafe stream.pointee.next_in = UnsafeMutablePointer(
                mutating: input.baseAddress?.assumingMemoryBound(to: Bytef.self)
            )
            unsafe stream.pointee.avail_in = UInt32(input.count)
            repeat {
                let produced = step(flush)
                let full = output
                if produced > 0 { try sink(full.span.extracting(first: produced)) }
            } while unsafe stream.pointee.avail_out == 0
        }
    }

    private func step(_ flush: Int32) -> Int {
        unsafe output.withUnsafeMutableBufferPointer { buffer in
            unsafe stream.pointee.next_out = buffer.baseAddress
            unsafe stream.pointee.avail_out = UInt32(buffer.count)
            let result = unsafe deflate(stream, flush)
            precondition(result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR, "zlib failed: \(result)")
            return unsafe buffer.count - Int(stream.pointee.avail_out)
        }
    }
}
