// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Glibc
import ShopKit

/// The cart on disk: a log with one JSON object per line, read from its start at start.
///
/// During a rollout the old and the new pod have the same file open. So every change takes a lock on the
/// folder, reads what others wrote, and only then appends; a reader does without the lock, because it takes
/// whole lines only. A change counts once it is synced. A crash can leave one torn line at the end, which the
/// next change cuts off.
struct CartLog: ~Copyable {
    /// One line.
    struct Record: Codable, Equatable {
        enum Operation: String, Codable {
            case add, remove, clear
        }

        var op: Operation
        var product: String?
        var quantity: Int?
    }

    private let folder: String
    private let lock: Int32
    private var file: Int32
    private var offset = 0
    private(set) var items: [CartItem] = []
    private(set) var lines = 0
    /// Lines that could not be read, and were passed over.
    private(set) var damagedLines = 0
    /// The file is rewritten when it has more lines than this and ten times as many as there are items.
    private let rewriteAbove: Int

    var path: String { "\(folder)/cart.log" }
    var size: Int { offset }

    /// Creates the folder and the files where they are missing.
    static func opened(in folder: String, rewriteAbove: Int = 1000) throws(SystemError) -> CartLog {
        mkdir(folder, 0o755)  // If it cannot be made, opening the lock says why.
        var log = try CartLog(folder: folder, rewriteAbove: rewriteAbove, lock: openFile("\(folder)/cart.lock"))
        try log.reopen()
        try log.syncFolder()  // The file's name must last as well.
        try log.readNewLines()
        return log
    }

    private init(folder: String, rewriteAbove: Int, lock: Int32) {
        self.folder = folder
        self.rewriteAbove = rewriteAbove
        self.lock = lock
        file = -1
    }

    deinit {
        if file >= 0 { close(file) }
        close(lock)
    }

    private static func openFile(_ path: String) throws(SystemError) -> Int32 {
        let file = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw SystemError("open \(path)") }
        return file
    }

    /// Brings `items` up to what is on disk.
    mutating func refresh() throws(SystemError) {
        if try wasReplaced() { try reopen() }
        try readNewLines()
    }

    /// Appends what `decide` makes of the current items, and returns when it is safe on disk.
    mutating func change(_ decide: (borrowing [CartItem]) throws -> Record) throws {
        try acquire()
        defer { flock(lock, LOCK_UN) }
        try refresh()
        try cutTornLine()
        let record = try decide(items)
        if lines > rewriteAbove, lines > 10 * items.count { try rewrite() }
        try append([record])
        try readNewLines()
    }

    private func acquire() throws(SystemError) {
        while flock(lock, LOCK_EX) != 0 {
            guard errno == EINTR else { throw SystemError("lock \(folder)/cart.lock") }
        }
    }

    private func wasReplaced() throws(SystemError) -> Bool {
        var named = stat()
        var opened = stat()
        guard fstat(file, &opened) == 0 else { throw SystemError("stat \(path)") }
        guard stat(path, &named) == 0 else {
            guard errno == ENOENT else { throw SystemError("stat \(path)") }
            return true
        }
        return named.st_ino != opened.st_ino || named.st_dev != opened.st_dev || opened.st_size < offset
    }

    private mutating func reopen() throws(SystemError) {
        let opened = try Self.openFile(path)
        if file >= 0 { close(file) }
        file = opened
        offset = 0
        items = []
        lines = 0
        damagedLines = 0
    }

    private mutating func readNewLines() throws(SystemError) {
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = pread(file, &block, block.count, off_t(offset + bytes.count))
            guard count >= 0 else { throw SystemError("read \(path)") }
            guard count > 0 else { break }
            bytes.append(contentsOf: block[..<count])
        }
        guard let last = bytes.lastIndex(of: UInt8(ascii: "\n")) else { return }
        for line in bytes[...last].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true) { apply(line) }
        offset += last + 1
    }

    private mutating func apply(_ line: ArraySlice<UInt8>) {
        lines += 1
        guard let record = try? JSONDecoder().decode(Record.self, from: Data(line)), items.apply(record) else {
            damagedLines += 1
            return
        }
    }

    /// Only with the lock, when nobody can be in the middle of a line.
    private func cutTornLine() throws(SystemError) {
        var opened = stat()
        guard fstat(file, &opened) == 0 else { throw SystemError("stat \(path)") }
        guard opened.st_size > offset else { return }
        guard ftruncate(file, off_t(offset)) == 0 else { throw SystemError("truncate \(path)") }
    }

    /// A full disk leaves the file as it was.
    private func append(_ records: [Record]) throws {
        var rest = try Self.encoded(records)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                let failure = SystemError("write \(path)")
                ftruncate(file, off_t(offset))
                throw failure
            }
        }
        guard fdatasync(file) == 0 else { throw SystemError("sync \(path)") }
    }

    private static func encoded(_ records: [Record]) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return try records.flatMap { try Array(encoder.encode($0)) + [UInt8(ascii: "\n")] }
    }

    /// The same items in as few lines as can be, in a new file that takes the old one's place at once.
    private mutating func rewrite() throws {
        let records = items.map { Record(op: .add, product: $0.product, quantity: $0.quantity) }
        let temporary = "\(path).new"
        let bytes = try Self.encoded(records)
        let new = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard new >= 0 else { throw SystemError("open \(temporary)") }
        defer { close(new) }
        guard bytes.withUnsafeBytes({ write(new, $0.baseAddress, $0.count) }) == bytes.count, fsync(new) == 0 else {
            let failure = SystemError("write \(temporary)")
            unlink(temporary)
            throw failure
        }
        guard rename(temporary, path) == 0 else { throw SystemError("rename \(temporary)") }
        try syncFolder()
        try reopen()
        try readNewLines()
    }

    private func syncFolder() throws(SystemError) {
        let opened = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard opened >= 0 else { throw SystemError("open \(folder)") }
        defer { close(opened) }
        guard fsync(opened) == 0 else { throw SystemError("sync \(folder)") }
    }
}

extension [CartItem] {
    /// Returns false when the record makes no sense.
    fileprivate mutating func apply(_ record: CartLog.Record) -> Bool {
        switch record.op {
        case .clear:
            removeAll()
        case .remove:
            guard let product = record.product else { return false }
            removeAll { $0.product == product }
        case .add:
            guard let product = record.product, let quantity = record.quantity, quantity > 0 else { return false }
            guard let index = firstIndex(where: { $0.product == product }) else {
                append(CartItem(product: product, quantity: quantity))
                return true
            }
            self[index].quantity += quantity
        }
        return true
    }
}
