// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Why bytes are no ELF file that a loader would take, and where.
struct ELFError: Error, Equatable, CustomStringConvertible {
    enum Reason: String, Sendable {
        case notELF = "is no ELF program"
        case otherClass = "is not a 64-bit little-endian ELF file"
        case otherKind = "is an ELF file but neither a program nor a shared library"
        case badTable = "has a damaged ELF header table"
        case badDynamic = "has a damaged ELF dynamic section"
        case badString = "has a damaged ELF string"
        case truncated = "is a truncated ELF file"
    }

    var reason: Reason
    /// Byte offset into the file.
    var offset: Int

    init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    var description: String { "\(reason.rawValue) (at byte \(offset))" }
}
