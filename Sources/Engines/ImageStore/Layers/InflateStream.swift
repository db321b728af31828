// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CZlib

/// Why a compressed layer cannot be read.
struct InflateError: Error, CustomStringConvertible {
    var description: String
}

/// Decompresses gzip, one member or several, piece by piece.
@safe
final class InflateStream {
    private let stream: UnsafeMutablePointer<z_stream>
    private var output = [UInt8](repeating: 0, count: 128 << 10)
    /// Whether the last byte read ended a member: only then is the input complete.
    private(set) var isAtEnd = false

    init() {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let result = unsafe inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(result == Z_OK, "zlib refused its own constants")
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Decompresses the bytes and hands what came out to `sink`.
    func write(_ bytes: Span<UInt8>, to sink: (Span<UInt8>) throws -> Void) throws {
        try unsafe bytes.withUnsafeBytes { input in
            // zlib reads from next_in and never writes there; its C type lacks the const.
            unsafe stream.pointee.next_in = UnsafeMutablePointer(
                mutating: input.baseAddress?.assumingMemoryBound(to: Bytef.self)
            )
            unsafe stream.pointee.avail_in = UInt32(input.count)
            repeat {
                if isAtEnd {
                    guard unsafe stream.pointee.avail_in > 0 else { return }
                    unsafe inflateReset(stream)
                    isAtEnd = false
                }
                let produced = try step()
                let full = output
                if produced > 0 { try sink(full.span.extracting(first: produced)) }
            } while unsafe stream.pointee.avail_in > 0 || (stream.pointee.avail_out == 0 && !isAtEnd)
        }
    }

    private func step() throws -> Int {
        try unsafe output.withUnsafeMutableBufferPointer { buffer in
            unsafe stream.pointee.next_out = buffer.baseAddress
            unsafe stream.pointee.avail_out = UInt32(buffer.count)
            let result = unsafe inflate(stream, Z_NO_FLUSH)
            guard result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR else {
                throw InflateError(description: "the gzip data is damaged (zlib \(result))")
            }
            isAtEnd = result == Z_STREAM_END
            return unsafe buffer.count - Int(stream.pointee.avail_out)
        }
    }
}
