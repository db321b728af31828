// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Reads frames from bytes that come in pieces of any size.
struct SpdyReader: ~Copyable {
    /// In bytes; control frames hold a few headers.
    static let controlLimit = 64 * 1024

    private var bytes: [UInt8] = []
    private var offset = 0
    /// A data frame of which some is still to come.
    private var pending: (stream: UInt32, left: Int, isLast: Bool)?
    /// Every block of headers goes through it, also of frames that nobody wants: they share one history.
    private var headers = SpdyInflater()

    mutating func feed(_ more: [UInt8]) {
        if offset > 0 {
            bytes.removeFirst(offset)
            offset = 0
        }
        bytes += more
    }

    /// The next frame; `nil` where bytes are missing.
    mutating func next() throws(SpdyError) -> SpdyFrame? {
        if let pending { return data(pending) }
        guard let head = number(at: 0), let length = number(at: 4) else { return nil }
        let flags = UInt8(length >> 24)
        let size = Int(length & 0xFF_FFFF)
        guard head & 0x8000_0000 != 0 else {
            offset += 8
            return data((stream: head, left: size, isLast: flags & 1 != 0), isNew: true)
        }
        guard head >> 16 == 0x8003 else { throw SpdyError("not SPDY/3") }
        guard size <= Self.controlLimit else { throw SpdyError("a control frame of \(size) bytes") }
        guard bytes.count - offset >= 8 + size else { return nil }
        let payload = Array(bytes[(offset + 8)..<(offset + 8 + size)])
        offset += 8 + size
        return try control(UInt16(head & 0xFFFF), flags, payload)
    }

    private mutating func data(_ frame: (stream: UInt32, left: Int, isLast: Bool), isNew: Bool = false) -> SpdyFrame? {
        let count = min(frame.left, bytes.count - offset)
        guard count > 0 || frame.left == 0 else {
            pending = frame
            return nil
        }
        let part = Array(bytes[offset..<(offset + count)])
        offset += count
        let left = frame.left - count
        pending = left > 0 ? (frame.stream, left, frame.isLast) : nil
        return .data(stream: frame.stream, part, isLast: left == 0 && frame.isLast)
    }

    private mutating func control(_ type: UInt16, _ flags: UInt8, _ payload: [UInt8]) throws(SpdyError) -> SpdyFrame {
        func number(_ place: Int) throws(SpdyError) -> UInt32 {
            guard payload.count >= place + 4 else { throw SpdyError("a frame of type \(type) is too short") }
            return payload[place..<(place + 4)].reduce(0) { $0 << 8 | UInt32($1) }
        }
        switch type {
        case SpdyType.open:
            let stream = try number(0) & 0x7FFF_FFFF
            guard payload.count >= 10 else { throw SpdyError("a frame of type \(type) is too short") }
            return .open(stream: stream, headers: try headers.read(payload[10...]), isLast: flags & 1 != 0)
        case SpdyType.reply:
            let stream = try number(0) & 0x7FFF_FFFF
            return .reply(stream: stream, headers: try headers.read(payload[4...]), isLast: flags & 1 != 0)
        case SpdyType.headers:
            _ = try number(0)
            _ = try headers.read(payload[4...])
            return .other(type: type)
        case SpdyType.reset: return .reset(stream: try number(0) & 0x7FFF_FFFF, status: try number(4))
        case SpdyType.ping: return .ping(try number(0))
        case SpdyType.goAway: return .goAway
        default: return .other(type: type)
        }
    }

    private func number(at place: Int) -> UInt32? {
        let start = offset + place
        guard bytes.count >= start + 4 else { return nil }
        return bytes[start..<(start + 4)].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
