// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// `/etc/ld.so.cache`: where the loader finds a library by name, as `ldconfig` worked it out from `/etc/ld.so.conf`.
///
/// Entries for special processors (`glibc-hwcaps`) are left out: an image has to run on any machine of its architecture.
struct LoaderCache: Sendable {
    private var paths: [String: [String]] = [:]

    /// Paths in the order in which the loader tries them.
    func paths(of library: String) -> [String] { paths[library] ?? [] }

    init() {}

    /// Reads the cache; damaged entries are skipped, and what is no cache at all is empty.
    init(parsing bytes: [UInt8]) {
        let magic = Array("glibc-ld.so.cache1.1".utf8)
        let start = Self.newFormat(in: bytes)
        guard bytes.count >= start + 48, bytes[start..<start + magic.count].elementsEqual(magic) else { return }
        let count = Int(bytes.integer(at: start + 20, as: UInt32.self))
        for place in 0..<min(count, (bytes.count - start - 48) / 24) {
            let entry = start + 48 + place * 24
            let isELF = bytes.integer(at: entry, as: UInt32.self) & 0xFF == 3
            guard isELF, bytes.integer(at: entry + 16, as: UInt64.self) == 0,
                let name = Self.string(in: bytes, at: start + Int(bytes.integer(at: entry + 4, as: UInt32.self))),
                let path = Self.string(in: bytes, at: start + Int(bytes.integer(at: entry + 8, as: UInt32.self)))
            else { continue }
            paths[name, default: []].append(path)
        }
    }

    /// Older systems put a cache in the old format (12-byte entries) before the one that counts.
    private static func newFormat(in bytes: [UInt8]) -> Int {
        guard bytes.count >= 16, bytes.starts(with: Array("ld.so-1.7.0".utf8)) else { return 0 }
        let end = 16 + Int(bytes.integer(at: 12, as: UInt32.self)) * 12
        return (end + 7) / 8 * 8
    }

    private static func string(in bytes: [UInt8], at offset: Int) -> String? {
        guard offset < bytes.count, let end = bytes[offset...].firstIndex(of: 0) else { return nil }
        return String(validating: bytes[offset..<end], as: UTF8.self)
    }
}
