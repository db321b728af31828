// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// What the loader reads of a program or a shared library: its interpreter, the libraries it names and where to look.
///
/// Only the tables needed are read, each offset and count is checked against limits, and nothing in the file can make the
/// reader loop or hold more than a few megabytes.
struct ELFObject: Sendable, Hashable {
    /// `e_machine`.
    var machine: UInt16
    /// The loader the kernel starts; `nil` for a library or a static program.
    var interpreter: String?
    /// `DT_NEEDED`, in order.
    var needed: [String] = []
    var soname: String?
    /// `DT_RPATH`, searched before everything else; ignored where `runpath` exists.
    var rpath: String?
    /// `DT_RUNPATH`.
    var runpath: String?
    /// Whether the loader's default folders are left out (`-z nodefaultlib`).
    var hasNoDefaultFolders = false
    /// The versions a library defines, such as `GLIBC_2.34`.
    var definedVersions: Set<String> = []

    init(reading path: String) throws { self = try ELFReader(FileBytes(path)).read() }

    init(parsing source: some ByteSource) throws { self = try ELFReader(source).read() }

    init(machine: UInt16) { self.machine = machine }
}

/// Reads an ``ELFObject`` out of hostile bytes.
struct ELFReader<Source: ByteSource> {
    private struct Segment {
        var type: UInt32
        var offset: Int
        var address: UInt64
        var size: Int
    }

    private struct Dynamic {
        var tag: UInt64
        var value: UInt64
    }

    private static var segmentLimit: Int { 4096 }
    private static var dynamicLimit: Int { 1 << 20 }
    private static var stringLimit: Int { 1 << 16 }
    private static var versionLimit: Int { 4096 }

    private let source: Source

    init(_ source: Source) { self.source = source }

    func read() throws -> ELFObject {
        let header = try source.read(at: 0, count: 64)
        guard header.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else { throw ELFError(.notELF, at: 0) }
        guard header.count == 64 else { throw ELFError(.truncated, at: header.count) }
        guard header[4] == 2, header[5] == 1 else { throw ELFError(.otherClass, at: 4) }
        let type = header.integer(at: 16, as: UInt16.self)
        guard type == 2 || type == 3 else { throw ELFError(.otherKind, at: 16) }
        var object = ELFObject(machine: header.integer(at: 18, as: UInt16.self))
        let segments = try segments(header)
        if let interpreter = segments.first(where: { $0.type == 3 }) {
            object.interpreter = try string(at: interpreter.offset)
        }
        if let dynamic = segments.first(where: { $0.type == 2 }) {
            try readDynamic(dynamic, segments.filter { $0.type == 1 }, into: &object)
        }
        return object
    }

    private func segments(_ header: [UInt8]) throws -> [Segment] {
        let count = Int(header.integer(at: 56, as: UInt16.self))
        guard count > 0 else { return [] }
        guard header.integer(at: 54, as: UInt16.self) == 56, count <= Self.segmentLimit else {
            throw ELFError(.badTable, at: 54)
        }
        let start = try offset(header.integer(at: 32, as: UInt64.self), at: 32)
        let table = try exactly(count * 56, at: start)
        return try (0..<count).map { place in
            let base = place * 56
            return Segment(
                type: table.integer(at: base, as: UInt32.self),
                offset: try offset(table.integer(at: base + 8, as: UInt64.self), at: start + base + 8),
                address: table.integer(at: base + 16, as: UInt64.self),
                size: try offset(table.integer(at: base + 32, as: UInt64.self), at: start + base + 32)
            )
        }
    }

    private func readDynamic(_ segment: Segment, _ loads: [Segment], into object: inout ELFObject) throws {
        guard segment.size <= Self.dynamicLimit else { throw ELFError(.badDynamic, at: segment.offset) }
        let bytes = try exactly(segment.size, at: segment.offset)
        var entries: [Dynamic] = []
        for base in stride(from: 0, to: bytes.count - 15, by: 16) {
            let tag = bytes.integer(at: base, as: UInt64.self)
            guard tag != 0 else { break }
            entries.append(Dynamic(tag: tag, value: bytes.integer(at: base + 8, as: UInt64.self)))
        }
        func value(_ tag: UInt64) -> UInt64? { entries.last { $0.tag == tag }?.value }
        object.hasNoDefaultFolders = (value(0x6FFF_FFFB) ?? 0) & 0x800 != 0
        guard let tableAddress = value(5) else {
            guard !entries.contains(where: { $0.tag == 1 }) else { throw ELFError(.badDynamic, at: segment.offset) }
            return
        }
        let strings = try fileOffset(tableAddress, loads, at: segment.offset)
        func text(_ index: UInt64?) throws -> String? { try index.map { try string(at: strings, plus: $0) } }
        object.needed = try entries.filter { $0.tag == 1 }.compactMap { try text($0.value) }
        object.soname = try text(value(14))
        object.rpath = try text(value(15))
        object.runpath = try text(value(29))
        if let address = value(0x6FFF_FFFC), let count = value(0x6FFF_FFFD) {
            let start = try fileOffset(address, loads, at: segment.offset)
            object.definedVersions = try versions(at: start, count: count, strings: strings)
        }
    }

    /// Follows the chain of version definitions, at most as many as it claims and we allow.
    private func versions(at start: Int, count: UInt64, strings: Int) throws -> Set<String> {
        var names: Set<String> = []
        var cursor = start
        for _ in 0..<min(count, UInt64(Self.versionLimit)) {
            let definition = try exactly(20, at: cursor)
            let name = try exactly(4, at: cursor + Int(definition.integer(at: 12, as: UInt32.self)))
            names.insert(try string(at: strings, plus: UInt64(name.integer(at: 0, as: UInt32.self))))
            let next = Int(definition.integer(at: 16, as: UInt32.self))
            guard next > 0 else { break }
            cursor += next
        }
        return names
    }

    // MARK: places in the file

    private func offset(_ raw: UInt64, at place: Int) throws(ELFError) -> Int {
        // Half of the range stays free, so that sums of two offsets cannot overflow.
        guard let offset = Int(exactly: raw), offset <= Int.max / 4 else { throw ELFError(.badTable, at: place) }
        return offset
    }

    private func fileOffset(_ address: UInt64, _ loads: [Segment], at place: Int) throws(ELFError) -> Int {
        for load in loads where address >= load.address && address - load.address < UInt64(load.size) {
            return load.offset + Int(address - load.address)
        }
        throw ELFError(.badDynamic, at: place)
    }

    private func exactly(_ count: Int, at offset: Int) throws -> [UInt8] {
        let bytes = try source.read(at: offset, count: count)
        guard bytes.count == count else { throw ELFError(.truncated, at: offset) }
        return bytes
    }

    private func string(at table: Int, plus index: UInt64) throws -> String {
        try string(at: table + (try offset(index, at: table)))
    }

    private func string(at offset: Int) throws -> String {
        var bytes: [UInt8] = []
        while bytes.count < Self.stringLimit {
            let piece = try source.read(at: offset + bytes.count, count: 256)
            let text = piece.prefix { $0 != 0 }
            bytes += text
            guard text.count == piece.count, !piece.isEmpty else {
                guard text.count < piece.count, let string = String(validating: bytes, as: UTF8.self) else { break }
                return string
            }
        }
        throw ELFError(.badString, at: offset)
    }
}

extension [UInt8] {
    /// The little-endian integer at an offset that lies inside.
    func integer<T: FixedWidthInteger & UnsignedInteger>(at offset: Int, as type: T.Type) -> T {
        var value: T = 0
        for place in 0..<MemoryLayout<T>.size { value |= T(self[offset + place]) << T(place * 8) }
        return value
    }
}
