// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CZlib

/// Decompresses gzip as it comes, one or several members in a row.
@safe struct Inflater: ~Copyable {
    /// Owned by this value alone: ended and freed in `deinit`.
    private let stream: UnsafeMutablePointer<z_stream>
    /// The first bytes, as many as ``next(_:from:)`` returned, are what it decompressed.
    private(set) var output = [UInt8](repeating: 0, count: 128 * 1024)
    private var isBetweenMembers = false

    init() {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // 15 window bits, plus 16: gzip framing only.
        let status = unsafe inflateInit2_(stream, 15 + 16, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size))
        precondition(status == Z_OK, "zlib has no memory or is another version")
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deinitialize(count: 1)
        unsafe stream.deallocate()
    }

    /// Fills `output` from `input` and moves `offset` on; `nil` once the input is used up.
    mutating func next(_ input: [UInt8], from offset: inout Int) throws(LayerError) -> Int? {
        if isBetweenMembers {
            // Padding after the last member is common and means nothing.
            while offset < input.count, input[offset] == 0 { offset += 1 }
            guard offset < input.count else { return nil }
            unsafe inflateReset(stream)
            isBetweenMembers = false
        }
        let (consumed, produced, status) = step(input, from: offset)
        offset += consumed
        if status == Z_STREAM_END { isBetweenMembers = true }
        guard status == Z_OK || status == Z_BUF_ERROR || status == Z_STREAM_END else {
            throw LayerError("the gzip data is damaged")
        }
        return consumed == 0 && produced == 0 ? nil : produced
    }

    /// Throws when the data ended inside a member.
    func finish() throws(LayerError) {
        guard isBetweenMembers else { throw LayerError("the gzip data ends too early") }
    }

    private mutating func step(_ input: [UInt8], from start: Int) -> (consumed: Int, produced: Int, status: CInt) {
        let space = output.count
        let stream = unsafe stream
        return unsafe input.withUnsafeBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                // zlib does not write to its input; the header only lacks `const`.
                unsafe stream.pointee.next_in = UnsafeMutablePointer(
                    mutating: source.baseAddress.map { unsafe $0 + start }
                )
                unsafe stream.pointee.avail_in = UInt32(source.count - start)
                unsafe stream.pointee.next_out = target.baseAddress
                unsafe stream.pointee.avail_out = UInt32(space)
                let status = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
                let consumed = unsafe source.count - start - Int(stream.pointee.avail_in)
                let produced = unsafe space - Int(stream.pointee.avail_out)
                return (consumed, produced, status)
            }
        }
    }
}
