// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials

/// The clock of a place: by how many seconds it differs from UTC, and since when.
struct ZoneRules: Sendable {
    /// Moments at which the difference changes, ascending, each with the difference from then on.
    private var changes: [(at: Int64, offset: Int)] = []
    private var first = 0
    /// What holds after the last change.
    private var tail: ZoneTail?

    static let utc = ZoneRules()

    private init() {}

    /// The zone of that name from the machine's time zone database; `nil` for an unknown one.
    init?(named name: String, folder: String = "/usr/share/zoneinfo") {
        if name == "UTC" || name.isEmpty {
            self = .utc
            return
        }
        guard Self.isPlausible(name), let data = FileManager.default.contents(atPath: "\(folder)/\(name)") else {
            return nil
        }
        self.init(parsing: [UInt8](data))
    }

    /// Names are paths below the database's folder, so nothing in them may lead out of it.
    static func isPlausible(_ name: String) -> Bool {
        name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
            let isWord = part.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || [0x2E, 0x2D, 0x5F, 0x2B].contains(byte)
            }
            return isWord && (1...14).contains(part.utf8.count) && part != "." && part != ".." && part.first != "-"
        }
    }

    /// Reads the TZif format (RFC 8536), of the second version or later.
    init?(parsing bytes: [UInt8]) {
        var reader = ZoneReader(bytes: bytes)
        guard let old = reader.header(), old.version >= 0x32 else { return nil }
        reader.skip(old.bodySize(wide: 4))
        guard let header = reader.header() else { return nil }
        let times = (0..<header.times).map { _ in reader.number(8) }
        let kinds = (0..<header.times).map { _ in Int(reader.number(1)) & 0xFF }
        let offsets = (0..<header.types).map { _ in
            let offset = Int(reader.number(4))
            reader.skip(2)
            return offset
        }
        reader.skip(header.names + header.leaps * 12 + header.standards + header.universals)
        guard !reader.isShort, !offsets.isEmpty, kinds.allSatisfy({ $0 < offsets.count }) else { return nil }
        first = offsets[0]
        changes = zip(times, kinds).map { ($0, offsets[$1]) }
        let footer = reader.rest.split(separator: 0x0A, omittingEmptySubsequences: true).first ?? []
        tail = ZoneTail(String(decoding: footer, as: UTF8.self))
    }

    /// Seconds to add to UTC at that moment.
    func offset(at moment: Int64) -> Int {
        guard let last = changes.last else { return tail?.offset(at: moment) ?? first }
        if moment >= last.at { return tail?.offset(at: moment) ?? last.offset }
        var (low, high) = (0, changes.count)  // how many changes are at or before the moment
        while low < high {
            let middle = (low + high) / 2
            if changes[middle].at <= moment { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? first : changes[low - 1].offset
    }

    func wall(at moment: Int64) -> CivilTime { CivilTime(wallSeconds: moment + Int64(offset(at: moment))) }

    /// When the wall shows that time first; one that is skipped is taken as the end of the gap.
    func moment(of wall: CivilTime) -> Int64 {
        let seconds = wall.wallSeconds
        let before = offset(at: seconds - 86_400)
        let after = offset(at: seconds + 86_400)
        for offset in [before, after] where self.offset(at: seconds - Int64(offset)) == offset {
            return seconds - Int64(offset)
        }
        return seconds - Int64(before)
    }
}

/// Reads big-endian numbers; past the end everything is zero and `isShort` says so.
private struct ZoneReader {
    struct Header {
        var version: UInt8
        var universals: Int
        var standards: Int
        var leaps: Int
        var times: Int
        var types: Int
        var names: Int

        func bodySize(wide: Int) -> Int {
            times * (wide + 1) + types * 6 + names + leaps * (wide + 4) + standards + universals
        }
    }

    let bytes: [UInt8]
    var place = 0
    var isShort = false

    init(bytes: [UInt8]) { self.bytes = bytes }

    var rest: ArraySlice<UInt8> { bytes[min(place, bytes.count)...] }

    mutating func skip(_ count: Int) {
        place += count
        if place > bytes.count { isShort = true }
    }

    mutating func number(_ width: Int) -> Int64 {
        guard !isShort, place + width <= bytes.count else {
            isShort = true
            return 0
        }
        var value: UInt64 = bytes[place] & 0x80 != 0 ? .max : 0
        for byte in bytes[place..<place + width] { value = value << 8 | UInt64(byte) }
        place += width
        return Int64(bitPattern: value)
    }

    mutating func header() -> Header? {
        guard bytes.count >= place + 44, bytes[place..<place + 4].elementsEqual("TZif".utf8) else { return nil }
        let version = bytes[place + 4]
        skip(20)
        let counts = (0..<6).map { _ in Int(number(4)) }
        // No zone has more than some hundreds of anything; what claims so is broken.
        guard counts.allSatisfy({ (0...65_536).contains($0) }) else { return nil }
        return Header(
            version: version,
            universals: counts[0],
            standards: counts[1],
            leaps: counts[2],
            times: counts[3],
            types: counts[4],
            names: counts[5]
        )
    }
}
