// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// The last changes, in memory, so that watches rarely read the disk; bounded by count and by bytes.
///
/// Revisions in it have no gaps, so an event is found by subtraction.
struct RecentEvents: Sendable {
    private var events: [LogEvent] = []
    private var first = 0
    private var byteCount = 0
    /// The revision before the oldest event held.
    private(set) var start: Revision

    private let countLimit: Int
    private let byteLimit: Int

    init(after start: Revision, countLimit: Int = 4096, byteLimit: Int = 8 << 20) {
        self.start = start
        self.countLimit = countLimit
        self.byteLimit = byteLimit
    }

    mutating func append(_ event: LogEvent) {
        events.append(event)
        byteCount += event.byteCount
        while events.count - first > 1, events.count - first > countLimit || byteCount > byteLimit {
            byteCount -= events[first].byteCount
            start = events[first].revision
            events[first] = LogEvent(.progress, at: start)  // lets go of the bytes
            first += 1
        }
        guard first > countLimit else { return }
        events.removeFirst(first)
        first = 0
    }

    /// Events under the prefix above `revision`, and the revision read up to: `limit` of them or a few bytes more than
    /// `pageBytes`, whichever is reached first. `revision` must not be below `start`.
    func events(
        prefix: String,
        after revision: Revision,
        limit: Int,
        pageBytes: Int
    ) -> (events: [LogEvent], upTo: Revision) {
        var found: [LogEvent] = []
        var bytes = 0
        var position = revision
        for event in events[(first + Int(revision.number - start.number))...] {
            position = event.revision
            guard event.key.hasPrefix(prefix) else { continue }
            found.append(event)
            bytes += event.byteCount
            if found.count == limit || bytes >= pageBytes { break }
        }
        return (found, position)
    }
}

extension LogEvent {
    /// What it takes in memory, about.
    var byteCount: Int { value.count + (previous?.count ?? 0) + 128 }
}
