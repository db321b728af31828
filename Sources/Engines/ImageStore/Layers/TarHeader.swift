// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// The 512-byte records of a POSIX tar archive (ustar), with pax records for what does not fit.
///
/// Owner and group are 0 without names, every time is 0, and modes are fixed, so that a header depends on nothing but the
/// entry's path, kind, size and executable bit.
struct TarHeader {
    enum Kind: UInt8 {
        case file = 0x30
        case link = 0x32
        case folder = 0x35
        case pax = 0x78
    }

    static let blockSize = 512
    private static let nameLimit = 100
    /// The largest size eleven octal digits can say.
    private static let sizeLimit = 0o777_7777_7777

    /// The header of one entry, preceded by a pax header where the path, the link or the size needs one.
    static func bytes(path: LayerPath, entry: LayerTree.Entry) -> [UInt8] {
        let name = path.text + (entry == .folder ? "/" : "")
        switch entry {
        case .folder: return records(name, .folder, mode: 0o755)
        case .file(_, let status):
            return records(name, .file, mode: status.isExecutable ? 0o755 : 0o644, size: status.size)
        case .link(let target): return records(name, .link, mode: 0o777, link: target)
        }
    }

    private static func records(_ name: String, _ kind: Kind, mode: Int, size: Int = 0, link: String = "") -> [UInt8] {
        var pax: [UInt8] = []
        if !fits(link) { pax += paxRecord("linkpath", link) }
        if !fits(name) { pax += paxRecord("path", name) }
        if size > sizeLimit { pax += paxRecord("size", String(size)) }
        var output: [UInt8] = []
        if !pax.isEmpty {
            output += block(Array("PaxHeaders.0/entry".utf8), .pax, mode: 0o644, size: pax.count, link: [])
            output += pax
            output += padding(after: pax.count)
        }
        return output
            + block(cut(name), kind, mode: mode, size: size > sizeLimit ? 0 : size, link: cut(link))
    }

    private static func fits(_ text: String) -> Bool {
        text.utf8.count <= nameLimit && text.utf8.allSatisfy { (0x20..<0x7F).contains($0) }
    }

    /// What old readers see of a text that pax carries: it is cut, and bytes outside ASCII are replaced.
    private static func cut(_ text: String) -> [UInt8] {
        text.utf8.prefix(nameLimit).map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "_") }
    }

    /// `<length> <key>=<value>\n`, where the length counts itself.
    private static func paxRecord(_ key: String, _ value: String) -> [UInt8] {
        let rest = " \(key)=\(value)\n"
        var length = rest.utf8.count + 1
        while String(length).utf8.count + rest.utf8.count != length {
            length = String(length).utf8.count + rest.utf8.count
        }
        return Array("\(length)\(rest)".utf8)
    }

    private static func block(_ name: [UInt8], _ kind: Kind, mode: Int, size: Int, link: [UInt8]) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: blockSize)
        func put(_ bytes: some Collection<UInt8>, at offset: Int) {
            block.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        }
        put(name, at: 0)
        put(octal(mode, digits: 7), at: 100)
        put(octal(0, digits: 7), at: 108)
        put(octal(0, digits: 7), at: 116)
        put(octal(size, digits: 11), at: 124)
        put(octal(0, digits: 11), at: 136)
        put([UInt8](repeating: 0x20, count: 8), at: 148)
        put([kind.rawValue], at: 156)
        put(link, at: 157)
        put(Array("ustar\0".utf8) + Array("00".utf8), at: 257)
        put(octal(0, digits: 7), at: 329)
        put(octal(0, digits: 7), at: 337)
        let sum = block.reduce(0) { $0 + Int($1) }
        put(octal(sum, digits: 6) + [0, 0x20], at: 148)
        return block
    }

    private static func octal(_ number: Int, digits: Int) -> [UInt8] {
        let text = String(number, radix: 8)
        return Array(String(repeating: "0", count: digits - text.utf8.count).utf8) + Array(text.utf8)
    }

    /// Zeros up to the next full block.
    static func padding(after count: Int) -> [UInt8] {
        [UInt8](repeating: 0, count: (blockSize - count % blockSize) % blockSize)
    }
}
