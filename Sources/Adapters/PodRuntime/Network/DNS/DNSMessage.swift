// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// A question as it arrived.
struct DNSQuery: Sendable {
    enum Refusal: UInt8, Error { case format = 1, notImplemented = 4, badVersion = 16 }

    var id: UInt16
    var wantsRecursion: Bool
    var name: DNSName
    var type: DNSType
    /// The question section, to be sent back unchanged.
    var question: [UInt8]
    /// How long an answer by UDP may be; `nil` where the client does not speak EDNS.
    var payload: Int?

    static let headerSize = 12

    /// Reads a message; `nil` where it deserves no answer at all: too short, or an answer itself.
    static func read(_ bytes: [UInt8]) -> Result<DNSQuery, Refusal>? {
        guard bytes.count >= headerSize, bytes[2] & 0x80 == 0 else { return nil }
        guard bytes[2] & 0x78 == 0 else { return .failure(.notImplemented) }
        func short(_ offset: Int) -> UInt16 { UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1]) }
        guard short(4) == 1, short(6) == 0, short(8) == 0 else { return .failure(.format) }
        var offset = headerSize
        guard let labels = labels(bytes, &offset), offset + 4 <= bytes.count else { return .failure(.format) }
        var query = DNSQuery(
            id: short(0),
            wantsRecursion: bytes[2] & 1 != 0,
            name: DNSName(labels),
            type: DNSType(number: short(offset)),
            question: Array(bytes[headerSize..<offset + 4])
        )
        guard short(offset + 2) == 1 || short(offset + 2) == 255 else { return .failure(.notImplemented) }
        offset += 4
        for _ in 0..<short(10) {
            guard skipName(bytes, &offset), offset + 10 <= bytes.count else { return .failure(.format) }
            let type = short(offset)
            let end = offset + 10 + Int(short(offset + 8))
            guard end <= bytes.count else { return .failure(.format) }
            if type == 41 {
                guard query.payload == nil else { return .failure(.format) }
                query.payload = Int(short(offset + 2))
                guard bytes[offset + 5] == 0 else { return .failure(.badVersion) }
            }
            offset = end
        }
        return .success(query)
    }

    /// A question's name is never compressed.
    private static func labels(_ bytes: [UInt8], _ offset: inout Int) -> [String]? {
        var labels: [String] = []
        let start = offset
        while offset < bytes.count {
            let length = Int(bytes[offset])
            offset += 1
            if length == 0 { return labels }
            guard length <= 63, offset + length <= bytes.count, offset + length - start < 255 else { return nil }
            labels.append(String(decoding: bytes[offset..<offset + length], as: UTF8.self).lowercased())
            offset += length
        }
        return nil
    }

    private static func skipName(_ bytes: [UInt8], _ offset: inout Int) -> Bool {
        while offset < bytes.count {
            let length = Int(bytes[offset])
            if length & 0xC0 == 0xC0 {
                offset += 2
                return offset <= bytes.count
            }
            offset += 1 + length
            if length == 0 { return true }
        }
        return false
    }
}

/// What is to be said to a question.
struct DNSAnswer: Sendable, Equatable {
    enum Code: UInt8 { case ok = 0, serverFailure = 2, noSuchName = 3, refused = 5 }

    var code = Code.ok
    var records: [DNSRecord] = []
    var authority: [DNSRecord] = []
    var additional: [DNSRecord] = []
    var isAuthoritative = true

    /// The message, at most `limit` bytes long: what does not fit is left out, and the answer marked as cut.
    func bytes(to query: DNSQuery, limit: Int) -> [UInt8] {
        let option: [UInt8] =
            query.payload == nil ? [] : [0, 0, 41] + DNSRecord.big(Self.payload) + [0, 0, 0, 0, 0, 0]
        var room = limit - DNSQuery.headerSize - query.question.count - option.count
        var isCut = false
        func fitting(_ records: [DNSRecord], isOptional: Bool = false) -> [[UInt8]] {
            var chosen: [[UInt8]] = []
            for record in records.map({ $0.bytes() }) where !isCut {
                guard record.count <= room else {
                    if !isOptional { isCut = true }
                    break
                }
                room -= record.count
                chosen.append(record)
            }
            return chosen
        }
        let (answers, authorities) = (fitting(records), fitting(authority))
        let extras = fitting(additional, isOptional: true)
        var flags: UInt16 = 0x8080 | UInt16(code.rawValue)
        if isAuthoritative { flags |= 0x0400 }
        if isCut { flags |= 0x0200 }
        if query.wantsRecursion { flags |= 0x0100 }
        let counts = [1, answers.count, authorities.count, extras.count + (option.isEmpty ? 0 : 1)].flatMap {
            DNSRecord.big(UInt16($0))
        }
        let head = DNSRecord.big(query.id) + DNSRecord.big(flags) + counts
        return head + query.question + (answers + authorities + extras).flatMap { $0 } + option
    }

    /// How long a datagram we take.
    static let payload: UInt16 = 1232

    /// A bare header that refuses a message that could not be read.
    static func refusal(_ reason: DNSQuery.Refusal, to bytes: [UInt8]) -> [UInt8] {
        let low = reason.rawValue & 0x0F
        guard reason == .badVersion else { return Array(bytes[0..<2]) + [0x80, low, 0, 0, 0, 0, 0, 0, 0, 0] }
        return Array(bytes[0..<2]) + [0x80, low, 0, 0, 0, 0, 0, 0, 0, 1] + [0, 0, 41] + DNSRecord.big(payload) + [
            1, 0, 0, 0, 0, 0,
        ]
    }
}
