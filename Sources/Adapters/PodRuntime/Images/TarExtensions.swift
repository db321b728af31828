// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// The extended headers seen since the last member: pax records and GNU's long names.
struct TarExtensions {
    /// From `g` headers; they stay in force.
    private var defaults: [String: [UInt8]] = [:]
    /// For the next member alone.
    private var records: [String: [UInt8]] = [:]

    static let sizeLimit = 1 << 50

    /// Whether nothing is waiting for a member.
    var isEmpty: Bool { records.isEmpty }

    mutating func read(_ kind: UInt8, _ bytes: [UInt8]) throws {
        switch kind {
        case UInt8(ascii: "L"): records["path"] = Array(bytes.prefix { $0 != 0 })
        case UInt8(ascii: "K"): records["linkpath"] = Array(bytes.prefix { $0 != 0 })
        case UInt8(ascii: "g"): try Self.parse(bytes, into: &defaults)
        default: try Self.parse(bytes, into: &records)
        }
    }

    mutating func takeRecords() -> [String: [UInt8]] {
        defer { records = [:] }
        return defaults.merging(records) { $1 }.filter { !$0.value.isEmpty }
    }

    /// Records are `<length> <key>=<value>\n`, where the length counts the whole record.
    private static func parse(_ bytes: [UInt8], into records: inout [String: [UInt8]]) throws {
        let damaged = LayerError("an extended header is damaged")
        var start = 0
        while start < bytes.count {
            guard let space = bytes[start...].prefix(20).firstIndex(of: 0x20),
                let length = Int(String(decoding: bytes[start..<space], as: UTF8.self)),
                length > space - start + 1, length <= bytes.count - start, bytes[start + length - 1] == 0x0A,
                let equals = bytes[space..<start + length].firstIndex(of: 0x3D)
            else { throw damaged }
            guard let key = String(validating: bytes[(space + 1)..<equals], as: UTF8.self), !key.isEmpty else {
                throw damaged
            }
            // An empty value takes a default back.
            records[key] = Array(bytes[(equals + 1)..<(start + length - 1)])
            start += length
        }
    }
}
