// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// The ranges of bytes that registries' clients ask for and announce.
enum ByteRange {
    /// What a `Range` header asks of a blob of that size (RFC 9110, one range only): the bytes, or all of them where the header
    /// is of a kind that servers may ignore; `nil` where no byte of it exists.
    static func requested(_ header: String?, size: Int) -> Range<Int>?? {
        guard let header, header.hasPrefix("bytes=") else { return .some(nil) }
        let ends = header.dropFirst(6).split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard ends.count == 2 else { return .some(nil) }
        switch (number(ends[0]), number(ends[1])) {
        case (nil, let length?) where ends[0].isEmpty:
            return length > 0 && size > 0 ? .some(max(0, size - length)..<size) : nil
        case (let first?, nil) where ends[1].isEmpty: return first < size ? .some(first..<size) : nil
        case (let first?, let last?) where first <= last:
            return first < size ? .some(first..<min(size, last == .max ? size : last + 1)) : nil
        case (_?, _?): return nil  // the end before the start: nothing to send
        default: return .some(nil)
        }
    }

    /// The first and last byte of an upload's `Content-Range: <first>-<last>` (also written with a leading `bytes `).
    static func announced(_ header: String) throws(RegistryError) -> (first: Int, last: Int) {
        let text = header.hasPrefix("bytes ") ? header.dropFirst(6) : Substring(header)
        let ends = text.prefix { $0 != "/" }.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = number(ends[0]), let last = number(ends[1]), first <= last, last < .max
        else {
            throw RegistryError(.rangeInvalid, "'\(header)' is no range of the form <first>-<last>")
        }
        return (first, last)
    }

    private static func number(_ text: Substring) -> Int? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }
}
