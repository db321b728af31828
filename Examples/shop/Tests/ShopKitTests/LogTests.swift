// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Synchronization
import Testing

@testable import ShopKit

@Suite("log")
struct LogTests {
    private struct Line: Decodable {
        let time, level, msg, app, version, text: String
        let number: Double
    }

    @Test("a line is one JSON object, whatever is in it")
    func json() throws {
        let lines = Mutex<[[UInt8]]>([])
        let log = Log(app: "a\"b", version: "1") { line in lines.withLock { $0.append(line) } }
        let nasty = "quote \" slash \\ line\nend \u{1} \u{7F} tab\t ü 🛶 \u{2028}"
        log.error(nasty, ["text": JSONText(nasty), "number": JSONText(1.23456)])
        let bytes = try #require(lines.withLock { $0.first })
        #expect(bytes.count { $0 == UInt8(ascii: "\n") } == 1)
        #expect(bytes.last == UInt8(ascii: "\n"))
        let line = try JSONDecoder().decode(Line.self, from: Data(bytes))
        #expect(line.msg == nasty)
        #expect(line.text == nasty)
        #expect(line.level == "error")
        #expect(line.app == "a\"b")
        #expect(line.number == 1.235)
    }

    @Test(
        "times are RFC 3339 with milliseconds",
        arguments: [
            (0, 0, "1970-01-01T00:00:00.000Z"), (951_782_400, 999_999_999, "2000-02-29T00:00:00.999Z"),
            (1_795_443_903, 5_000_000, "2026-11-23T14:25:03.005Z"),
        ]
    )
    func time(_ seconds: Int, _ nanoseconds: Int, _ text: String) {
        #expect(WallTime(seconds: seconds, nanoseconds: nanoseconds).description == text)
    }
}
