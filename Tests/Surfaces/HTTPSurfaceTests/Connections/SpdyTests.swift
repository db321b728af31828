// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Crypto
import Testing

@testable import HTTPSurface

@Suite("SPDY/3.1")
struct SpdyTests {
    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    @Test func theDictionaryIsTheOneOfTheProtocol() {
        #expect(SpdyDictionary.bytes.count == 1423)
        #expect(
            Self.hex(SHA256.hash(data: SpdyDictionary.bytes))
                == "51d27341373f923f3cd88e1eb7162aeaa3723d7585ff2399201dc06498407f02"
        )
    }

    private static let headers = [
        ("streamtype", "error"), ("port", "8080"), ("requestid", "0"), ("long", String(repeating: "xyz", count: 400)),
    ]

    /// What a client would send in one connection.
    private static func conversation() -> [UInt8] {
        var writer = SpdyDeflater()
        var bytes: [UInt8] = []
        for stream in stride(from: UInt32(1), to: 9, by: 2) { bytes += writer.open(stream, headers) }
        bytes += SpdyBytes.data(1, [], isLast: true)
        bytes += SpdyBytes.data(3, [UInt8](repeating: 7, count: 300))
        bytes += SpdyBytes.control(SpdyType.headers, SpdyBytes.number(3) + writer.block(headers))
        bytes += writer.open(9, headers)
        bytes += SpdyBytes.control(4, SpdyBytes.number(0))
        bytes += SpdyBytes.ping(1) + SpdyBytes.reset(3, SpdyStatus.cancelled) + SpdyBytes.goAway(lastStream: 9)
        return bytes
    }

    /// The frames in bytes that come in pieces; parts of one data frame are put together again.
    private static func frames(_ bytes: [UInt8], pieces: Int) throws -> [SpdyFrame] {
        var reader = SpdyReader()
        var all: [SpdyFrame] = []
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            reader.feed(Array(bytes[start..<min(start + pieces, bytes.count)]))
            while let frame = try reader.next() {
                if case .data(let stream, let more, let isLast) = frame,
                    case .data(stream, let before, false) = all.last
                {
                    all[all.count - 1] = .data(stream: stream, before + more, isLast: isLast)
                } else {
                    all.append(frame)
                }
            }
        }
        return all
    }

    @Test func framesAreReadWhateverPiecesTheyComeIn() throws {
        let bytes = Self.conversation()
        let whole = try Self.frames(bytes, pieces: bytes.count)
        let expected = SpdyHeaders(uniqueKeysWithValues: Self.headers.map { ($0.0, $0.1) })
        #expect(whole.first == .open(stream: 1, headers: expected, isLast: false))
        #expect(whole.dropFirst(4).first == .data(stream: 1, [], isLast: true))
        #expect(whole.contains(.open(stream: 9, headers: expected, isLast: false)), "after headers nobody wanted")
        #expect(
            whole.suffix(4) == [.other(type: 4), .ping(1), .reset(stream: 3, status: SpdyStatus.cancelled), .goAway]
        )
        for size in [1, 2, 3, 7, 64] { #expect(try Self.frames(bytes, pieces: size) == whole, "pieces of \(size)") }
    }

    @Test func repliesAreReadByAPeer() throws {
        var writer = SpdyDeflater()
        let bytes = writer.reply(1) + writer.reply(3, [(name: "a", value: "b")])
        #expect(
            try Self.frames(bytes, pieces: 5) == [
                .reply(stream: 1, headers: [:], isLast: false), .reply(stream: 3, headers: ["a": "b"], isLast: false),
            ]
        )
    }

    @Test func otherVersionsAndLongFramesAreRefused() {
        var reader = SpdyReader()
        reader.feed([0x80, 0x02] + SpdyBytes.number(1) + SpdyBytes.number(0))
        #expect(throws: SpdyError.self) { try reader.next() }
        #expect(throws: SpdyError.self) {
            try Self.frames(SpdyBytes.number(0x8003_0001) + SpdyBytes.number(0xFF_FFFF), pieces: 8)
        }
    }

    /// Damage anywhere is an error or other frames, never a crash; what is decompressed stays within its bound.
    @Test func damagedBytesDoNoHarm() {
        let bytes = Self.conversation()
        var generator = Numbers(state: 42)
        for _ in 0..<1000 {
            var damaged = bytes
            for _ in 0..<(generator.below(4) + 1) {
                let place = generator.below(damaged.count)
                switch generator.below(3) {
                case 0: damaged[place] = UInt8(truncatingIfNeeded: generator.below(256))
                case 1: damaged.remove(at: place)
                default: damaged.insert(UInt8(truncatingIfNeeded: generator.below(256)), at: place)
                }
            }
            let whole = try? Self.frames(damaged, pieces: damaged.count)
            #expect((try? Self.frames(damaged, pieces: 13)) == whole)
            var streams = ForwardStreams()
            for frame in whole ?? [] { _ = try? streams.handle(frame) }
        }
    }

    @Test func headersThatUnpackToTooMuchAreRefused() throws {
        var writer = SpdyDeflater()
        let bomb = writer.open(1, [(name: "a", value: String(repeating: "a", count: 1 << 20))])
        #expect(bomb.count < SpdyReader.controlLimit)
        #expect(throws: SpdyError.self) { try Self.frames(bomb, pieces: bomb.count) }
    }
}

/// Numbers that are the same in every run.
private struct Numbers {
    var state: UInt64
    mutating func below(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % bound
    }
}
