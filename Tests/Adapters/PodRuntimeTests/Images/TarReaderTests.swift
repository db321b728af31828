// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import PodRuntime

@Suite("reading archives")
struct TarReaderTests {
    @Test(arguments: [1, 7, 512, 513, 100_000])
    func membersComeInOrderWhateverThePiecesAre(_ pieces: Int) throws {
        var tar = TarText()
        tar.add("etc/", type: "5", mode: 0o755)
        tar.add("etc/a", mode: 0o4755, user: 1000, group: 100, content: String(repeating: "x", count: 1300))
        tar.add("etc/b", type: "2", target: "../a")
        tar.add("etc/c", type: "1", target: "etc/a", size: 1300)
        tar.add("empty")
        let log = try TarLog.read(tar.closed, pieces: pieces)
        #expect(log.entries.map(\.path) == ["etc/", "etc/a", "etc/b", "etc/c", "empty"])
        #expect(log.entries.map(\.kind) == [.folder, .file, .symbolicLink, .hardLink, .file])
        #expect(log.contents.map(\.utf8.count) == [0, 1300, 0, 0, 0])
        #expect(log.entries[1].mode == 0o4755)
        #expect(log.entries[1].user == 1000)
        #expect(log.entries[2].target == "../a")
    }

    @Test func extendedHeadersReplaceWhatIsTooLongOrTooLarge() throws {
        let long = String(repeating: "deep/", count: 40) + "ä"
        var tar = TarText()
        tar.pax([("path", long), ("uid", "3000000"), ("mtime", "12.25"), ("SCHILY.xattr.user.k", "v")])
        tar.add("short", content: "1")
        tar.add("././@LongLink", type: "L", content: long + "2\u{0}")
        tar.add("././@LongLink", type: "K", content: long + "3\u{0}")
        tar.add("short", type: "2", target: "cut")
        tar.add("plain")
        let log = try TarLog.read(tar.closed)
        #expect(log.entries.map(\.path) == [long, long + "2", "plain"])
        #expect(log.entries[0].user == 3_000_000)
        #expect(log.entries[0].seconds == 12)
        #expect(log.entries[0].nanoseconds == 250_000_000)
        #expect(log.entries[0].attributes == ["user.k": Array("v".utf8)])
        #expect(log.entries[1].target == long + "3")
        #expect(log.entries[2].attributes.isEmpty)
    }

    @Test func globalHeadersStayInForceAndAreOverridden() throws {
        var tar = TarText()
        tar.pax([("uid", "7"), ("comment", "made by hand")], type: "g")
        tar.add("a")
        tar.pax([("uid", "8")])
        tar.add("b")
        tar.add("c")
        #expect(try TarLog.read(tar.closed).entries.map(\.user) == [7, 8, 7])
    }

    @Test func sizesBeyondOctalAreReadFromExtendedHeadersAndBase256() throws {
        var tar = TarText()
        tar.pax([("size", "3")])
        tar.add("a", content: "abc", size: 0)
        var header = TarText.header("b", type: "0", target: "", mode: 0o644, user: 0, group: 0, size: 0, seconds: 0)
        header.replaceSubrange(124..<136, with: [0x80] + [UInt8](repeating: 0, count: 10) + [2])
        header.replaceSubrange(136..<148, with: [UInt8](repeating: 0xFF, count: 12))
        tar.raw(Self.resummed(header) + Array("hi".utf8) + [UInt8](repeating: 0, count: 510))
        let log = try TarLog.read(tar.closed)
        #expect(log.contents == ["abc", "hi"])
        #expect(log.entries[1].seconds == -1)
    }

    @Test func namesAreJoinedWithTheirPrefix() throws {
        var header = TarText.header("name", type: "0", target: "", mode: 0o644, user: 0, group: 0, size: 0, seconds: 0)
        header.replaceSubrange(345..<351, with: Array("prefix".utf8))
        #expect(try TarLog.read(Self.resummed(header)).entries.map(\.path) == ["prefix/name"])
    }

    @Test func oldArchivesMarkFoldersByTheirName() throws {
        var tar = TarText()
        tar.add("old/", type: "\u{0}")
        #expect(try TarLog.read(tar.closed).entries.map(\.kind) == [.folder])
    }

    @Test func brokenArchivesAreRefusedAtEveryLength() throws {
        var tar = TarText()
        tar.pax([("path", "renamed")])
        tar.add("a", content: "content")
        let whole = tar.bytes
        for length in 1..<whole.count {
            #expect(throws: LayerError.self, "\(length) bytes") { try TarLog.read(Array(whole.prefix(length))) }
        }
        #expect(try TarLog.read(whole).entries.map(\.path) == ["renamed"])
    }

    @Test func everyFlippedBitOfAHeaderIsNoticed() throws {
        var tar = TarText()
        tar.add("a", content: "content")
        for index in 0..<512 {
            var damaged = tar.closed
            damaged[index] ^= 0x04
            let log = try? TarLog.read(damaged)
            #expect(log == nil || (148..<156).contains(index), "byte \(index)")
        }
    }

    @Test(arguments: [
        ("S", "sparse"), ("M", "not supported"), ("Z", "not supported"),
    ])
    func whatCannotBeHonouredIsRefused(_ type: Character, _ words: String) throws {
        var tar = TarText()
        tar.add("a", type: type)
        let error = #expect(throws: LayerError.self) { try TarLog.read(tar.closed) }
        #expect(error?.description.contains(words) == true)
    }

    @Test(arguments: [
        "x", "5 a=b\n", "9999 a=b\n", "6 =b\n\n", "-3 a=b\n", "7 a=bcd", "5a=b\n", "99999999999999999999 a=b\n",
    ])
    func damagedExtendedHeadersAreRefused(_ text: String) {
        var tar = TarText()
        tar.add("pax", type: "x", content: text)
        tar.add("a")
        #expect(throws: LayerError.self) { try TarLog.read(tar.closed) }
    }

    @Test(arguments: [
        ("size", "-1"), ("size", "99999999999999999"), ("uid", "-1"), ("uid", "4294967295"), ("mtime", "x"),
    ])
    func impossibleNumbersAreRefused(_ key: String, _ value: String) {
        var tar = TarText()
        tar.pax([(key, value)])
        tar.add("a")
        #expect(throws: LayerError.self) { try TarLog.read(tar.closed) }
    }

    @Test func sparseFilesOfTheNewerFormAreRefused() {
        var tar = TarText()
        tar.pax([("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0")])
        tar.add("a")
        #expect(throws: LayerError.self) { try TarLog.read(tar.closed) }
    }

    @Test func extendedHeadersHaveALimit() {
        var tar = TarText()
        tar.add("pax", type: "x", size: 2 << 20)
        #expect(throws: LayerError.self) { try TarLog.read(tar.bytes) }
    }

    @Test func dataBehindTheEndMarkIsIgnoredBetweenTheMarksItIsNot() throws {
        var tar = TarText()
        tar.add("a")
        #expect(try TarLog.read(tar.closed + [1, 2, 3]).entries.count == 1)
        let between = tar.bytes + [UInt8](repeating: 0, count: 512) + tar.bytes
        #expect(throws: LayerError.self) { try TarLog.read(between) }
    }

    private static func resummed(_ header: [UInt8]) -> [UInt8] {
        var block = header
        block.replaceSubrange(148..<156, with: Array("        ".utf8))
        let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
        block.replaceSubrange(
            148..<156,
            with: Array((String(repeating: "0", count: 6 - sum.count) + sum).utf8) + [0, 0x20]
        )
        return block
    }
}
