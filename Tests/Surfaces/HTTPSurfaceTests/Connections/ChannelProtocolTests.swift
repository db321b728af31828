// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Testing

@testable import HTTPSurface

@Suite("the channels of exec and attach")
struct ChannelProtocolTests {
    @Test func theClientsFirstChoiceThatIsSpokenHereCounts() {
        #expect(ChannelProtocol.choose(among: ["v5.channel.k8s.io"]) == .v5)
        #expect(ChannelProtocol.choose(among: ["v9.channel.k8s.io", "v4.channel.k8s.io", "v5.channel.k8s.io"]) == .v4)
        #expect(ChannelProtocol.choose(among: []) == .v1)
        #expect(ChannelProtocol.choose(among: ["SPDY/3.1+portforward.k8s.io"]) == nil)
    }

    @Test(arguments: ChannelProtocol.allCases)
    func everyByteArrivesAsItWasSent(_ language: ChannelProtocol) throws {
        let bytes = (0...255).map { UInt8($0) }
        for channel in UInt8(0)...4 {
            let message = language.message(channel, bytes)
            #expect(try language.event(in: message) == .data(channel: channel, bytes))
            #expect(!language.isText || message.allSatisfy { $0 < 0x80 })
        }
        #expect(try language.event(in: []) == nil)
        #expect(try language.event(in: language.message(1, [])) == .data(channel: 1, []))
    }

    @Test func onlyTheFifthVersionClosesSingleChannels() throws {
        #expect(try ChannelProtocol.v5.event(in: [255, 0]) == .closed(channel: 0))
        #expect(try ChannelProtocol.v4.event(in: [255, 0]) == .data(channel: 255, [0]))
        for broken in [[255], [255, 5], [255, 0, 0]] as [[UInt8]] {
            #expect(throws: ChannelProtocol.Violation.self) { try ChannelProtocol.v5.event(in: broken) }
        }
    }

    @Test(arguments: ["x", "0!", "0YQ", "/YQ=="])
    func damagedTextIsRefused(_ text: String) {
        #expect(throws: ChannelProtocol.Violation.self) {
            try ChannelProtocol.v4Base64.event(in: Array(text.utf8))
        }
    }

    @Test func theEndIsAStatusWithTheExitCode() throws {
        func json(_ end: SessionEnd) throws -> JSON { try JSON(parsing: end.message(in: .v5) ?? []) }
        #expect(try json(.exited(code: 0)) == ["metadata": [:], "status": "Success"])
        #expect(try json(.ended)["status"] == "Success")
        let failed = try json(.exited(code: 137))
        #expect(failed["reason"] == "NonZeroExitCode")
        #expect(failed[path: "details", "causes"] == [["reason": "ExitCode", "message": "137"]])
        let broken = try json(.failed("no such program"))
        #expect(broken["message"] == "Internal error occurred: no such program" && broken["code"] == 500)
    }

    @Test func oldClientsGetWordsInsteadOfAStatus() {
        #expect(SessionEnd.exited(code: 0).message(in: .v1) == nil)
        #expect(SessionEnd.exited(code: 3).message(in: .v1) == Array("command terminated with exit code 3".utf8))
        #expect(SessionEnd.failed("why").message(in: .v1Base64) == Array("why".utf8))
    }

    @Test func sizesAreReadHoweverTheyAreCut() {
        let text = Array(#"{"Width":120,"Height":40}"#.utf8) + Array("\n{\"Width\":80,\"Height\":24}\n".utf8)
        for cut in 0...text.count {
            var reader = SizeReader()
            let sizes = [reader.feed(Array(text[..<cut])), reader.feed(Array(text[cut...]))].compactMap { $0 }
            #expect(sizes.last == TerminalSize(width: 80, height: 24), "cut at \(cut)")
        }
        var reader = SizeReader()
        #expect(reader.feed(Array(#"{"Width":"x"}"#.utf8)) == nil)
        #expect(reader.feed([UInt8](repeating: 0x7B, count: 10000)) == nil)
        #expect(reader.feed(Array(#"{"Width":1,"Height":2}"#.utf8)) == TerminalSize(width: 1, height: 2))
    }
}
