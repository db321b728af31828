// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Why a schedule cannot be read, in the words clients know.
struct CronError: Error, Sendable, Hashable, CustomStringConvertible {
    var description: String
}

/// The values one field of a schedule names, as bits.
struct CronField: Sendable, Hashable {
    var bits: UInt64 = 0
    /// The field says nothing in particular: `*` or `?`.
    var isStar = false

    func contains(_ value: Int) -> Bool { bits & (1 << UInt64(value)) != 0 }

    /// What a field may hold.
    struct Range: Sendable {
        var low: Int
        var high: Int
        var names: [String] = []

        static let minute = Range(low: 0, high: 59)
        static let hour = Range(low: 0, high: 23)
        static let day = Range(low: 1, high: 31)
        static let month = Range(
            low: 1,
            high: 12,
            names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        )
        static let weekday = Range(low: 0, high: 6, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"])

        /// A number, or a name that stands for one.
        fileprivate func value(_ text: String) throws(CronError) -> Int {
            if let place = names.firstIndex(of: text.lowercased()) { return low + place }
            return try CronField.number(text)
        }
    }

    static func every(_ range: Range) -> CronField {
        var field = CronField(isStar: true)
        field.add(range.low, range.high, 1)
        return field
    }

    init(_ values: Int...) { for value in values { bits |= 1 << UInt64(value) } }

    init(isStar: Bool) { self.isStar = isStar }

    /// A list of `*`, `N` and `N-M`, each with an optional `/STEP`.
    init(_ text: String, _ range: Range) throws(CronError) {
        for item in text.split(separator: ",") { try add(String(item), range) }
    }

    private mutating func add(_ item: String, _ range: Range) throws(CronError) {
        let parts = item.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        let isAny = ends[0] == "*" || ends[0] == "?"
        var (start, end) = (range.low, range.high)
        if !isAny {
            start = try range.value(ends[0])
            guard ends.count <= 2 else { throw CronError(description: "too many hyphens: \(item)") }
            end = ends.count == 2 ? try range.value(ends[1]) : start
        }
        var step = 1
        guard parts.count <= 2 else { throw CronError(description: "too many slashes: \(item)") }
        if parts.count == 2 {
            step = try Self.number(parts[1])
            if ends.count == 1 { end = range.high }
        }
        try Self.check(start, end, step, range, item)
        if isAny, step == 1 { isStar = true }
        add(start, end, step)
    }

    private static func check(
        _ start: Int,
        _ end: Int,
        _ step: Int,
        _ range: Range,
        _ item: String
    ) throws(CronError) {
        func refuse(_ text: String) -> CronError { CronError(description: "\(text): \(item)") }
        if start < range.low { throw refuse("beginning of range (\(start)) below minimum (\(range.low))") }
        if end > range.high { throw refuse("end of range (\(end)) above maximum (\(range.high))") }
        if start > end { throw refuse("beginning of range (\(start)) beyond end of range (\(end))") }
        if step == 0 { throw refuse("step of range should be a positive number") }
    }

    private mutating func add(_ start: Int, _ end: Int, _ step: Int) {
        for value in stride(from: start, through: end, by: step) { bits |= 1 << UInt64(value) }
    }

    private static func number(_ text: String) throws(CronError) -> Int {
        let digits = text.first == "+" || text.first == "-" ? text.dropFirst() : Substring(text)
        let isNumber = !digits.isEmpty && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
        guard isNumber, let value = Int(text) else {
            let problem = isNumber ? "value out of range" : "invalid syntax"
            let quoted = FieldErrors.quoted(text)
            throw CronError(
                description: "failed to parse int from \(text): strconv.Atoi: parsing \(quoted): \(problem)"
            )
        }
        guard value >= 0 else { throw CronError(description: "negative number (\(value)) not allowed: \(text)") }
        return value
    }
}
