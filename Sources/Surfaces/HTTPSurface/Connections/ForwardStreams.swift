// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Decides what each frame of a port-forwarding client means.
///
/// A client opens two streams for each connection that it wants, one for data and one for the error that may come; the
/// server opens none.
struct ForwardStreams {
    /// One connection into the pod: two streams that carry the same request id.
    struct Pair: Equatable, Sendable {
        var data: UInt32
        var errors: UInt32
        var port: Int
    }

    enum Action: Equatable, Sendable {
        /// The client waits for it before it opens another stream.
        case reply(stream: UInt32)
        case reset(stream: UInt32, status: UInt32)
        case connect(Pair)
        case send([UInt8], to: UInt32)
        /// The client has said all on that data stream.
        case finish(stream: UInt32)
        /// The client has given the connection of that data stream up.
        case abort(stream: UInt32)
        case pong(UInt32)
    }

    /// How many connections one client may have at a time.
    static let limit = 1024

    private struct Half {
        var stream: UInt32
        var port: Int
        var isData: Bool
    }

    /// The data stream of each stream that is in use, by the stream's number.
    private var dataStreams: [UInt32: UInt32] = [:]
    /// Streams whose partner is still to come, by request id.
    private var waiting: [String: Half] = [:]
    private var lastStream: UInt32 = 0

    mutating func handle(_ frame: SpdyFrame) throws(SpdyError) -> [Action] {
        switch frame {
        case .open(let stream, let headers, let isLast): return try open(stream, headers, isLast)
        case .data(let stream, let bytes, let isLast):
            // On error streams clients have nothing to say but their end.
            guard dataStreams[stream] == stream else { return [] }
            return (bytes.isEmpty ? [] : [.send(bytes, to: stream)]) + (isLast ? [.finish(stream: stream)] : [])
        case .reset(let stream, _): return reset(stream)
        case .ping(let id):
            // Those of the client's own parity are questions, the others answers.
            return id % 2 == 1 ? [.pong(id)] : []
        case .goAway, .reply, .other: return []
        }
    }

    private mutating func open(
        _ stream: UInt32,
        _ headers: SpdyHeaders,
        _ isLast: Bool
    ) throws(SpdyError) -> [Action] {
        guard stream % 2 == 1, stream > lastStream else { throw SpdyError("stream \(stream) after \(lastStream)") }
        lastStream = stream
        let type = headers["streamtype"] ?? ""
        guard let port = Int(headers["port"] ?? ""), (1...65535).contains(port), ["data", "error"].contains(type) else {
            return [.reset(stream: stream, status: SpdyStatus.protocolError)]
        }
        let isData = type == "data"
        guard dataStreams.count + waiting.count < 2 * Self.limit else {
            return [.reset(stream: stream, status: SpdyStatus.refused)]
        }
        let request = headers["requestid"] ?? Self.request(of: stream, isData: isData)
        let half = Half(stream: stream, port: port, isData: isData)
        guard let other = waiting.removeValue(forKey: request) else {
            waiting[request] = half
            return [.reply(stream: stream)]
        }
        guard other.isData != isData, other.port == port else {
            waiting[request] = other
            return [.reset(stream: stream, status: SpdyStatus.protocolError)]
        }
        let pair = Pair(
            data: isData ? stream : other.stream,
            errors: isData ? other.stream : stream,
            port: port
        )
        for member in [pair.data, pair.errors] { dataStreams[member] = pair.data }
        let end: [Action] = isData && isLast ? [.finish(stream: stream)] : []
        return [.reply(stream: stream), .connect(pair)] + end
    }

    /// Ancient clients number nothing; their data stream follows the error stream.
    private static func request(of stream: UInt32, isData: Bool) -> String {
        "stream \(isData ? stream &- 2 : stream)"
    }

    private mutating func reset(_ stream: UInt32) -> [Action] {
        if let entry = waiting.first(where: { $0.value.stream == stream }) {
            waiting[entry.key] = nil
            return []
        }
        guard dataStreams[stream] == stream else { return [] }
        return [.abort(stream: stream)]
    }

    /// The connection is over on our side.
    mutating func forget(_ pair: Pair) {
        dataStreams[pair.data] = nil
        dataStreams[pair.errors] = nil
    }

    var lastAccepted: UInt32 { lastStream }
}
