// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The `storageVersionHash` of discovery: the first 8 bytes of SHA-256 over `group/version/kind`, in base64.
enum StorageVersionHash {
    static func text(group: String, version: String, kind: String) -> String {
        Base64.encode(Array(SHA256Digest.of(Array("\(group)/\(version)/\(kind)".utf8)).prefix(8)))
    }
}

/// SHA-256 (FIPS 180-4) for a few dozen short texts; engines link no cryptography library.
enum SHA256Digest {
    private static let constants: [UInt32] = primes(64).map { fraction(Double($0).cubeRoot) }

    static func of(_ message: [UInt8]) -> [UInt8] {
        var state = primes(8).map { fraction(Double($0).squareRoot()) }
        var padded = message + [0x80]
        while padded.count % 64 != 56 { padded.append(0) }
        let bits = UInt64(message.count) * 8
        padded += (0..<8).map { UInt8(truncatingIfNeeded: bits >> UInt64(56 - $0 * 8)) }
        for start in stride(from: 0, to: padded.count, by: 64) {
            compress(padded[start..<start + 64], into: &state)
        }
        return state.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(24 - $0 * 8)) } }
    }

    private static func rotate(_ word: UInt32, _ by: UInt32) -> UInt32 { word >> by | word << (32 - by) }

    private static func compress(_ block: ArraySlice<UInt8>, into state: inout [UInt32]) {
        var words = stride(from: block.startIndex, to: block.endIndex, by: 4).map { place in
            block[place..<place + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
        for index in 16..<64 {
            let low = words[index - 15]
            let high = words[index - 2]
            let first = rotate(low, 7) ^ rotate(low, 18) ^ low >> 3
            let second = rotate(high, 17) ^ rotate(high, 19) ^ high >> 10
            words.append(words[index - 16] &+ first &+ words[index - 7] &+ second)
        }
        var work = state
        for index in 0..<64 {
            let first = rotate(work[4], 6) ^ rotate(work[4], 11) ^ rotate(work[4], 25)
            let choice = work[4] & work[5] ^ ~work[4] & work[6]
            let one = work[7] &+ first &+ choice &+ constants[index] &+ words[index]
            let second = rotate(work[0], 2) ^ rotate(work[0], 13) ^ rotate(work[0], 22)
            let majority = work[0] & work[1] ^ work[0] & work[2] ^ work[1] & work[2]
            work = [one &+ second &+ majority, work[0], work[1], work[2], work[3] &+ one, work[4], work[5], work[6]]
        }
        for index in 0..<8 { state[index] = state[index] &+ work[index] }
    }

    private static func primes(_ count: Int) -> [Int] {
        var found: [Int] = []
        var candidate = 2
        while found.count < count {
            if !found.contains(where: { candidate % $0 == 0 }) { found.append(candidate) }
            candidate += 1
        }
        return found
    }

    /// The first 32 bits behind the point.
    private static func fraction(_ root: Double) -> UInt32 {
        UInt32(truncatingIfNeeded: UInt64((root - root.rounded(.down)) * 4_294_967_296))
    }
}

extension Double {
    /// By Newton's method; exact enough for the 32 bits that SHA-256's constants need.
    fileprivate var cubeRoot: Double {
        var guess = self > 1 ? self.squareRoot() : self
        for _ in 0..<60 { guess -= (guess * guess * guess - self) / (3 * guess * guess) }
        return guess
    }
}
