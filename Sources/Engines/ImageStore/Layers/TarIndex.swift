// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Lists the members of a tar archive without keeping their content: POSIX, pax and GNU's long names.
struct TarIndex {
    struct Member: Hashable {
        var path: LayerPath
        var isFolder: Bool
        /// Where a symbolic link points; `nil` for anything else.
        var link: String?
    }

    private(set) var members: [Member] = []

    private var block: [UInt8] = []
    /// Bytes of content and padding still to pass over.
    private var toSkip = 0
    /// Bytes of an extension's body still to collect.
    private var toCollect = 0
    private var extensionKind: UInt8 = 0
    private var body: [UInt8] = []
    private var longPath: String?
    private var longLink: String?
    private var longSize: Int?

    /// Larger extended headers belong to no archive we know.
    private static let extensionLimit = 1 << 20

    init() { block.reserveCapacity(TarHeader.blockSize) }

    /// Takes the next bytes of the archive.
    mutating func feed(_ bytes: Span<UInt8>) throws {
        var offset = 0
        while offset < bytes.count {
            let rest = bytes.count - offset
            if toCollect > 0 {
                let count = min(toCollect, rest)
                for place in offset..<offset + count { body.append(bytes[place]) }
                toCollect -= count
                offset += count
                if toCollect == 0 { try finishExtension() }
            } else if toSkip > 0 {
                let count = min(toSkip, rest)
                toSkip -= count
                offset += count
            } else {
                let count = min(TarHeader.blockSize - block.count, rest)
                for place in offset..<offset + count { block.append(bytes[place]) }
                offset += count
                guard block.count == TarHeader.blockSize else { continue }
                try readHeader()
                block.removeAll(keepingCapacity: true)
            }
        }
    }

    private mutating func readHeader() throws {
        guard block.contains(where: { $0 != 0 }) else { return }
        guard let size = number(124..<136), size >= 0, size <= Int.max / 4 else {
            throw InflateError(description: "the tar archive has a member without a size")
        }
        let kind = block[156]
        if [UInt8(ascii: "x"), UInt8(ascii: "g"), UInt8(ascii: "L"), UInt8(ascii: "K")].contains(kind) {
            guard size <= Self.extensionLimit else {
                throw InflateError(description: "the tar archive has an extended header of \(size) bytes")
            }
            extensionKind = kind
            toCollect = size
            toSkip = TarHeader.padding(after: size).count
            return
        }
        defer { (longPath, longLink, longSize) = (nil, nil, nil) }
        let full = longSize ?? size
        let hasContent = kind == 0 || (0x30...0x37).contains(kind) && ![0x31, 0x32, 0x35].contains(kind)
        toSkip = hasContent ? full + TarHeader.padding(after: full).count : 0
        let path = LayerPath.normalising(longPath ?? shortPath).path
        guard !path.isRoot else { return }
        let link = kind == TarHeader.Kind.link.rawValue ? longLink ?? text(157..<257) : nil
        members.append(Member(path: path, isFolder: kind == TarHeader.Kind.folder.rawValue, link: link))
    }

    private mutating func finishExtension() throws {
        defer { body.removeAll(keepingCapacity: true) }
        switch extensionKind {
        case UInt8(ascii: "L"): longPath = String(decoding: body.prefix { $0 != 0 }, as: UTF8.self)
        case UInt8(ascii: "K"): longLink = String(decoding: body.prefix { $0 != 0 }, as: UTF8.self)
        case UInt8(ascii: "x"): readRecords()
        default: break
        }
    }

    /// `<length> <key>=<value>\n`, over and over; the first malformed record ends the reading.
    private mutating func readRecords() {
        var rest = body[...]
        while let space = rest.firstIndex(of: UInt8(ascii: " ")),
            let length = Int(String(decoding: rest[..<space], as: UTF8.self)), length > space - rest.startIndex + 1,
            length <= rest.count
        {
            let record = rest[(space + 1)..<(rest.startIndex + length - 1)]
            rest = rest.dropFirst(length)
            guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else { return }
            let value = String(decoding: record[(equals + 1)...], as: UTF8.self)
            switch String(decoding: record[..<equals], as: UTF8.self) {
            case "path": longPath = value
            case "linkpath": longLink = value
            case "size": longSize = Int(value).flatMap { (0...Int.max / 4).contains($0) ? $0 : nil }
            default: break
            }
        }
    }

    // MARK: fields

    private var shortPath: String {
        let isPOSIX = block[257..<262].elementsEqual("ustar".utf8) && block[262] == 0
        let prefix = isPOSIX ? text(345..<500) : ""
        return prefix.isEmpty ? text(0..<100) : "\(prefix)/\(text(0..<100))"
    }

    private func text(_ range: Range<Int>) -> String {
        String(decoding: block[range].prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Octal digits, or GNU's big-endian bytes after a first byte of 0x80.
    private func number(_ range: Range<Int>) -> Int? {
        guard block[range.lowerBound] & 0x80 == 0 else {
            let bytes = block[range].dropFirst()
            guard bytes.dropLast(7).allSatisfy({ $0 == 0 }) else { return nil }
            return bytes.suffix(7).reduce(0) { $0 << 8 | Int($1) }
        }
        let digits = text(range).filter { $0 != " " }
        return digits.isEmpty ? 0 : Int(digits, radix: 8)
    }
}
