// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// A moment in UTC, in nanoseconds since 1970-01-01T00:00:00Z; its text has the years 0 to 9999.
package struct Timestamp: Sendable, Hashable, Comparable {
    package private(set) var nanoseconds: Int128

    private init(count: Int128) { nanoseconds = count }
    package init(nanoseconds: Int64) { self.init(count: Int128(nanoseconds)) }

    /// A moment by its whole seconds and the nanoseconds to add to them.
    package init(seconds: Int64, nanoseconds: Int64 = 0) {
        self.init(count: Int128(seconds) * 1_000_000_000 + Int128(nanoseconds))
    }

    /// Whole seconds, rounded down.
    package var seconds: Int64 {
        Int64(nanoseconds >= 0 ? nanoseconds / 1_000_000_000 : -((-nanoseconds + 999_999_999) / 1_000_000_000))
    }

    /// What is above the whole seconds.
    package var fraction: Int64 { Int64(nanoseconds - Int128(seconds) * 1_000_000_000) }

    /// Whether the year is one of 1 to 9999.
    package var hasCommonYear: Bool { Self.commonSeconds.contains(seconds) }
    private static let commonSeconds: Range<Int64> = -62_135_596_800..<253_402_300_800

    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.nanoseconds < right.nanoseconds }

    package static func - (left: Timestamp, right: Timestamp) -> Duration {
        let span = left.nanoseconds - right.nanoseconds
        let (seconds, rest) = span.quotientAndRemainder(dividingBy: 1_000_000_000)
        return Duration(
            secondsComponent: Int64(seconds),
            attosecondsComponent: Int64(rest) * 1_000_000_000
        )
    }

    package static func + (left: Timestamp, right: Duration) -> Timestamp {
        let (seconds, attoseconds) = right.components
        return Timestamp(
            count: left.nanoseconds + Int128(seconds) * 1_000_000_000 + Int128(attoseconds / 1_000_000_000)
        )
    }

    package static func - (left: Timestamp, right: Duration) -> Timestamp { left + (.zero - right) }
}

/// Where the present moment comes from; tests pass a clock of their own.
package struct WallClock: Sendable {
    private let read: @Sendable () -> Timestamp

    package init(_ read: @escaping @Sendable () -> Timestamp) { self.read = read }
    package var now: Timestamp { read() }
}

extension Timestamp: CustomStringConvertible {
    /// RFC 3339 with whole seconds, as Kubernetes' `metav1.Time` writes it: `2026-11-23T14:06:43Z`.
    package var description: String { dateText + "Z" }

    /// RFC 3339 with six decimals, as Kubernetes' `metav1.MicroTime` writes it.
    package var microText: String {
        "\(dateText).\(padded(Int(fraction / 1000), 6))Z"
    }

    /// RFC 3339 with nine decimals, as container logs carry it.
    package var nanoText: String { "\(dateText).\(padded(Int(fraction), 9))Z" }

    private var dateText: String {
        let days = seconds >= 0 ? seconds / 86400 : -((-seconds + 86399) / 86400)
        let rest = Int(seconds - days * 86400)
        let (year, month, day) = Self.civil(fromDays: Int(days))
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T"
            + "\(padded(rest / 3600, 2)):\(padded(rest / 60 % 60, 2)):\(padded(rest % 60, 2))"
    }

    private func padded(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    /// The proleptic Gregorian date of a day counted from 1970-01-01.
    private static func civil(fromDays days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func days(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// Reads RFC 3339 with any number of decimals and any offset; `nil` where the text is none.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count, bytes[range].allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
            return bytes[range].reduce(0) { $0 * 10 + Int($1 - 0x30) }
        }
        guard bytes.count >= 20, let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            bytes[4] == 0x2D, bytes[7] == 0x2D, bytes[10] | 0x20 == 0x74, bytes[13] == 0x3A, bytes[16] == 0x3A,
            (1...12).contains(month), (1...Self.length(ofMonth: month, year)).contains(day), hour < 24, minute < 60,
            second <= 60
        else { return nil }
        var cursor = 19
        var fraction: Int64 = 0
        if bytes[cursor] == 0x2E {
            cursor += 1
            let start = cursor
            var scale: Int64 = 100_000_000
            while cursor < bytes.count, bytes[cursor] &- 0x30 < 10 {
                fraction += Int64(bytes[cursor] - 0x30) * scale
                scale /= 10
                cursor += 1
            }
            guard cursor > start else { return nil }
        }
        guard cursor < bytes.count else { return nil }
        var offset = 0
        if bytes[cursor] | 0x20 == 0x7A {
            guard cursor + 1 == bytes.count else { return nil }
        } else {
            guard bytes[cursor] == 0x2B || bytes[cursor] == 0x2D, cursor + 6 == bytes.count, bytes[cursor + 3] == 0x3A,
                let hours = number(cursor + 1..<cursor + 3), let minutes = number(cursor + 4..<cursor + 6)
            else { return nil }
            offset = (hours * 3600 + minutes * 60) * (bytes[cursor] == 0x2D ? -1 : 1)
        }
        let days = Self.days(year: year, month: month, day: day)
        let seconds = Int64(days * 86400 + hour * 3600 + minute * 60 + second - offset)
        self.init(seconds: seconds, nanoseconds: fraction)
    }

    private static func length(ofMonth month: Int, _ year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
