// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Records of a name server's reply, taken over into an answer of our own.
enum DNSReply {
    struct Records {
        var code: UInt8
        /// Each with all names written out.
        var answers: [[UInt8]]
    }

    /// The records that answer for `name`, with compressed names written out; `nil` where the reply cannot be read.
    static func answers(_ bytes: [UInt8], for name: DNSName) -> Records? {
        guard bytes.count >= DNSQuery.headerSize, bytes[2] & 0x80 != 0 else { return nil }
        var offset = DNSQuery.headerSize
        for _ in 0..<short(bytes, 4) {
            guard Self.name(bytes, &offset) != nil else { return nil }
            offset += 4
        }
        var answers: [[UInt8]] = []
        for _ in 0..<short(bytes, 6) {
            guard let owner = Self.name(bytes, &offset), offset + 10 <= bytes.count else { return nil }
            let type = short(bytes, offset)
            let fixed = bytes[offset..<offset + 8]
            let start = offset + 10
            let end = start + Int(short(bytes, offset + 8))
            guard end <= bytes.count, let data = data(bytes, start..<end, type) else { return nil }
            answers.append(owner + fixed + DNSRecord.big(UInt16(data.count)) + data)
            offset = end
        }
        return Records(code: bytes[3] & 0x0F, answers: answers)
    }

    /// Our records, then the taken ones.
    static func joined(_ answer: DNSAnswer, _ records: Records, to query: DNSQuery, limit: Int) -> [UInt8] {
        var message = answer.bytes(to: query, limit: limit)
        let option = query.payload == nil ? 0 : 11
        let room = limit - message.count
        let taken = records.answers.reduce(into: [[UInt8]]()) { chosen, record in
            if chosen.reduce(0, { $0 + $1.count }) + record.count <= room { chosen.append(record) }
        }
        if taken.count < records.answers.count { message[2] |= 0x02 }
        message[3] = message[3] & 0xF0 | records.code
        let count = UInt16(answer.records.count + taken.count)
        message.replaceSubrange(6..<8, with: DNSRecord.big(count))
        message.insert(contentsOf: taken.flatMap { $0 }, at: message.count - option)
        return message
    }

    /// Names inside of data are compressed only in the oldest types.
    private static func data(_ bytes: [UInt8], _ range: Range<Int>, _ type: UInt16) -> [UInt8]? {
        var offset = range.lowerBound
        switch DNSType(number: type) {
        case .cname, .ptr, .ns: return name(bytes, &offset)
        case .soa:
            guard let server = name(bytes, &offset), let mail = name(bytes, &offset), offset + 20 <= range.upperBound
            else { return nil }
            return server + mail + bytes[offset..<offset + 20]
        case DNSType(number: 15):  // MX
            offset += 2
            guard offset <= range.upperBound, let host = name(bytes, &offset) else { return nil }
            return bytes[range.lowerBound..<range.lowerBound + 2] + host
        default: return Array(bytes[range])
        }
    }

    private static func short(_ bytes: [UInt8], _ offset: Int) -> UInt16 {
        UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
    }

    /// Reads a name, following pointers back; `nil` for one that never ends or leaves the message.
    private static func name(_ bytes: [UInt8], _ offset: inout Int) -> [UInt8]? {
        var result: [UInt8] = []
        var cursor = offset
        var end: Int?
        var jumps = 0
        while cursor < bytes.count, result.count < 255 {
            let length = Int(bytes[cursor])
            if length == 0 {
                offset = end ?? cursor + 1
                return result + [0]
            }
            if length & 0xC0 == 0xC0 {
                jumps += 1
                guard cursor + 1 < bytes.count, jumps < 64 else { return nil }
                end = end ?? cursor + 2
                cursor = (length & 0x3F) << 8 | Int(bytes[cursor + 1])
                continue
            }
            guard length <= 63, cursor + 1 + length <= bytes.count else { return nil }
            result += bytes[cursor...cursor + length]
            cursor += 1 + length
        }
        return nil
    }
}
