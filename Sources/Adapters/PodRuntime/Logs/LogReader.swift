// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model
import Ports

/// Reads one run's log back: across rotated files, from an offset, and along with its writer.
///
/// It reads in blocks and holds no more than one of them and an unfinished line.
final class LogReader {
    private let path: String
    private let options: LogOptions
    private let changes: AsyncStream<Void>?
    private var descriptor: Int32 = -1
    private var pending: [UInt8] = []
    private var remaining: Int
    private var isAtLineStart = true
    private var hasStarted = false

    /// `changes` signals that more was written, and ends with the log; `nil` reads what is there.
    init(_ path: String, _ options: LogOptions, changes: AsyncStream<Void>?) {
        self.path = path
        self.options = options
        self.changes = changes
        remaining = options.limitBytes ?? .max
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// The next piece of text; `nil` at the end.
    func next() async -> [UInt8]? {
        guard remaining > 0 else { return nil }
        if !hasStarted { start() }
        while true {
            if let block = readBlock() {
                var output: [UInt8] = []
                render(block, to: &output)
                if output.isEmpty { continue }
                if output.count > remaining { output.removeLast(output.count - remaining) }
                remaining -= output.count
                return output
            }
            if moveOn() { continue }
            guard options.follows, await hasMore() else {
                // The last signal may have come before the last line.
                guard let block = readBlock() else { return nil }
                var output: [UInt8] = []
                render(block, to: &output)
                return output.isEmpty ? nil : output
            }
        }
    }

    /// Waits until more was written; `false` when the log is complete.
    private func hasMore() async -> Bool {
        guard let changes else { return false }
        for await _ in changes { return true }
        return false
    }

    private func start() {
        hasStarted = true
        let files = LogFiles.all(of: path)
        guard let tail = options.tailLines else {
            if let first = files.first { open(first) }
            return
        }
        let (file, offset) = LogTail.start(of: tail, in: files)
        guard let file else { return }
        open(file)
        lseek(descriptor, off_t(offset), SEEK_SET)
    }

    private func open(_ file: String) {
        if descriptor >= 0 { close(descriptor) }
        descriptor = unsafe Glibc.open(file, O_RDONLY | O_CLOEXEC)
    }

    private func readBlock() -> [UInt8]? {
        guard descriptor >= 0 else { return nil }
        let size = 32 * 1024
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = unsafe max(0, read(descriptor, buffer.baseAddress, size))
        }
        return bytes.isEmpty ? nil : bytes
    }

    /// Goes to the file after the one just read to its end; `false` where that was the newest.
    private func moveOn() -> Bool {
        let files = LogFiles.all(of: path)
        guard descriptor >= 0 else {
            guard let first = files.first else { return false }
            open(first)
            return descriptor >= 0
        }
        var current = stat()
        guard unsafe fstat(descriptor, &current) == 0 else { return false }
        let place = files.firstIndex { file in
            var status = stat()
            return unsafe stat(file, &status) == 0 && status.st_ino == current.st_ino
        }
        // A file that rotation removed meanwhile leaves a gap; reading goes on with the oldest that is left.
        let next = place.map { $0 + 1 } ?? 0
        guard next < files.count else { return false }
        open(files[next])
        return descriptor >= 0
    }

    /// Turns lines of the file into what the reader asked for; an unfinished one waits.
    private func render(_ block: [UInt8], to output: inout [UInt8]) {
        var rest = block[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            pending.append(contentsOf: rest[..<end])
            rest = rest[(end + 1)...]
            render(line: pending[...], to: &output)
            pending.removeAll(keepingCapacity: true)
        }
        pending.append(contentsOf: rest)
    }

    private func render(line: ArraySlice<UInt8>, to output: inout [UInt8]) {
        guard let entry = LogEntry(line) else { return }
        if let since = options.since, isAtLineStart {
            guard let time = Timestamp(String(decoding: entry.time, as: UTF8.self)), time >= since else { return }
        }
        if options.hasTimestamps, isAtLineStart {
            output.append(contentsOf: entry.time)
            output.append(0x20)
        }
        output.append(contentsOf: entry.text)
        isAtLineStart = !entry.isPartial
        if !entry.isPartial { output.append(UInt8(ascii: "\n")) }
    }

    /// The end of a log without times: at most so many lines and bytes.
    static func lastText(of path: String, lines: Int, bytes: Int) -> String {
        var options = LogOptions()
        options.tailLines = lines
        let reader = LogReader(path, options, changes: nil)
        reader.start()
        var text: [UInt8] = []
        repeat {
            while let block = reader.readBlock() {
                reader.render(block, to: &text)
                if text.count > bytes { text.removeFirst(text.count - bytes) }
            }
        } while reader.moveOn()
        return String(decoding: text, as: UTF8.self)
    }
}

/// One line of a CRI log: `time stream tag text`.
struct LogEntry {
    var time: ArraySlice<UInt8>
    var stream: ArraySlice<UInt8>
    var isPartial: Bool
    var text: ArraySlice<UInt8>

    init?(_ line: ArraySlice<UInt8>) {
        let parts = line.split(separator: 0x20, maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, let tag = parts[2].first else { return nil }
        time = parts[0]
        stream = parts[1]
        isPartial = tag == UInt8(ascii: "P")
        text = parts[3]
    }
}

/// Where the last lines of a log begin.
enum LogTail {
    /// The file and the offset in it from which `count` whole lines follow; a line's parts count as one.
    static func start(of count: Int, in files: [String]) -> (file: String?, offset: Int) {
        var missing = count
        for (place, file) in files.enumerated().reversed() {
            let (offset, found) = start(of: missing, inFile: file)
            if found >= missing || place == 0 { return (file, offset) }
            missing -= found
        }
        return (nil, 0)
    }

    /// The offset from which at most `count` lines follow in one file, and how many the file has, up to one more than that.
    private static func start(of count: Int, inFile path: String) -> (offset: Int, found: Int) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return (0, 0) }
        defer { close(descriptor) }
        let blockSize = 32 * 1024
        var found = 0
        var lineEnd = Int(lseek(descriptor, 0, SEEK_END))
        var end = lineEnd
        while end > 0 {
            let start = max(0, end - blockSize)
            var block = [UInt8](repeating: 0, count: end - start)
            guard unsafe pread(descriptor, &block, block.count, off_t(start)) == block.count else { return (0, found) }
            for index in block.indices.reversed() where block[index] == UInt8(ascii: "\n") {
                let lineStart = start + index + 1
                guard lineStart < lineEnd else { continue }
                if isWhole(descriptor, from: lineStart) { found += 1 }
                if found > count { return (lineEnd, found) }
                lineEnd = lineStart
            }
            end = start
        }
        if lineEnd > 0, isWhole(descriptor, from: 0) { found += 1 }
        return found > count ? (lineEnd, found) : (0, found)
    }

    /// Whether the line that starts there ends a line of the container, rather than being a part of a longer one.
    private static func isWhole(_ descriptor: Int32, from offset: Int) -> Bool {
        var head = [UInt8](repeating: 0, count: 64)
        let count = unsafe pread(descriptor, &head, head.count, off_t(offset))
        return count <= 0 || LogEntry(head[..<count]).map { !$0.isPartial } ?? true
    }
}
