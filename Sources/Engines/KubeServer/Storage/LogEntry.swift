// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import GRDB

/// One row of the log.
struct LogEntry: Sendable {
    var object: StoredObject
    var isDeleted: Bool
    /// The version this one replaces; zero for none.
    var previous: Revision

    init(_ object: StoredObject, isDeleted: Bool, previous: Revision) {
        self.object = object
        self.isDeleted = isDeleted
        self.previous = previous
    }

    /// Reads a row and checks it against its checksum: SQLite itself would not notice a changed byte in a value.
    init(_ row: Row, file: String) throws {
        let value: Data = row["value"]
        object = StoredObject(
            key: row["key"],
            value: Array(value),
            revision: Revision(row["revision"]),
            created: Revision(row["created"])
        )
        isDeleted = row["deleted"]
        previous = Revision(row["previous"])
        let stored: Int64 = row["checksum"]
        guard stored == checksum else {
            throw LogDatabase.damaged(
                file,
                "revision \(object.revision), key '\(object.key)', does not fit its checksum"
            )
        }
    }

    /// FNV-1a over all of the row, 64 bits.
    var checksum: Int64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        for number in [object.revision.number, previous.number, object.created.number, isDeleted ? 1 : 0] {
            for shift in stride(from: 0, to: 64, by: 8) { add(UInt8(truncatingIfNeeded: number >> shift)) }
        }
        for byte in object.key.utf8 { add(byte) }
        add(0xFF)
        for byte in object.value { add(byte) }
        return Int64(bitPattern: hash)
    }
}
