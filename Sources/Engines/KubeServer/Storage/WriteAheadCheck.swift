// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials

/// Finds damage in SQLite's write-ahead file that SQLite itself would pass over in silence.
///
/// SQLite reads the file up to the first frame whose checksum is wrong and forgets the rest, since a crash may leave the
/// last transaction torn. But each commit is synced before the next one begins, so at most one transaction can be torn:
/// where two or more commits follow the first bad frame, acknowledged writes would be lost.
enum WriteAheadCheck {
    private static let headerSize = 32
    private static let frameHeaderSize = 24
    private static let defaultPageSize = 4096

    static func run(beside path: String) throws(LogError) {
        let file = "\(path)-wal"
        guard FileManager.default.fileExists(atPath: file) else { return }
        guard let data = FileManager.default.contents(atPath: file) else {
            throw .unusable("cannot read '\(file)'; check the data folder's owner and permissions")
        }
        let lost = commitsAfterDamage([UInt8](data))
        guard lost < 2 else {
            throw LogDatabase.damaged(path, "its '-wal' file has a bad frame with \(lost) commits after it")
        }
    }

    /// How many commits of the file's present generation lie at or after its first bad frame.
    ///
    /// Frames of an earlier generation may follow the present ones; their salts differ.
    static func commitsAfterDamage(_ bytes: [UInt8]) -> Int {
        guard bytes.count >= headerSize + frameHeaderSize else { return 0 }
        var sum = Checksum(isBigEndian: word(bytes, 0) & 1 == 1)
        sum.add(bytes[0..<24])
        var isDamaged = !sum.isEqual(to: bytes, at: 24)
        let pageSize = isDamaged ? defaultPageSize : Int(word(bytes, 8))
        guard pageSize >= 512, pageSize <= 65536 else { return 0 }
        let frameSize = frameHeaderSize + pageSize
        // A header that is damaged itself cannot be asked for the salts.
        let salts = isDamaged ? bytes[(headerSize + 8)..<(headerSize + 16)] : bytes[16..<24]

        var lost = 0
        for start in stride(from: headerSize, through: bytes.count - frameSize, by: frameSize) {
            let isOurs = bytes[(start + 8)..<(start + 16)] == salts
            if !isDamaged {
                sum.add(bytes[start..<(start + 8)])
                sum.add(bytes[(start + frameHeaderSize)..<(start + frameSize)])
                isDamaged = !isOurs || !sum.isEqual(to: bytes, at: start + 16)
            }
            if isDamaged, isOurs, word(bytes, start + 4) != 0 { lost += 1 }
        }
        return lost
    }

    private static func word(_ bytes: [UInt8], _ at: Int) -> UInt32 {
        bytes[at..<(at + 4)].reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The running checksum of SQLite's file format, section 4.2.
    private struct Checksum {
        let isBigEndian: Bool
        private var first: UInt32 = 0
        private var second: UInt32 = 0

        init(isBigEndian: Bool) { self.isBigEndian = isBigEndian }

        mutating func add(_ bytes: ArraySlice<UInt8>) {
            var at = bytes.startIndex
            while at + 8 <= bytes.endIndex {
                first = first &+ word(bytes, at) &+ second
                second = second &+ word(bytes, at + 4) &+ first
                at += 8
            }
        }

        private func word(_ bytes: ArraySlice<UInt8>, _ at: Int) -> UInt32 {
            let (a, b) = (UInt32(bytes[at]), UInt32(bytes[at + 1]))
            let (c, d) = (UInt32(bytes[at + 2]), UInt32(bytes[at + 3]))
            return isBigEndian ? a << 24 | b << 16 | c << 8 | d : d << 24 | c << 16 | b << 8 | a
        }

        /// Stored checksums are big-endian always.
        func isEqual(to bytes: [UInt8], at start: Int) -> Bool {
            WriteAheadCheck.word(bytes, start) == first && WriteAheadCheck.word(bytes, start + 4) == second
        }
    }
}
