// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import GRDB
import Model

/// The log's tables in SQLite; docs/formats/object-log.md describes them.
///
/// One connection writes, in the order of its queue; a second one reads history, so that readers never wait for a commit.
struct LogDatabase: Sendable {
    let writer: DatabaseQueue
    private let reader: DatabaseQueue
    private let name: String
    private let lock: FileLock?

    /// "Blst", so that another program's database is never taken for ours.
    private static let applicationID: Int32 = 0x426C_7374
    private static let formatVersion: Int32 = 1

    /// Opens or creates the file; `nil` keeps everything in memory.
    init(path: String?) throws(LogError) {
        name = path ?? ":memory:"
        guard let path else {
            lock = nil
            writer = try Self.translating(name) { try DatabaseQueue() }
            reader = writer
            try Self.prepare(writer, name)
            return
        }
        lock = try FileLock(beside: path)
        guard lock != nil else {
            throw .unusable("'\(path)' is in use by another process; stop that one or choose another data folder")
        }
        try WriteAheadCheck.run(beside: path)
        writer = try Self.translating(path) { try DatabaseQueue(path: path, configuration: Configuration()) }
        try Self.prepare(writer, path)
        var readOnly = Configuration()
        readOnly.readonly = true
        reader = try Self.translating(path) { [readOnly] in try DatabaseQueue(path: path, configuration: readOnly) }
    }

    /// Moves everything into the one file and lets go of it. A failure changes nothing: the next opening reads both files.
    func close() {
        if reader !== writer { try? reader.close() }
        try? writer.close()
        lock?.release()
    }

    private static func prepare(_ writer: DatabaseQueue, _ name: String) throws(LogError) {
        try translating(name) {
            try writer.inDatabase { database in
                // WAL with FULL syncs the log file once per commit; GRDB's own WAL setting would lower it to NORMAL.
                try database.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
                try createTables(database, name)
            }
        }
    }

    private static func createTables(_ database: Database, _ name: String) throws {
        let id = try Int32.fetchOne(database, sql: "PRAGMA application_id") ?? 0
        let version = try Int32.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        let isNew = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema") == 0
        guard !isNew else {
            return try database.inTransaction {
                try database.execute(sql: schema); return .commit
            }
        }
        guard id == applicationID else {
            throw LogError.unusable("'\(name)' is a database of another program; choose another data folder")
        }
        guard version == formatVersion else {
            throw LogError.unusable(
                "'\(name)' has format \(version), this program reads format \(formatVersion); use the program that wrote it"
            )
        }
    }

    private static let schema = """
        PRAGMA application_id = \(applicationID);
        PRAGMA user_version = \(formatVersion);
        CREATE TABLE log (
            revision INTEGER PRIMARY KEY,
            key TEXT NOT NULL,
            deleted INTEGER NOT NULL,
            previous INTEGER NOT NULL,
            created INTEGER NOT NULL,
            checksum INTEGER NOT NULL,
            value BLOB NOT NULL
        ) STRICT;
        CREATE TABLE mark (revision INTEGER PRIMARY KEY, time INTEGER NOT NULL) STRICT;
        CREATE TABLE fact (name TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        INSERT INTO fact VALUES ('revision', 0), ('compacted', 0);
        """

    /// Runs `body`; an error becomes a sentence that names the file and the next step.
    private static func translating<T>(_ name: String, _ body: () throws -> T) throws(LogError) -> T {
        do {
            return try body()
        } catch let error as LogError {
            throw error
        } catch {
            throw translate(error, name: name)
        }
    }

    func translate(_ error: any Error) -> LogError { (error as? LogError) ?? Self.translate(error, name: name) }

    private static func translate(_ error: any Error, name: String) -> LogError {
        guard let error = error as? DatabaseError else { return .unusable("'\(name)' cannot be used: \(error)") }
        let said = error.message ?? "SQLite error \(error.extendedResultCode.rawValue)"
        switch error.resultCode {
        case .SQLITE_NOTADB, .SQLITE_CORRUPT:
            return damaged(name, said)
        case .SQLITE_FULL:
            return .unusable("no space left to write '\(name)'; free some space")
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_READONLY, .SQLITE_AUTH:
            return .unusable("cannot open '\(name)' (\(said)); check the data folder's owner and permissions")
        default:
            return .unusable("'\(name)' cannot be used (\(said)); check the disk and start again")
        }
    }

    static func damaged(_ name: String, _ detail: String) -> LogError {
        .unusable(
            "'\(name)' is damaged (\(detail)); put back a copy, or move it and its '-wal' file away to begin anew"
        )
    }
}

// MARK: - Reading

extension LogDatabase {
    struct Content {
        var objects: [StoredObject]
        var revision: Revision
        var compacted: Revision
    }

    /// Reads the whole log, checks every row, and keeps the newest version of every key.
    ///
    /// Above the compacted revision every revision must have its row.
    func load() throws(LogError) -> Content {
        try Self.translating(name) {
            try writer.inDatabase { database in
                let (compacted, noted) = (try fact("compacted", database), try fact("revision", database))
                var newest: [String: StoredObject] = [:]
                var last = compacted
                let rows = try Row.fetchCursor(database, sql: "SELECT \(Self.columns) FROM log ORDER BY revision")
                while let row = try rows.next() {
                    let entry = try LogEntry(row, file: name)
                    if entry.object.revision > compacted {
                        last = last.next
                        guard entry.object.revision == last else {
                            throw Self.damaged(name, "revision \(last) is missing")
                        }
                    }
                    newest[entry.object.key] = entry.isDeleted ? nil : entry.object
                }
                guard last >= noted else { throw Self.damaged(name, "revision \(noted) is missing") }
                let objects = newest.values.sorted { $0.key < $1.key }
                return Content(objects: objects, revision: last, compacted: compacted)
            }
        }
    }

    private static let columns = "revision, key, deleted, previous, created, checksum, value"

    private func version(_ revision: Revision, _ database: Database) throws -> LogEntry {
        let sql = "SELECT \(Self.columns) FROM log WHERE revision = ?"
        let statement = try database.cachedStatement(sql: sql)
        guard let row = try Row.fetchOne(statement, arguments: [revision.number]) else {
            throw Self.damaged(name, "revision \(revision) is missing")
        }
        return try LogEntry(row, file: name)
    }

    /// For each key under a prefix that changed in `after` ..< `through` + 1, the version it had before; `nil` for none.
    func versionsBefore(
        changesAfter after: Revision,
        through: Revision,
        prefix: String
    ) throws(LogError) -> [String: Revision?] {
        let sql =
            "SELECT key, previous FROM log WHERE revision > ? AND revision <= ? AND key >= ? AND key < ? ORDER BY revision"
        return try Self.translating(name) {
            try reader.inDatabase { database in
                let arguments: StatementArguments = [after.number, through.number, prefix, Self.end(of: prefix)]
                var versions: [String: Revision?] = [:]
                let rows = try Row.fetchCursor(database, sql: sql, arguments: arguments)
                while let row = try rows.next() {
                    let (key, previous): (String, Int64) = (row[0], row[1])
                    guard versions[key] == nil else { continue }
                    versions[key] = .some(previous > 0 ? Revision(previous) : nil)
                }
                return versions
            }
        }
    }

    /// The versions written at these revisions.
    func objects(at revisions: [Revision]) throws(LogError) -> [StoredObject] {
        guard !revisions.isEmpty else { return [] }
        return try Self.translating(name) {
            try reader.inDatabase { database in try revisions.map { try version($0, database).object } }
        }
    }

    /// Changes under a prefix above `after` up to and including `through`, oldest first, and the revision read up to:
    /// `limit` events or a few bytes more than `byteLimit`, whichever is reached first.
    func events(
        prefix: String,
        after: Revision,
        through: Revision,
        limit: Int,
        byteLimit: Int
    ) throws(LogError) -> (events: [LogEvent], upTo: Revision) {
        let sql = """
            SELECT l.revision, l.key, l.deleted, l.previous, l.created, l.checksum, l.value, p.value AS before
            FROM log l LEFT JOIN log p ON p.revision = l.previous
            WHERE l.revision > ? AND l.revision <= ? AND l.key >= ? AND l.key < ? ORDER BY l.revision LIMIT ?
            """
        return try Self.translating(name) {
            try reader.inDatabase { database in
                let arguments: StatementArguments = [
                    after.number, through.number, prefix, Self.end(of: prefix), limit,
                ]
                var events: [LogEvent] = []
                var bytes = 0
                let rows = try Row.fetchCursor(database, sql: sql, arguments: arguments)
                while let row = try rows.next() {
                    let entry = try LogEntry(row, file: name)
                    let before: Data? = row["before"]
                    let kind: LogEvent.Kind = entry.isDeleted ? .deleted : before == nil ? .created : .updated
                    events.append(
                        LogEvent(
                            kind,
                            at: entry.object.revision,
                            key: entry.object.key,
                            value: entry.object.value,
                            previous: before.map(Array.init)
                        )
                    )
                    bytes += events.last?.byteCount ?? 0
                    if events.count == limit || bytes >= byteLimit { return (events, entry.object.revision) }
                }
                return (events, through)
            }
        }
    }

    private func fact(_ fact: String, _ database: Database) throws -> Revision {
        let sql = "SELECT number FROM fact WHERE name = ?"
        guard let number = try Int64.fetchOne(database, sql: sql, arguments: [fact]) else {
            throw Self.damaged(name, "it lacks its '\(fact)'")
        }
        return Revision(number)
    }

    /// Above every key with that prefix: keys are ASCII.
    private static func end(of prefix: String) -> String { prefix + "\u{7F}" }
}

// MARK: - Writing, on the writer's queue

extension LogDatabase {
    func append(_ entry: LogEntry, _ database: Database) throws {
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO log (revision, key, deleted, previous, created, checksum, value) VALUES (?, ?, ?, ?, ?, ?, ?)
                """
        )
        try statement.execute(arguments: [
            entry.object.revision.number, entry.object.key, entry.isDeleted, entry.previous.number,
            entry.object.created.number, entry.checksum, Data(entry.object.value),
        ])
    }

    func note(_ mark: CompactionSchedule.Mark, _ database: Database) throws {
        try database.execute(
            sql: "INSERT OR REPLACE INTO mark VALUES (?, ?)",
            arguments: [mark.revision.number, Int64(clamping: mark.time.nanoseconds)]
        )
    }

    /// The last revision known to have been written at or before `time`.
    func revision(at time: Timestamp, _ database: Database) throws -> Revision {
        let sql = "SELECT max(revision) FROM mark WHERE time <= ?"
        return Revision(try Int64.fetchOne(database, sql: sql, arguments: [Int64(clamping: time.nanoseconds)]) ?? 0)
    }

    /// Drops what was superseded or deleted in `from` ..< `through` + 1, and says that history begins after `through`.
    func compact(after from: Revision, through: Revision, newest: Revision, _ database: Database) throws {
        try database.inTransaction(.immediate) {
            let range: StatementArguments = [from.number, through.number]
            try database.execute(
                sql: """
                    DELETE FROM log WHERE revision IN
                    (SELECT previous FROM log WHERE revision > ? AND revision <= ? AND previous > 0)
                    """,
                arguments: range
            )
            try database.execute(
                sql: "DELETE FROM log WHERE revision > ? AND revision <= ? AND deleted",
                arguments: range
            )
            try database.execute(sql: "DELETE FROM mark WHERE revision <= ?", arguments: [through.number])
            try database.execute(
                sql: "UPDATE fact SET number = ? WHERE name = 'compacted'",
                arguments: [through.number]
            )
            try database.execute(
                sql: "UPDATE fact SET number = ? WHERE name = 'revision'",
                arguments: [newest.number]
            )
            return .commit
        }
    }
}
