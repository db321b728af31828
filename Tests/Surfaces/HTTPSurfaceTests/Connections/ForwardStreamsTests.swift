// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Testing

@testable import HTTPSurface

@Suite("the streams of port forwarding")
struct ForwardStreamsTests {
    private func open(_ stream: UInt32, _ type: String, port: String = "80", request: String? = "0") -> SpdyFrame {
        var headers = ["streamtype": type, "port": port]
        headers["requestid"] = request
        return .open(stream: stream, headers: headers, isLast: false)
    }

    private let pair = ForwardStreams.Pair(data: 3, errors: 1, port: 80)

    /// Streams with one connection.
    private func connected() throws -> ForwardStreams {
        var streams = ForwardStreams()
        #expect(try streams.handle(open(1, "error")) == [.reply(stream: 1)])
        #expect(try streams.handle(.data(stream: 1, [], isLast: true)) == [])
        #expect(try streams.handle(open(3, "data")) == [.reply(stream: 3), .connect(pair)])
        return streams
    }

    @Test func twoStreamsOfARequestAreAConnection() throws {
        var streams = try connected()
        #expect(try streams.handle(.data(stream: 3, [1, 2], isLast: false)) == [.send([1, 2], to: 3)])
        #expect(try streams.handle(.data(stream: 3, [], isLast: true)) == [.finish(stream: 3)])
        #expect(try streams.handle(.data(stream: 1, [9], isLast: false)) == [], "nothing is said on error streams")
        #expect(try streams.handle(.reset(stream: 3, status: 5)) == [.abort(stream: 3)])
        streams.forget(pair)
        #expect(try streams.handle(.data(stream: 3, [1], isLast: false)) == [])
        #expect(try streams.handle(.reset(stream: 3, status: 5)) == [])
    }

    @Test func manyConnectionsAreToldApart() throws {
        var streams = ForwardStreams()
        for request in 0..<50 {
            _ = try streams.handle(open(UInt32(request * 2 + 1), "error", request: "\(request)"))
        }
        for request in (0..<50).reversed() {
            let stream = UInt32(100 + (49 - request) * 2 + 1)
            let actions = try streams.handle(open(stream, "data", request: "\(request)"))
            let pair = ForwardStreams.Pair(data: stream, errors: UInt32(request * 2 + 1), port: 80)
            #expect(actions == [.reply(stream: stream), .connect(pair)])
        }
    }

    @Test func ancientClientsNumberNoRequests() throws {
        var streams = ForwardStreams()
        _ = try streams.handle(open(1, "error", request: nil))
        #expect(try streams.handle(open(3, "data", request: nil)).last == .connect(pair))
    }

    @Test(arguments: [("error", "0"), ("error", "65536"), ("error", "http"), ("stdin", "80"), ("", "80")])
    func streamsThatSayNothingUsefulAreBrokenOff(_ type: String, _ port: String) throws {
        var streams = ForwardStreams()
        #expect(
            try streams.handle(open(1, type, port: port)) == [.reset(stream: 1, status: SpdyStatus.protocolError)]
        )
    }

    @Test func partnersMustFit() throws {
        var streams = ForwardStreams()
        _ = try streams.handle(open(1, "error"))
        #expect(try streams.handle(open(3, "error")) == [.reset(stream: 3, status: SpdyStatus.protocolError)])
        #expect(
            try streams.handle(open(5, "data", port: "81")) == [.reset(stream: 5, status: SpdyStatus.protocolError)]
        )
        let pair = ForwardStreams.Pair(data: 7, errors: 1, port: 80)
        #expect(try streams.handle(open(7, "data")) == [.reply(stream: 7), .connect(pair)])
    }

    @Test func numbersOfStreamsOnlyGrow() throws {
        var streams = try connected()
        for wrong in [UInt32(3), 1, 4] {
            #expect(throws: SpdyError.self) { try streams.handle(open(wrong, "error", request: "1")) }
        }
    }

    @Test func oneClientHasABoundedNumberOfConnections() throws {
        var streams = ForwardStreams()
        var last: [ForwardStreams.Action] = []
        for number in 0...(2 * ForwardStreams.limit) {
            last = try streams.handle(open(UInt32(number * 2 + 1), "error", request: "\(number)"))
        }
        #expect(last == [.reset(stream: UInt32(4 * ForwardStreams.limit + 1), status: SpdyStatus.refused)])
        _ = try streams.handle(.reset(stream: 1, status: 5))
        #expect(try streams.handle(open(9_999_999, "error", request: "z")) == [.reply(stream: 9_999_999)])
    }

    @Test func questionsAreAnsweredAndAnswersAreNot() throws {
        var streams = ForwardStreams()
        #expect(try streams.handle(.ping(7)) == [.pong(7)])
        #expect(try streams.handle(.ping(8)) == [])
        #expect(try streams.handle(.goAway) == [])
    }
}
