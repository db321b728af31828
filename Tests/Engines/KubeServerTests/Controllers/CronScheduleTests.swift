// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

@Suite("schedules of cron jobs")
struct CronScheduleTests {
    private func next(_ text: String, after: String, in zone: String = "UTC") throws -> String? {
        let rules = try #require(ZoneRules(named: zone))
        let start = try #require(Timestamp(after))
        return try CronSchedule(text, zone: rules).next(after: start)?.description
    }

    @Test(
        "the next time is the first after the given one that all fields name",
        arguments: [
            ("* * * * *", "2026-11-23T19:00:00Z", "2026-11-23T19:01:00Z"),
            ("* * * * *", "2026-11-23T19:00:59Z", "2026-11-23T19:01:00Z"),
            ("*/20 * * * *", "2026-12-31T23:45:00Z", "2027-01-01T00:00:00Z"),
            ("7/20 8-10,,22 * * *", "2026-11-23T10:47:00Z", "2026-11-23T22:07:00Z"),
            ("0 0 29 2 *", "2026-11-23T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("30 6 * jAn-MAR Mon-fri", "2026-03-31T06:30:00Z", "2027-01-01T06:30:00Z"),
            ("0 0 ? * ?", "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"),
            ("@yearly", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            ("@weekly", "2026-11-23T12:00:00Z", "2026-11-29T00:00:00Z"),
            ("@hourly", "2026-11-23T12:59:59Z", "2026-11-23T13:00:00Z"),
            ("@every 1h30m0.9s", "2026-11-23T12:00:00Z", "2026-11-23T13:30:00Z"),
            ("@every 10ms", "2026-11-23T12:00:00Z", "2026-11-23T12:00:01Z"),
        ]
    )
    func times(_ text: String, _ start: String, _ expected: String) throws {
        #expect(try next(text, after: start) == expected)
    }

    @Test("a day is named by both fields where one is a star, by either where both say something")
    func days() throws {
        // 2026-11-23 is a Monday.
        #expect(try next("0 0 * * 1", after: "2026-11-23T00:00:00Z") == "2026-11-30T00:00:00Z")
        #expect(try next("0 0 25 * 1", after: "2026-11-23T00:00:00Z") == "2026-11-25T00:00:00Z")
        #expect(try next("0 0 */2 * 1", after: "2026-11-23T00:00:00Z") == "2026-11-25T00:00:00Z")
        #expect(try next("0 0 13 * *", after: "2026-11-23T00:00:00Z") == "2026-12-13T00:00:00Z")
    }

    @Test("a time that never comes is none")
    func never() throws {
        #expect(try next("0 0 30 2 *", after: "2026-11-23T00:00:00Z") == nil)
    }

    @Test(
        "hours that the clock skips are left out, hours that it shows twice count twice",
        arguments: [
            ("0 2 * * *", "2012-03-11T05:00:00Z", "2012-03-12T06:00:00Z"),
            ("0 * * * *", "2012-03-11T06:00:00Z", "2012-03-11T07:00:00Z"),
            ("30 2 4 Nov ?", "2012-11-04T04:00:00Z", "2012-11-04T07:30:00Z"),
            ("0 1 * * ?", "2012-11-04T04:00:00Z", "2012-11-04T05:00:00Z"),
            ("0 1 * * ?", "2012-11-04T05:00:00Z", "2012-11-04T06:00:00Z"),
            ("0 1 * * ?", "2012-11-04T06:00:00Z", "2012-11-05T06:00:00Z"),
            // Beyond what the database lists, its rule counts.
            ("0 12 1 7 *", "2060-01-01T00:00:00Z", "2060-07-01T16:00:00Z"),
            ("0 12 1 1 *", "2060-02-01T00:00:00Z", "2061-01-01T17:00:00Z"),
        ]
    )
    func clockChanges(_ text: String, _ start: String, _ expected: String) throws {
        #expect(try next(text, after: start, in: "America/New_York") == expected)
    }

    @Test("a zone within the schedule counts")
    func ownZone() throws {
        #expect(try next("CRON_TZ=Asia/Tokyo 0 9 * * *", after: "2026-11-23T00:00:00Z") == "2026-11-24T00:00:00Z")
    }

    @Test(
        "what cannot be read is refused in the real words",
        arguments: [
            ("", "empty spec string"),
            ("every day", "expected exactly 5 fields, found 2: [every day]"),
            ("* * * * 7", "end of range (7) above maximum (6): 7"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
            ("5-3 * * * *", "beginning of range (5) beyond end of range (3): 5-3"),
            ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
            ("*/1/2 * * * *", "too many slashes: */1/2"),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            ("x * * * *", #"failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax"#),
            ("L * * * *", #"failed to parse int from L: strconv.Atoi: parsing "L": invalid syntax"#),
            ("@reboot", "unrecognized descriptor: @reboot"),
            ("@every 5", #"failed to parse duration @every 5: time: missing unit in duration "5""#),
            ("TZ=Nowhere * * * * *", "provided bad location Nowhere: unknown time zone Nowhere"),
            ("TZ=UTC", "expected exactly 5 fields, found 0: []"),
        ]
    )
    func refusals(_ text: String, _ words: String) throws {
        #expect(throws: CronError(description: words)) { try CronSchedule(text) }
    }

    @Test("of what was missed the last counts, however long ago the first was")
    func missed() throws {
        func missed(_ text: String, _ start: String, _ now: String) throws -> CronSchedule.Missed? {
            let (start, now) = (try #require(Timestamp(start)), try #require(Timestamp(now)))
            return try CronSchedule(text).missed(after: start, until: now)
        }
        #expect(try missed("0 * * * *", "2026-11-23T10:00:00Z", "2026-11-23T10:59:59Z") == nil)
        let one = try #require(try missed("0 * * * *", "2026-11-23T10:00:00Z", "2026-11-23T11:00:00Z"))
        #expect(one.last.description == "2026-11-23T11:00:00Z")
        let many = try #require(try missed("* * * * *", "2020-01-01T00:00:00Z", "2026-11-23T11:00:30Z"))
        #expect(many.last.description == "2026-11-23T11:00:00Z" && many.isMany)
        // Two close together, then nothing for a day.
        let uneven = try #require(try missed("0,1 0 * * *", "2026-11-20T00:00:00Z", "2026-11-23T12:00:00Z"))
        #expect(uneven.last.description == "2026-11-23T00:01:00Z")
        #expect(throws: CronError.self) { try missed("0 0 30 2 *", "2026-11-20T00:00:00Z", "2026-11-23T12:00:00Z") }
    }

    @Test(
        "names of zones lead nowhere else",
        arguments: ["../etc/passwd", "/etc/localtime", "Europe//Berlin", "-x", "."]
    )
    func zoneNames(_ name: String) {
        #expect(ZoneRules(named: name) == nil)
    }

    @Test("broken zone files are refused whatever is cut off")
    func brokenZones() {
        var bytes = Array("TZif2".utf8) + Array(repeating: UInt8(0), count: 200)
        for length in 0..<bytes.count { #expect(ZoneRules(parsing: Array(bytes.prefix(length))) == nil) }
        bytes[32] = 0xFF
        #expect(ZoneRules(parsing: bytes) == nil)
    }
}
