// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation

/// How long a server asks us to wait: seconds, or a date (RFC 9110, section 10.2.3).
enum RetryAfter {
    /// `date` is the answer's own `Date`, so that a wrong clock here does not count.
    static func wait(_ text: String?, date: String?) -> Duration? {
        guard let text = text?.trimmingCharacters(in: .whitespaces), !text.isEmpty else { return nil }
        if let seconds = Double(text), seconds >= 0, seconds < 1e9 { return .milliseconds(Int64(seconds * 1000)) }
        guard let until = parse(text) else { return nil }
        let now = date.flatMap(parse) ?? Date()
        return .seconds(max(0, Int64(until.timeIntervalSince(now).rounded(.up))))
    }

    private static func parse(_ text: String) -> Date? {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "GMT")
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return formatter.date(from: text)
    }
}
