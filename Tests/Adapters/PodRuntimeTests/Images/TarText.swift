// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

@testable import PodRuntime

/// Writes archives for tests, right and wrong ones alike: nothing is checked.
struct TarText {
    private(set) var bytes: [UInt8] = []

    /// One member; `type` is the header's letter.
    mutating func add(
        _ path: String,
        type: Character = "0",
        target: String = "",
        mode: Int = 0o644,
        user: Int = 0,
        group: Int = 0,
        content: String = "",
        size: Int? = nil,
        seconds: Int = 1_000_000_000
    ) {
        let data = Array(content.utf8)
        bytes += Self.header(
            path,
            type: type,
            target: target,
            mode: mode,
            user: user,
            group: group,
            size: size ?? data.count,
            seconds: seconds
        )
        bytes += data + [UInt8](repeating: 0, count: (512 - data.count % 512) % 512)
    }

    /// A pax header for the next member.
    mutating func pax(_ records: [(String, String)], type: Character = "x") {
        let text = records.map { Self.record($0.0, $0.1) }.joined()
        add("PaxHeaders/x", type: type, content: text)
    }

    mutating func raw(_ more: [UInt8]) { bytes += more }

    /// The archive with its end mark.
    var closed: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

    static func record(_ key: String, _ value: String) -> String {
        let rest = " \(key)=\(value)\n".utf8.count
        var length = rest + 1
        while String(length).utf8.count + rest != length { length = String(length).utf8.count + rest }
        return "\(length) \(key)=\(value)\n"
    }

    static func header(
        _ path: String,
        type: Character,
        target: String,
        mode: Int,
        user: Int,
        group: Int,
        size: Int,
        seconds: Int
    ) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, _ offset: Int, _ width: Int) {
            for (index, byte) in text.utf8.prefix(width).enumerated() { block[offset + index] = byte }
        }
        func octal(_ number: Int, _ digits: Int) -> String {
            let text = String(number, radix: 8)
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        put(path, 0, 100)
        put(octal(mode, 7), 100, 8)
        put(octal(user, 7), 108, 8)
        put(octal(group, 7), 116, 8)
        put(octal(size, 11), 124, 12)
        put(octal(seconds, 11), 136, 12)
        put(String(type), 156, 1)
        put(target, 157, 100)
        put("ustar\u{0}00", 257, 8)
        put("        ", 148, 8)
        let sum = block.reduce(0) { $0 + Int($1) }
        put(octal(sum, 6) + "\u{0} ", 148, 8)
        return block
    }
}

/// Remembers what an archive held.
struct TarLog: TarSink {
    var entries: [TarEntry] = []
    var contents: [String] = []
    private var content: [UInt8] = []

    mutating func begin(_ entry: TarEntry) throws {
        entries.append(entry)
        content = []
    }

    mutating func write(_ bytes: Span<UInt8>) throws { for index in bytes.indices { content.append(bytes[index]) } }
    mutating func end() throws { contents.append(String(decoding: content, as: UTF8.self)) }

    /// Reads an archive in pieces of that many bytes.
    static func read(_ bytes: [UInt8], pieces: Int = 4096) throws -> TarLog {
        var log = TarLog()
        var reader = TarReader()
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            try reader.feed(bytes[start..<min(start + pieces, bytes.count)].span, to: &log)
        }
        try reader.finish()
        return log
    }
}
