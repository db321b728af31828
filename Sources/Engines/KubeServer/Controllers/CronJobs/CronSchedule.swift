// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// When a cron job runs.
struct CronSchedule: Sendable {
    private enum Rule: Sendable {
        case fields(minute: CronField, hour: CronField, day: CronField, month: CronField, weekday: CronField)
        case every(Int64)
    }

    private let rule: Rule
    private(set) var zone: ZoneRules

    /// `zone` counts unless the text begins with one of its own.
    init(_ text: String, zone: ZoneRules = .utc) throws(CronError) {
        guard !text.isEmpty else { throw CronError(description: "empty spec string") }
        self.zone = zone
        var rest = text
        if text.hasPrefix("TZ=") || text.hasPrefix("CRON_TZ=") {
            let name = text.drop { $0 != "=" }.dropFirst().prefix { $0 != " " }
            rest = String(text.drop { $0 != " " }).trimmed
            guard let own = ZoneRules(named: String(name)) else {
                throw CronError(description: "provided bad location \(name): unknown time zone \(name)")
            }
            self.zone = own
        }
        rule = try rest.hasPrefix("@") ? Self.macro(rest) : Self.fields(rest)
    }

    private static func fields(_ text: String) throws(CronError) -> Rule {
        let parts = text.split { $0.isWhitespace }.map(String.init)
        guard parts.count == 5 else {
            let shown = "[\(parts.joined(separator: " "))]"
            throw CronError(description: "expected exactly 5 fields, found \(parts.count): \(shown)")
        }
        return .fields(
            minute: try CronField(parts[0], .minute),
            hour: try CronField(parts[1], .hour),
            day: try CronField(parts[2], .day),
            month: try CronField(parts[3], .month),
            weekday: try CronField(parts[4], .weekday)
        )
    }

    private static func macro(_ text: String) throws(CronError) -> Rule {
        switch text {
        case "@yearly", "@annually": return try fields("0 0 1 1 *")
        case "@monthly": return try fields("0 0 1 * *")
        case "@weekly": return try fields("0 0 * * 0")
        case "@daily", "@midnight": return try fields("0 0 * * *")
        case "@hourly": return try fields("0 * * * *")
        default: break
        }
        guard text.hasPrefix("@every ") else { throw CronError(description: "unrecognized descriptor: \(text)") }
        do {
            return .every(max(1, try GoDuration.seconds(String(text.dropFirst(7)))))
        } catch {
            throw CronError(description: "failed to parse duration \(text): \(error)")
        }
    }

    /// The first time after `moment`, in whole seconds; `nil` if there is none within five years.
    func next(after moment: Timestamp) -> Timestamp? {
        switch rule {
        case .every(let seconds): return Timestamp(seconds: moment.seconds + seconds)
        case .fields(let minute, let hour, let day, let month, let weekday):
            var now = moment.seconds + 1
            let limit = zone.wall(at: now).year + 5
            while true {
                let wall = zone.wall(at: now)
                guard wall.year <= limit else { return nil }
                if !month.contains(wall.month) {
                    now = zone.moment(of: Self.midnight(CivilTime.days(wall.year, wall.month + 1, 1)))
                } else if !Self.isDay(wall, day, weekday) {
                    now = zone.moment(of: Self.midnight(CivilTime.days(wall.year, wall.month, wall.day + 1)))
                } else if !hour.contains(wall.hour) {
                    now += Int64(3_600 - wall.minute * 60 - wall.second)
                } else if !minute.contains(wall.minute) || wall.second != 0 {
                    now += Int64(60 - wall.second)
                } else {
                    return Timestamp(seconds: now)
                }
            }
        }
    }

    private static func midnight(_ days: Int64) -> CivilTime { CivilTime(wallSeconds: days * 86_400) }

    /// Where both fields name days, either suffices; where one says nothing, the other decides.
    private static func isDay(_ wall: CivilTime, _ day: CronField, _ weekday: CronField) -> Bool {
        let (isDay, isWeekday) = (day.contains(wall.day), weekday.contains(wall.weekday))
        return day.isStar || weekday.isStar ? isDay && isWeekday : isDay || isWeekday
    }

    /// What was due between two moments: the last time, and about how many there were.
    struct Missed: Sendable, Equatable {
        var last: Timestamp
        var isMany: Bool
    }

    /// The last time after `start` and not after `now`.
    func missed(after start: Timestamp, until now: Timestamp) throws(CronError) -> Missed? {
        guard let first = next(after: start), let second = next(after: first) else {
            throw CronError(description: "time difference between two schedules is less than 1 second")
        }
        guard first <= now else { return nil }
        guard second <= now else { return Missed(last: first, isMany: false) }
        let step = second.seconds - first.seconds
        let count = (now.seconds - first.seconds) / step + 1
        // From shortly before now; where a schedule pauses for long, from longer before.
        var (back, from) = (step, now - .seconds(step))
        while from > first, next(after: from).map({ $0 > now }) ?? true {
            back *= 2
            from = now - .seconds(back)
        }
        var last = max(from, first)
        if from <= first { last = first }
        while let following = next(after: last), following <= now { last = following }
        return Missed(last: last, isMany: count > 100)
    }
}

extension String {
    fileprivate var trimmed: String {
        var text = drop { $0.isWhitespace }
        while text.last?.isWhitespace == true { text = text.dropLast() }
        return String(text)
    }
}

/// Durations as Go writes them: `1h30m`, `2.5s`.
enum GoDuration {
    private static let units: [String: Double] = [
        "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3_600,
    ]

    /// Whole seconds, rounded down.
    static func seconds(_ text: String) throws(CronError) -> Int64 {
        let quoted = FieldErrors.quoted(text)
        let invalid = CronError(description: "time: invalid duration \(quoted)")
        var rest = Substring(text)
        let isNegative = rest.first == "-"
        if rest.first == "-" || rest.first == "+" { rest = rest.dropFirst() }
        if rest == "0" { return 0 }
        guard !rest.isEmpty else { throw invalid }
        var total = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { $0 == "." || ("0"..."9").contains($0) }
            rest = rest.dropFirst(digits.count)
            let isPlain = digits.contains { $0 != "." } && digits.filter { $0 == "." }.count <= 1
            guard isPlain, let value = Double("0\(digits)\(digits.contains(".") ? "0" : "")") else { throw invalid }
            let unit = String(rest.prefix { $0 != "." && !("0"..."9").contains($0) })
            rest = rest.dropFirst(unit.count)
            guard !unit.isEmpty else { throw CronError(description: "time: missing unit in duration \(quoted)") }
            guard let size = units[unit] else {
                throw CronError(description: "time: unknown unit \(FieldErrors.quoted(unit)) in duration \(quoted)")
            }
            total += value * size
        }
        guard total < 9.2e9 else { throw invalid }
        return Int64(isNegative ? -total : total)
    }
}
