// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// One 512-byte header block.
struct TarHeader {
    private let block: [UInt8]

    init(_ block: [UInt8]) { self.block = block }

    var isZero: Bool { block.allSatisfy { $0 == 0 } }
    var type: UInt8 { block[156] }

    private var isPOSIX: Bool { block[257..<263].elementsEqual("ustar\0".utf8) }

    /// Throws where the checksum does not fit; old writers summed signed bytes.
    func check() throws {
        let stated = try number(148..<156, "checksum")
        var unsigned = 0
        var signed = 0
        for (index, byte) in block.enumerated() {
            let counted = (148..<156).contains(index) ? 0x20 : byte
            unsigned += Int(counted)
            signed += Int(Int8(bitPattern: counted))
        }
        guard stated == unsigned || stated == signed else { throw LayerError("a header's checksum is wrong") }
    }

    func size() throws -> Int {
        let size = try number(124..<136, "size")
        guard (0..<TarExtensions.sizeLimit).contains(size) else { throw LayerError("a member's size is impossible") }
        return size
    }

    /// The member, with the records collected for it applied.
    func entry(with extensions: inout TarExtensions) throws -> TarEntry {
        let records = extensions.takeRecords()
        if let sparse = records.keys.first(where: { $0.hasPrefix("GNU.sparse.") }) {
            throw LayerError("sparse members are not supported (\(sparse))")
        }
        var entry = TarEntry(kind: try kind(), path: "")
        // A long name of an extended header stands in for a field that may be cut inside a character.
        if records["path"] == nil { entry.path = try name() }
        if records["linkpath"] == nil { entry.target = try text(157..<257) }
        entry.mode = UInt32(truncatingIfNeeded: try number(100..<108, "mode")) & 0o7777
        entry.user = try identifier(number(108..<116, "uid"))
        entry.group = try identifier(number(116..<124, "gid"))
        entry.size = try size()
        entry.seconds = Int64(try number(136..<148, "mtime"))
        try apply(records, to: &entry)
        // V7 archives mark folders by the name alone.
        if type == 0, entry.path.hasSuffix("/") { entry.kind = .folder }
        // Only files carry content, whatever size the header of another kind states.
        if entry.kind != .file { entry.size = 0 }
        return entry
    }

    private func kind() throws -> TarEntry.Kind {
        switch type {
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): return .file
        case UInt8(ascii: "1"): return .hardLink
        case UInt8(ascii: "2"): return .symbolicLink
        case UInt8(ascii: "3"): return .characterDevice
        case UInt8(ascii: "4"): return .blockDevice
        case UInt8(ascii: "5"): return .folder
        case UInt8(ascii: "6"): return .fifo
        case UInt8(ascii: "S"): throw LayerError("sparse members are not supported")
        default: throw LayerError("members of type '\(Character(UnicodeScalar(type)))' are not supported")
        }
    }

    private func apply(_ records: [String: [UInt8]], to entry: inout TarEntry) throws {
        for (key, value) in records {
            switch key {
            case "path": entry.path = try Self.name(value)
            case "linkpath": entry.target = try Self.name(value)
            case "size": entry.size = try Self.decimal(value, "size")
            case "uid": entry.user = try identifier(Self.decimal(value, "uid"))
            case "gid": entry.group = try identifier(Self.decimal(value, "gid"))
            case "mtime": (entry.seconds, entry.nanoseconds) = try Self.moment(value)
            default:
                let prefix = "SCHILY.xattr."
                if key.hasPrefix(prefix) { entry.attributes[String(key.dropFirst(prefix.count))] = value }
            }
        }
        guard (0..<TarExtensions.sizeLimit).contains(entry.size) else {
            throw LayerError("the size of '\(entry.path)' is impossible")
        }
    }

    private func name() throws -> String {
        let name = try text(0..<100)
        let prefix = isPOSIX ? try text(345..<500) : ""
        return prefix.isEmpty ? name : "\(prefix)/\(name)"
    }

    /// Names are bytes to the kernel; ones that are not UTF-8 could not be written back as they were.
    private static func name(_ bytes: [UInt8]) throws -> String {
        guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else {
            throw LayerError("a name is not UTF-8 or has a zero byte in it")
        }
        return text
    }

    private func text(_ range: Range<Int>) throws -> String { try Self.name(Array(block[range].prefix { $0 != 0 })) }

    private func identifier(_ number: Int) throws -> UInt32 {
        guard let id = UInt32(exactly: number), id != .max else {
            throw LayerError("the owner \(number) is impossible")
        }
        return id
    }

    /// Octal digits between blanks, or GNU's base 256.
    private func number(_ range: Range<Int>, _ field: String) throws -> Int {
        let bytes = block[range]
        if let first = bytes.first, first & 0x80 != 0 { return try base256(bytes, field) }
        let digits = bytes.drop { $0 == 0x20 || $0 == 0 }.prefix { $0 != 0x20 && $0 != 0 }
        guard digits.allSatisfy({ (0x30...0x37).contains($0) }) else {
            throw LayerError("a header's \(field) is no number")
        }
        return digits.reduce(0) { $0 << 3 | Int($1 - 0x30) }
    }

    private func base256(_ bytes: ArraySlice<UInt8>, _ field: String) throws -> Int {
        let isNegative = (bytes.first ?? 0) & 0x40 != 0
        var value = isNegative ? -1 : 0
        for (index, byte) in bytes.enumerated() {
            let (product, isOver) = value.multipliedReportingOverflow(by: 256)
            guard !isOver else { throw LayerError("a header's \(field) is too large") }
            let part = index == 0 ? (isNegative ? byte | 0x80 : byte & 0x7F) : byte
            value = product | Int(part)
        }
        return value
    }

    private static func decimal(_ bytes: [UInt8], _ field: String) throws -> Int {
        guard let number = Int(String(decoding: bytes, as: UTF8.self)) else {
            throw LayerError("an extended header's \(field) is no number")
        }
        return number
    }

    /// Seconds with any number of decimals, also before 1970.
    private static func moment(_ bytes: [UInt8]) throws -> (Int64, Int64) {
        let text = String(decoding: bytes, as: UTF8.self)
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first.flatMap({ Int64($0) }) else { throw LayerError("a member's mtime is no number") }
        let digits = parts.count > 1 ? parts[1].prefix(9) : ""
        guard digits.allSatisfy({ $0.isASCII && $0.isNumber }) else {
            throw LayerError("a member's mtime is no number")
        }
        let scaled = String(digits) + String(repeating: "0", count: 9 - digits.count)
        let nanoseconds = Int64(scaled) ?? 0
        guard text.hasPrefix("-"), nanoseconds > 0 else { return (whole, nanoseconds) }
        return (whole - 1, 1_000_000_000 - nanoseconds)
    }
}
