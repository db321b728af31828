// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// One member of an archive, with what its extended headers say already applied.
struct TarEntry: Equatable {
    enum Kind: Equatable { case file, hardLink, symbolicLink, characterDevice, blockDevice, folder, fifo }

    var kind: Kind
    var path: String
    var target = ""
    var mode: UInt32 = 0
    var user: UInt32 = 0
    var group: UInt32 = 0
    var size = 0
    var seconds: Int64 = 0
    var nanoseconds: Int64 = 0
    var attributes: [String: [UInt8]] = [:]
}

/// Receives an archive's members in order: for each its header, its content in pieces, its end.
protocol TarSink: ~Copyable {
    mutating func begin(_ entry: TarEntry) throws
    mutating func write(_ bytes: Span<UInt8>) throws
    mutating func end() throws
}

/// Reads a tar archive as it comes: V7, ustar, pax and GNU. It keeps no more than one header.
///
/// Sparse and multi-volume members are refused.
struct TarReader {
    private enum State {
        case header
        case content(left: Int, padding: Int)
        case extended(kind: UInt8, left: Int, padding: Int)
        case skip(left: Int)
        case secondZeroBlock
        case ended
    }

    private var state = State.header
    private var buffer: [UInt8] = []
    private var extensions = TarExtensions()

    static let blockSize = 512
    /// Names and attributes are small; a longer extended header is an attack on memory.
    private static let extendedLimit = 1 << 20

    /// Takes the archive's next bytes.
    mutating func feed(_ bytes: Span<UInt8>, to sink: inout some TarSink & ~Copyable) throws {
        var rest = bytes
        while !rest.isEmpty {
            let used = try consume(rest, sink: &sink)
            rest = rest.extracting(droppingFirst: used)
        }
    }

    /// Throws when the archive ended inside a member.
    func finish() throws {
        switch state {
        case .ended, .secondZeroBlock: return
        case .header where buffer.isEmpty && extensions.isEmpty: return
        default: throw LayerError("the archive ends too early")
        }
    }

    /// Takes some of `bytes` and returns how many.
    private mutating func consume(_ bytes: Span<UInt8>, sink: inout some TarSink & ~Copyable) throws -> Int {
        switch state {
        case .ended:
            return bytes.count
        case .header, .secondZeroBlock:
            let used = min(bytes.count, Self.blockSize - buffer.count)
            append(bytes.extracting(first: used))
            if buffer.count == Self.blockSize { try readHeader(sink: &sink) }
            return used
        case .content(let left, let padding):
            let used = min(left, bytes.count)
            try sink.write(bytes.extracting(first: used))
            state = .content(left: left - used, padding: padding)
            if left == used { try endContent(padding: padding, sink: &sink) }
            return used
        case .extended(let kind, let left, let padding):
            let used = min(left, bytes.count)
            append(bytes.extracting(first: used))
            state = .extended(kind: kind, left: left - used, padding: padding)
            if left == used { try endExtended(kind, padding: padding) }
            return used
        case .skip(let left):
            let used = min(left, bytes.count)
            state = left == used ? .header : .skip(left: left - used)
            return used
        }
    }

    private mutating func append(_ bytes: Span<UInt8>) {
        for index in bytes.indices { buffer.append(bytes[index]) }
    }

    private mutating func readHeader(sink: inout some TarSink & ~Copyable) throws {
        let header = TarHeader(buffer)
        buffer.removeAll(keepingCapacity: true)
        if header.isZero {
            if case .secondZeroBlock = state { state = .ended } else { state = .secondZeroBlock }
            return
        }
        if case .secondZeroBlock = state { throw LayerError("the archive goes on after its end mark") }
        try header.check()
        switch header.type {
        case UInt8(ascii: "x"), UInt8(ascii: "g"), UInt8(ascii: "L"), UInt8(ascii: "K"):
            try beginExtended(header)
        case UInt8(ascii: "V"):
            let size = try header.size()
            skip(size + Self.padding(size))
        default:
            try begin(try header.entry(with: &extensions), sink: &sink)
        }
    }

    private mutating func beginExtended(_ header: TarHeader) throws {
        let size = try header.size()
        guard size <= Self.extendedLimit else { throw LayerError("an extended header of \(size) bytes is too long") }
        state = .extended(kind: header.type, left: size, padding: Self.padding(size))
        if size == 0 { try endExtended(header.type, padding: 0) }
    }

    private mutating func endExtended(_ kind: UInt8, padding: Int) throws {
        try extensions.read(kind, buffer)
        buffer.removeAll(keepingCapacity: true)
        skip(padding)
    }

    private mutating func begin(_ entry: TarEntry, sink: inout some TarSink & ~Copyable) throws {
        try sink.begin(entry)
        state = .content(left: entry.size, padding: Self.padding(entry.size))
        if entry.size == 0 { try endContent(padding: 0, sink: &sink) }
    }

    private mutating func endContent(padding: Int, sink: inout some TarSink & ~Copyable) throws {
        try sink.end()
        skip(padding)
    }

    private mutating func skip(_ size: Int) {
        state = size == 0 ? .header : .skip(left: size)
    }

    private static func padding(_ size: Int) -> Int { (blockSize - size % blockSize) % blockSize }
}
