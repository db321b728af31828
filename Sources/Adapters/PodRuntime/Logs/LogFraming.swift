// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Cuts a container's output into the lines of a CRI log: `time stdout F line`, or `P` for a part of a longer one.
///
/// It holds at most one unfinished piece, whatever a container writes.
struct LogFraming {
    enum Stream: String, Sendable {
        case stdout, stderr
    }

    /// Longer lines are cut into pieces of this many bytes.
    static let pieceLimit = 16 * 1024

    private let stream: Stream
    private var pending: [UInt8] = []

    init(_ stream: Stream) { self.stream = stream }

    /// Appends to `output` what is complete now; the rest waits for more.
    mutating func add(_ bytes: ArraySlice<UInt8>, at time: Timestamp, to output: inout [UInt8]) {
        let prefix = Array("\(time.nanoText) \(stream.rawValue) ".utf8)
        var rest = bytes
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            addPieces(rest[..<end], prefix: prefix, to: &output)
            emit("F", prefix: prefix, to: &output)
            rest = rest[(end + 1)...]
        }
        addPieces(rest, prefix: prefix, to: &output)
    }

    /// Ends the stream: an unfinished line counts as a line.
    mutating func finish(at time: Timestamp, to output: inout [UInt8]) {
        guard !pending.isEmpty else { return }
        emit("F", prefix: Array("\(time.nanoText) \(stream.rawValue) ".utf8), to: &output)
    }

    private mutating func addPieces(_ bytes: ArraySlice<UInt8>, prefix: [UInt8], to output: inout [UInt8]) {
        var rest = bytes
        while !rest.isEmpty {
            // Only what exceeds a full piece proves that the piece is no whole line.
            if pending.count == Self.pieceLimit { emit("P", prefix: prefix, to: &output) }
            let taken = rest.prefix(Self.pieceLimit - pending.count)
            pending.append(contentsOf: taken)
            rest = rest.dropFirst(taken.count)
        }
    }

    private mutating func emit(_ tag: Character, prefix: [UInt8], to output: inout [UInt8]) {
        output.append(contentsOf: prefix)
        output.append(contentsOf: "\(tag) ".utf8)
        output.append(contentsOf: pending)
        output.append(UInt8(ascii: "\n"))
        pending.removeAll(keepingCapacity: true)
    }
}
