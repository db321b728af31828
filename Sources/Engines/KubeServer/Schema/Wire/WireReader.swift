// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Why bytes are no protobuf message of a type, in the words of the real server.
struct WireError: Error, Equatable {
    let message: String

    static let cutOff = WireError(message: "unexpected EOF")
    static let overflow = WireError(message: "proto: integer overflow")
    static let negativeLength = WireError(message: "proto: negative length found during unmarshaling")
    static let endOfNoGroup = WireError(message: "proto: unexpected end of group")
    static let tooDeep = WireError(message: "proto: exceeded max recursion depth")
}

/// The number and form in front of each value.
struct WireTag: Equatable {
    enum Form: UInt8 {
        case varint = 0
        case eightBytes = 1
        case counted = 2
        case groupStart = 3
        case groupEnd = 4
        case fourBytes = 5
    }

    var number: Int32
    /// The low three bits; 6 and 7 mean nothing.
    var rawForm: UInt8

    var form: Form? { Form(rawValue: rawForm) }
}

/// Walks the values of one protobuf message, a part of bytes that are read in place.
struct WireReader {
    let bytes: [UInt8]
    private(set) var offset: Int
    private let end: Int

    init(_ bytes: [UInt8], in range: Range<Int>) {
        self.bytes = bytes
        offset = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { offset >= end }

    mutating func varint() throws(WireError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard offset < end else { throw .cutOff }
            let byte = bytes[offset]
            offset += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw .overflow
    }

    /// The next tag of a message of the type `owner`; `nil` at the end.
    mutating func tag(in owner: String) throws(WireError) -> WireTag? {
        guard !isAtEnd else { return nil }
        let wire = try varint()
        let tag = WireTag(number: Int32(truncatingIfNeeded: wire >> 3), rawForm: UInt8(wire & 7))
        guard tag.form != .groupEnd else {
            throw WireError(message: "proto: \(owner): wiretype end group for non-group")
        }
        guard tag.number > 0 else {
            throw WireError(message: "proto: \(owner): illegal tag \(tag.number) (wire type \(wire))")
        }
        return tag
    }

    /// Where the bytes of a counted value lie; the reader moves past them.
    mutating func counted() throws(WireError) -> Range<Int> {
        let count = Int64(bitPattern: try varint())
        guard count >= 0 else { throw .negativeLength }
        guard count <= end - offset else { throw .cutOff }
        let start = offset
        offset += Int(count)
        return start..<offset
    }

    mutating func eightBytes() throws(WireError) -> UInt64 {
        guard end - offset >= 8 else { throw .cutOff }
        defer { offset += 8 }
        return (0..<8).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
    }

    /// Moves past a value that nobody asked for, with everything inside it where it is a group.
    mutating func skip(_ first: WireTag) throws(WireError) {
        var tag = first
        var depth = 0
        while true {
            switch tag.form {
            case .varint: _ = try varint()
            case .eightBytes: _ = try eightBytes()
            case .counted: _ = try counted()
            case .fourBytes:
                guard end - offset >= 4 else { throw .cutOff }
                offset += 4
            case .groupStart: depth += 1
            case .groupEnd:
                guard depth > 0 else { throw .endOfNoGroup }
                depth -= 1
            case nil: throw WireError(message: "proto: illegal wireType \(tag.rawForm)")
            }
            guard depth > 0 else { return }
            let wire = try varint()
            tag = WireTag(number: Int32(truncatingIfNeeded: wire >> 3), rawForm: UInt8(wire & 7))
        }
    }
}
