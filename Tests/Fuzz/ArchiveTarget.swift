// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

@testable import PodRuntime

/// Reads a layer's archive at once and in pieces; both must see the same members, or fail both.
func readArchive(_ bytes: [UInt8]) {
    expectSame(members(of: bytes, pieces: 61), members(of: bytes, pieces: max(1, bytes.count)), "the archive in pieces")
}

/// What the archive held; `nil` where it is refused.
private func members(of bytes: [UInt8], pieces: Int) -> [String]? {
    var reader = TarReader()
    var sink = MemberList()
    do {
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            let end = min(start + pieces, bytes.count)
            try reader.feed(bytes.span.extracting(start..<end), to: &sink)
        }
        try reader.finish()
    } catch {
        return nil
    }
    return sink.members
}

private struct MemberList: TarSink {
    var members: [String] = []
    private var written = 0

    mutating func begin(_ entry: TarEntry) throws {
        members.append("\(entry)")
        written = 0
    }

    mutating func write(_ bytes: Span<UInt8>) throws {
        written += bytes.count
    }

    mutating func end() throws {
        members.append("\(written) bytes")
    }
}
