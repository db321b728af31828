// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// A place in the one global sequence of changes; every write gets the next number, over restarts too.
package struct Revision: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let number: Int64

    package init(_ number: Int64) { self.number = number }

    package static let zero = Revision(0)
    package static func < (left: Revision, right: Revision) -> Bool { left.number < right.number }
    package var description: String { String(number) }

    var next: Revision { Revision(number + 1) }
}

/// One version of what is stored under a key.
package struct StoredObject: Sendable, Equatable {
    package var key: String
    package var value: [UInt8]
    /// When this version was written.
    package var revision: Revision
    /// When the key came into being, after it had been absent.
    package var created: Revision

    package init(key: String, value: [UInt8], revision: Revision, created: Revision) {
        self.key = key
        self.value = value
        self.revision = revision
        self.created = created
    }
}

/// One change, as a watch reports it.
package struct LogEvent: Sendable, Equatable {
    package enum Kind: Sendable { case created, updated, deleted, progress }

    package var kind: Kind
    package var revision: Revision
    /// Empty for `progress`.
    package var key: String
    /// The bytes written; for `deleted` those of the tombstone; empty for `progress`.
    package var value: [UInt8]
    /// The version before; `nil` for `created` and `progress`.
    package var previous: [UInt8]?

    package init(
        _ kind: Kind,
        at revision: Revision,
        key: String = "",
        value: [UInt8] = [],
        previous: [UInt8]? = nil
    ) {
        self.kind = kind
        self.revision = revision
        self.key = key
        self.value = value
        self.previous = previous
    }
}

/// What a writer believes about a key; the write happens only if it is true.
package enum LogExpectation: Sendable, Hashable {
    case absent
    case revision(Revision)
    /// Nothing is expected.
    case any
}

/// The writer's belief was wrong; `current` is what is there, `nil` for nothing.
package struct LogConflict: Error {
    package var current: StoredObject?
}

/// Why the log cannot do what was asked.
package enum LogError: Error, Equatable, CustomStringConvertible {
    /// That part of history is gone; `oldest` is the first revision that can still be read.
    case compacted(oldest: Revision)
    /// That revision has not been written yet.
    case future(current: Revision)
    /// Too many writes wait for the disk.
    case overloaded
    /// Keys are ASCII.
    case badKey(String)
    /// The file cannot be used; the text names it and the next step.
    case unusable(String)
    case closed

    package var description: String {
        switch self {
        case .compacted(let oldest): "history before revision \(oldest) is gone"
        case .future(let current): "that revision is later than the current one, \(current)"
        case .overloaded: "too many writes wait for the disk"
        case .badKey(let key): "the key '\(key)' is empty or not ASCII"
        case .unusable(let text): text
        case .closed: "the object log is closed"
        }
    }
}
