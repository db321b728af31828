// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// One frame of SPDY/3.1, as far as port forwarding uses it.
enum SpdyFrame: Equatable, Sendable {
    case open(stream: UInt32, headers: SpdyHeaders, isLast: Bool)
    case reply(stream: UInt32, headers: SpdyHeaders, isLast: Bool)
    /// A part of a stream's data: long frames come in several, of which the last has their `isLast`.
    case data(stream: UInt32, [UInt8], isLast: Bool)
    case reset(stream: UInt32, status: UInt32)
    case ping(UInt32)
    case goAway
    /// Settings, further headers, windows and what later versions may bring.
    case other(type: UInt16)
}

/// The headers of a stream, names in lower case; of a name that comes twice the first value counts.
typealias SpdyHeaders = [String: String]

/// Why a peer's frames cannot be understood.
struct SpdyError: Error, Equatable, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

enum SpdyType {
    static let open: UInt16 = 1
    static let reply: UInt16 = 2
    static let reset: UInt16 = 3
    static let ping: UInt16 = 6
    static let goAway: UInt16 = 7
    static let headers: UInt16 = 8
}

/// Why a stream is broken off.
enum SpdyStatus {
    static let protocolError: UInt32 = 1
    static let refused: UInt32 = 3
    static let cancelled: UInt32 = 5
}

/// Frames on their way out that carry no headers: those need no state.
enum SpdyBytes {
    static func data(_ stream: UInt32, _ bytes: some Collection<UInt8>, isLast: Bool = false) -> [UInt8] {
        var frame = number(stream & 0x7FFF_FFFF)
        frame.reserveCapacity(8 + bytes.count)
        frame += number(UInt32(bytes.count) | (isLast ? 1 << 24 : 0))
        frame += bytes
        return frame
    }

    static func reset(_ stream: UInt32, _ status: UInt32) -> [UInt8] {
        control(SpdyType.reset, number(stream) + number(status))
    }

    static func ping(_ id: UInt32) -> [UInt8] { control(SpdyType.ping, number(id)) }

    static func goAway(lastStream: UInt32) -> [UInt8] { control(SpdyType.goAway, number(lastStream) + number(0)) }

    static func control(_ type: UInt16, flags: UInt8 = 0, _ payload: [UInt8]) -> [UInt8] {
        number(0x8003_0000 | UInt32(type)) + number(UInt32(flags) << 24 | UInt32(payload.count)) + payload
    }

    static func number(_ value: UInt32) -> [UInt8] {
        [
            UInt8(truncatingIfNeeded: value >> 24), UInt8(truncatingIfNeeded: value >> 16),
            UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value),
        ]
    }
}
