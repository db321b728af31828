// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// An answer that was received whole.
public struct UpstreamResponse: Sendable, Equatable {
    public var status: Int
    /// Names in lower case; repeated fields are joined by ", ".
    public var headers: [String: String]
    public var body: [UInt8]
}

/// Reads one HTTP/1.1 answer from bytes in pieces of any size. It knows no socket.
struct ResponseParser {
    struct Malformed: Error, Equatable, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    private enum State: Equatable {
        case head, fixedBody(remaining: Int), chunkSize, chunkData(remaining: Int), chunkEnd, trailers, bodyUntilClose,
            done
    }

    static let headLimit = 64 * 1024

    private let isHead: Bool
    private let bodyLimit: Int
    private var state = State.head
    private var buffer: [UInt8] = []
    private var response = UpstreamResponse(status: 0, headers: [:], body: [])
    private var version = ""

    /// `isHead`: the request was a HEAD, so its answer has no body whatever its fields say.
    init(isHead: Bool = false, bodyLimit: Int = 4 << 20) {
        self.isHead = isHead
        self.bodyLimit = bodyLimit
    }

    /// The answer, once it is complete.
    var complete: UpstreamResponse? { state == .done ? response : nil }

    /// Whether there was not a single byte yet.
    var isUntouched: Bool { state == .head && buffer.isEmpty && response.status == 0 }

    /// Whether the connection may carry another request.
    var isReusable: Bool {
        let tokens = (response.headers["connection"] ?? "").lowercased()
        return state == .done && buffer.isEmpty && version == "HTTP/1.1" && !tokens.contains("close") && !untilClose
    }

    private var untilClose = false

    mutating func consume(_ bytes: some Sequence<UInt8>) throws(Malformed) {
        buffer.append(contentsOf: bytes)
        while try step() {}
    }

    /// The other side closed the connection.
    mutating func end() throws(Malformed) {
        if state == .bodyUntilClose { state = .done }
        guard state == .done else { throw Malformed("the connection closed before the answer was complete") }
    }

    /// Returns false when it needs more bytes, or none at all.
    private mutating func step() throws(Malformed) -> Bool {
        switch state {
        case .head: try readHead()
        case .fixedBody(let remaining): try readFixedBody(remaining)
        case .chunkSize: try readChunkSize()
        case .chunkData(let remaining): try readChunkData(remaining)
        case .chunkEnd: try readChunkEnd()
        case .trailers: try readTrailer()
        case .bodyUntilClose: try take(buffer.count) > 0
        case .done: false
        }
    }

    private mutating func readHead() throws(Malformed) -> Bool {
        guard let end = headEnd() else {
            if buffer.count > Self.headLimit { throw Malformed("the head is larger than \(Self.headLimit) bytes") }
            return false
        }
        let head = String(decoding: buffer[..<end], as: UTF8.self)
        buffer.removeSubrange(..<end)
        var lines = head.split(omittingEmptySubsequences: true) { $0.isNewline }[...]
        guard let statusLine = lines.popFirst() else { throw Malformed("the status line is missing") }
        try readStatusLine(statusLine)
        response.headers = [:]
        for line in lines { try readField(line) }
        if (100..<200).contains(response.status) { return true }  // Interim; the final answer follows.
        state = try bodyState()
        return true
    }

    /// The offset behind the empty line.
    private func headEnd() -> Int? {
        var lineStart = 0
        for (offset, byte) in buffer.enumerated() where byte == UInt8(ascii: "\n") {
            let line = buffer[lineStart..<offset]
            if lineStart > 0, line.isEmpty || line.elementsEqual([UInt8(ascii: "\r")]) { return offset + 1 }
            lineStart = offset + 1
        }
        return nil
    }

    private mutating func readStatusLine(_ line: Substring) throws(Malformed) {
        let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true)
        guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), parts[1].count == 3, let status = Int(parts[1]),
            (100...599).contains(status)
        else { throw Malformed("'\(line.prefix(80))' is no HTTP/1 status line") }
        guard status != 101 else { throw Malformed("the server switched protocols unasked") }
        version = String(parts[0])
        response.status = status
    }

    private mutating func readField(_ line: Substring) throws(Malformed) {
        guard let colon = line.firstIndex(of: ":"), colon > line.startIndex, line.first != " ", line.first != "\t"
        else {
            throw Malformed("'\(line.prefix(80))' is no header field")
        }
        let name = line[..<colon].lowercased()
        let value = line[line.index(after: colon)...].trimmed
        response.headers[name] = response.headers[name].map { "\($0), \(value)" } ?? value
    }

    private mutating func bodyState() throws(Malformed) -> State {
        if isHead || response.status == 204 || response.status == 304 { return .done }
        if let coding = response.headers["transfer-encoding"] {
            guard coding.lowercased() == "chunked" else {
                throw Malformed("transfer coding '\(coding)' is not supported")
            }
            return .chunkSize
        }
        guard let text = response.headers["content-length"] else {
            untilClose = true
            return .bodyUntilClose
        }
        let lengths = Set(text.split(separator: ",").map { $0.trimmed })
        guard lengths.count == 1, let digits = lengths.first, digits.allSatisfy({ $0.isASCII && $0.isNumber }),
            let length = Int(digits)
        else { throw Malformed("content-length '\(text)' is not a number") }
        guard length <= bodyLimit else { throw Malformed("the body is larger than \(bodyLimit) bytes") }
        return length == 0 ? .done : .fixedBody(remaining: length)
    }

    private mutating func readFixedBody(_ remaining: Int) throws(Malformed) -> Bool {
        let taken = try take(remaining)
        state = taken == remaining ? .done : .fixedBody(remaining: remaining - taken)
        return taken > 0
    }

    private mutating func readChunkSize() throws(Malformed) -> Bool {
        guard let line = try takeLine() else { return false }
        let digits = line.prefix { $0 != ";" }.trimmed
        guard !digits.isEmpty, digits.allSatisfy(\.isHexDigit), let size = Int(digits, radix: 16) else {
            throw Malformed("'\(line.prefix(80))' is no chunk size")
        }
        state = size == 0 ? .trailers : .chunkData(remaining: size)
        return true
    }

    private mutating func readChunkData(_ remaining: Int) throws(Malformed) -> Bool {
        let taken = try take(remaining)
        state = taken == remaining ? .chunkEnd : .chunkData(remaining: remaining - taken)
        return taken > 0
    }

    private mutating func readChunkEnd() throws(Malformed) -> Bool {
        guard let line = try takeLine() else { return false }
        guard line.isEmpty else { throw Malformed("a chunk is longer than its size") }
        state = .chunkSize
        return true
    }

    private mutating func readTrailer() throws(Malformed) -> Bool {
        guard let line = try takeLine() else { return false }
        if line.isEmpty { state = .done }
        return true
    }

    /// Moves up to `count` bytes into the body.
    private mutating func take(_ count: Int) throws(Malformed) -> Int {
        let taken = min(count, buffer.count)
        guard response.body.count + taken <= bodyLimit else {
            throw Malformed("the body is larger than \(bodyLimit) bytes")
        }
        response.body.append(contentsOf: buffer[..<taken])
        buffer.removeFirst(taken)
        return taken
    }

    private mutating func takeLine() throws(Malformed) -> String? {
        guard let end = buffer.firstIndex(of: UInt8(ascii: "\n")) else {
            if buffer.count > 8 * 1024 { throw Malformed("a line of the body is too long") }
            return nil
        }
        var line = buffer[..<end]
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        let text = String(decoding: line, as: UTF8.self)
        buffer.removeSubrange(...end)
        return text
    }
}

extension StringProtocol {
    /// Without blanks at either end.
    var trimmed: String {
        var rest = self[...]
        while let first = rest.first, first == " " || first == "\t" { rest = rest.dropFirst() }
        while let last = rest.last, last == " " || last == "\t" { rest = rest.dropLast() }
        return String(rest)
    }
}
