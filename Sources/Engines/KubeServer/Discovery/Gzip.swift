// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CZlib

/// Compresses whole documents that are sent many times.
enum Gzip {
    static func compressed(_ bytes: [UInt8]) -> [UInt8] {
        var stream = unsafe z_stream()
        let began = unsafe deflateInit2_(
            &stream,
            Z_BEST_SPEED,
            Z_DEFLATED,
            15 + 16,  // the largest window, in gzip's framing
            9,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            CInt(MemoryLayout<z_stream>.size)
        )
        precondition(began == Z_OK, "zlib refused its own constants")
        defer { unsafe deflateEnd(&stream) }
        let limit = unsafe Int(deflateBound(&stream, UInt(bytes.count)))
        // Both buffers outlive the one call that reads and fills them; zlib never writes to its input, its type only
        // lacks the const. The bound holds for any input, so one call ends the stream.
        return unsafe [UInt8](unsafeUninitializedCapacity: limit) { output, count in
            unsafe bytes.withUnsafeBufferPointer { input in
                unsafe stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                unsafe stream.avail_in = UInt32(input.count)
                unsafe stream.next_out = output.baseAddress
                unsafe stream.avail_out = UInt32(output.count)
                let ended = unsafe deflate(&stream, Z_FINISH)
                precondition(ended == Z_STREAM_END, "zlib's bound did not hold: \(ended)")
                unsafe count = output.count - Int(stream.avail_out)
            }
        }
    }
}
