// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// A moment as a calendar and a clock on the wall show it, without saying where.
struct CivilTime: Sendable, Hashable {
    var year: Int
    var month: Int
    var day: Int
    var hour = 0
    var minute = 0
    var second = 0

    init(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// `seconds` since 1970-01-01 00:00 on the same wall.
    init(wallSeconds seconds: Int64) {
        let days = Self.floor(seconds, 86_400)
        let rest = Int(seconds - days * 86_400)
        // Years here begin in March, so that the leap day is the last of its year; an era has 400 of them.
        let shifted = days + 719_468
        let era = Self.floor(shifted, 146_097)
        let ofEra = Int(shifted - era * 146_097)
        let yearOfEra = (ofEra - ofEra / 1_460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let index = (5 * ofYear + 2) / 153
        day = ofYear - (153 * index + 2) / 5 + 1
        month = index < 10 ? index + 3 : index - 9
        year = yearOfEra + Int(era) * 400 + (month <= 2 ? 1 : 0)
        hour = rest / 3_600
        minute = rest % 3_600 / 60
        second = rest % 60
    }

    var wallSeconds: Int64 {
        Self.days(year, month, day) * 86_400 + Int64(hour * 3_600 + minute * 60 + second)
    }

    /// 0 is Sunday.
    var weekday: Int {
        let days = Self.days(year, month, day)
        return Int(((days + 4) % 7 + 7) % 7)
    }

    /// Days since 1970-01-01; `month` 13 is January of the next year, `day` may run over as well.
    static func days(_ year: Int, _ month: Int, _ day: Int) -> Int64 {
        let year = year + (month - 1) / 12
        let month = (month - 1) % 12 + 1
        let shifted = Int64(month <= 2 ? year - 1 : year)
        let era = floor(shifted, 400)
        let yearOfEra = shifted - era * 400
        let ofYear = Int64((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1)
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + ofYear - 719_468
    }

    static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    private static func floor(_ number: Int64, _ divisor: Int64) -> Int64 {
        number >= 0 ? number / divisor : -((divisor - 1 - number) / divisor)
    }
}

extension CivilTime {
    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private var clock: String { "\(Self.two(hour)):\(Self.two(minute)):\(Self.two(second))" }

    /// `Mon, 02 Jan 2006 15:04:05 +0000`, which is how events of cron jobs write a moment.
    var mailText: String {
        "\(Self.weekdays[weekday]), \(Self.two(day)) \(Self.months[month - 1]) \(year) \(clock) +0000"
    }

    /// `2006-01-02T15:04:05+02:00`; `Z` without an offset.
    func text(offset: Int) -> String {
        let date = "\(year)-\(Self.two(month))-\(Self.two(day))T\(clock)"
        guard offset != 0 else { return date + "Z" }
        let minutes = abs(offset) / 60
        return "\(date)\(offset < 0 ? "-" : "+")\(Self.two(minutes / 60)):\(Self.two(minutes % 60))"
    }
}
