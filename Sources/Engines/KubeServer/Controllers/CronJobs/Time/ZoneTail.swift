// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// The rule that a zone follows from its last recorded change on, such as `CET-1CEST,M3.5.0,M10.5.0/3`.
struct ZoneTail: Sendable {
    /// A day of each year and the second on the wall, when the clock changes.
    struct Switch: Sendable {
        enum Day: Sendable {
            /// 1 to 365, never counting a leap day.
            case julian(Int)
            /// 0 to 365, counting leap days.
            case ordinal(Int)
            /// A weekday's n-th occurrence in a month; the fifth is the last.
            case weekday(month: Int, week: Int, day: Int)
        }

        var day: Day
        var second = 7_200

        /// Seconds on the wall since 1970.
        func wallSeconds(in year: Int) -> Int64 {
            let date: Int64 =
                switch day {
                case .julian(let number):
                    CivilTime.days(year, 1, number + (CivilTime.isLeap(year) && number >= 60 ? 1 : 0))
                case .ordinal(let number): CivilTime.days(year, 1, number + 1)
                case .weekday(let month, let week, let day): Self.date(year, month, week, day)
                }
            return date * 86_400 + Int64(second)
        }

        private static func date(_ year: Int, _ month: Int, _ week: Int, _ day: Int) -> Int64 {
            let start = CivilTime.days(year, month, 1)
            let end = CivilTime.days(year, month + 1, 1)
            let first = CivilTime(year: year, month: month, day: 1).weekday
            var date = start + Int64((day - first + 7) % 7 + (week - 1) * 7)
            while date >= end { date -= 7 }
            return date
        }
    }

    private let standard: Int
    private let summer: (offset: Int, begin: Switch, end: Switch)?

    /// Reads the POSIX form of a time zone.
    init?(_ text: String) {
        var rest = Substring(text)
        guard Self.skipName(&rest), let west = Self.time(&rest) else { return nil }
        standard = -west
        guard !rest.isEmpty else {
            summer = nil
            return
        }
        guard Self.skipName(&rest) else { return nil }
        var offset = standard + 3_600
        if let next = rest.first, next != "," {
            guard let west = Self.time(&rest) else { return nil }
            offset = -west
        }
        guard let begin = Self.change(&rest), let end = Self.change(&rest), rest.isEmpty else { return nil }
        summer = (offset, begin, end)
    }

    func offset(at moment: Int64) -> Int {
        guard let summer else { return standard }
        let year = CivilTime(wallSeconds: moment + Int64(standard)).year
        // Each switch is given by the clock that it ends.
        let begin = summer.begin.wallSeconds(in: year) - Int64(standard)
        let end = summer.end.wallSeconds(in: year) - Int64(summer.offset)
        let isSummer = begin < end ? begin <= moment && moment < end : moment < end || begin <= moment
        return isSummer ? summer.offset : standard
    }

    private static func skipName(_ text: inout Substring) -> Bool {
        if text.first == "<" {
            guard let end = text.firstIndex(of: ">") else { return false }
            text = text[text.index(after: end)...]
            return true
        }
        let name = text.prefix { $0.isASCII && $0.isLetter }
        text = text.dropFirst(name.count)
        return name.count >= 3
    }

    private static func number(_ text: inout Substring) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard digits.count <= 4 else { return nil }
        text = text.dropFirst(digits.count)
        return Int(digits)
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    private static func time(_ text: inout Substring) -> Int? {
        let sign = text.first == "-" ? -1 : 1
        if text.first == "-" || text.first == "+" { text = text.dropFirst() }
        guard let hours = number(&text) else { return nil }
        var seconds = hours * 3_600
        for unit in [60, 1] where text.first == ":" {
            text = text.dropFirst()
            guard let part = number(&text) else { return nil }
            seconds += part * unit
        }
        return sign * seconds
    }

    private static func change(_ text: inout Substring) -> Switch? {
        guard text.first == "," else { return nil }
        text = text.dropFirst()
        guard let day = day(&text) else { return nil }
        guard text.first == "/" else { return Switch(day: day) }
        text = text.dropFirst()
        guard let second = time(&text) else { return nil }
        return Switch(day: day, second: second)
    }

    private static func day(_ text: inout Substring) -> Switch.Day? {
        switch text.first {
        case "J":
            text = text.dropFirst()
            return number(&text).map { .julian($0) }
        case "M":
            var parts: [Int] = []
            repeat {
                text = text.dropFirst()
                guard let part = number(&text) else { return nil }
                parts.append(part)
            } while text.first == "."
            guard parts.count == 3, (1...12).contains(parts[0]), (1...5).contains(parts[1]), (0...6).contains(parts[2])
            else { return nil }
            return .weekday(month: parts[0], week: parts[1], day: parts[2])
        default: return number(&text).map { .ordinal($0) }
        }
    }
}
