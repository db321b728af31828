// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CLinux
import Glibc
import Testing

@testable import PodRuntime

@Suite("unpacking layers")
struct LayerTreeTests {
    private func unpack(_ tar: TarText, _ folder: ScratchFolder) throws {
        var tree = try LayerTree(folder.path)
        var reader = TarReader()
        try reader.feed(tar.closed.span, to: &tree)
        try reader.finish()
        try tree.finish()
    }

    @Test func everyKindLandsWithOwnerModeAndTime() throws {
        let folder = try ScratchFolder()
        var tar = TarText()
        tar.add("./", type: "5", mode: 0o750)
        tar.add("bin/", type: "5", mode: 0o1777, user: 5, group: 6, seconds: 100)
        tar.add("bin/tool", mode: 0o4755, user: 7, group: 8, content: "program", seconds: 200)
        tar.add("bin/link", type: "2", target: "/bin/tool", seconds: 300)
        tar.add("bin/hard", type: "1", target: "./bin/tool")
        tar.add("run/pipe", type: "6", mode: 0o622)
        try unpack(tar, folder)
        #expect(folder.status("")?.permissions == 0o750)
        let bin = try #require(folder.status("bin"))
        #expect(bin.permissions == 0o1777 && bin.st_uid == 5 && bin.st_gid == 6 && bin.st_mtim.tv_sec == 100)
        let tool = try #require(folder.status("bin/tool"))
        #expect(tool.permissions == 0o4755 && tool.st_uid == 7 && tool.st_mtim.tv_sec == 200 && tool.st_nlink == 2)
        #expect(folder.status("bin/hard")?.st_ino == tool.st_ino)
        #expect(folder.link("bin/link") == "/bin/tool")
        #expect(folder.status("bin/link")?.st_mtim.tv_sec == 300)
        #expect(folder.status("run/pipe")?.kind == S_IFIFO)
        #expect(folder.status("run")?.permissions == 0o755)
        #expect(folder.text("bin/tool") == "program")
    }

    @Test func whiteoutsBecomeOverlayfsOwn() throws {
        let folder = try ScratchFolder()
        var tar = TarText()
        tar.add("etc/.wh.gone")
        tar.add("var/", type: "5", mode: 0o755)
        tar.add("var/.wh..wh..opq")
        tar.add("var/new", content: "1")
        tar.add("back/.wh.again")
        tar.add("back/again/", type: "5", mode: 0o755)
        tar.add("own/kept/", type: "5", mode: 0o755)
        tar.add("own/.wh.kept")
        tar.add(".wh..wh.plnk")
        try unpack(tar, folder)
        let gone = try #require(folder.status("etc/gone"))
        #expect(gone.kind == S_IFCHR && gone.st_rdev == 0)
        #expect(folder.status("etc/.wh.gone") == nil)
        #expect(isOpaque(folder, "var") && folder.text("var/new") == "1")
        #expect(isOpaque(folder, "back/again") && folder.status("back/again")?.kind == S_IFDIR)
        #expect(isOpaque(folder, "own/kept"))
        #expect(folder.status(".wh..wh.plnk") == nil)
        #expect(!isOpaque(folder, "etc"))
    }

    private func isOpaque(_ folder: ScratchFolder, _ name: String) -> Bool {
        let descriptor = unsafe open("\(folder.path)/\(name)", O_RDONLY | O_DIRECTORY)
        defer { close(descriptor) }
        var value: UInt8 = 0
        let size = unsafe withUnsafeMutableBytes(of: &value) {
            unsafe ballast_fgetxattr(descriptor, "trusted.overlay.opaque", $0.baseAddress, 1)
        }
        return size == 1 && value == UInt8(ascii: "y")
    }

    @Test func laterMembersReplaceEarlierOnes() throws {
        let folder = try ScratchFolder()
        var tar = TarText()
        tar.add("a", content: "first")
        tar.add("b", type: "1", target: "a")
        tar.add("a", content: "second")
        tar.add("d/x/y", content: "deep")
        tar.add("d", content: "now a file")
        tar.add("l", type: "2", target: "b")
        tar.add("l", content: "no longer a link")
        tar.add("f", content: "file")
        tar.add("f/", type: "5", mode: 0o700)
        try unpack(tar, folder)
        #expect(folder.text("a") == "second")
        #expect(folder.text("b") == "first", "a hard link is not written through")
        #expect(folder.text("d") == "now a file")
        #expect(folder.text("l") == "no longer a link")
        #expect(folder.status("f")?.kind == S_IFDIR)
    }

    @Test func attributesAreKeptWhereTheyAreHarmless() throws {
        let folder = try ScratchFolder()
        var tar = TarText()
        let capability = "\u{01}\u{00}\u{00}\u{02}\u{00}\u{04}" + String(repeating: "\u{00}", count: 14)
        tar.pax([
            ("SCHILY.xattr.user.note", "kept"), ("SCHILY.xattr.trusted.overlay.opaque", "y"),
            ("SCHILY.xattr.trusted.overlay.redirect", "/etc"), ("SCHILY.xattr.security.capability", capability),
        ])
        tar.add("d/", type: "5", mode: 0o755)
        try unpack(tar, folder)
        #expect(!isOpaque(folder, "d"))
        let descriptor = unsafe open("\(folder.path)/d", O_RDONLY)
        defer { close(descriptor) }
        #expect(unsafe ballast_fgetxattr(descriptor, "user.note", nil, 0) == 4)
        #expect(unsafe ballast_fgetxattr(descriptor, "security.capability", nil, 0) == 20)
        #expect(unsafe ballast_fgetxattr(descriptor, "trusted.overlay.redirect", nil, 0) == -1)
    }

    // MARK: hostile archives

    /// Names that would leave the folder, or that no layer may bring.
    @Test(arguments: [
        "../escape", "a/../../escape", "/../escape", "..", "a/..", "./..", "x/../y",
    ])
    func namesThatLeadOutAreRefused(_ name: String) throws {
        let outer = try ScratchFolder()
        let folder = try Inner(outer)
        var tar = TarText()
        tar.add(name, content: "evil")
        #expect(throws: LayerError.self) { try unpack(tar, folder.scratch) }
        #expect(outer.status("escape") == nil)
    }

    @Test(arguments: ["../victim", "../../victim", "/victim", "inner/../../victim"])
    func linksDoNotLeadOut(_ target: String) throws {
        let outer = try ScratchFolder()
        try Folder.make("\(outer.path)/victim", mode: 0o700, parents: 0o700)
        try FileText.replace("\(outer.path)/victim/file", with: Array("untouched".utf8))
        let folder = try Inner(outer)
        var tar = TarText()
        tar.add("victim/", type: "5", mode: 0o755)
        tar.add("inner/", type: "5", mode: 0o755)
        tar.add("way", type: "2", target: target)
        tar.add("way/file", content: "inside")
        tar.add("way/sub/new", content: "inside")
        tar.add("way/.wh.other")
        try unpack(tar, folder.scratch)
        #expect(outer.text("victim/file") == "untouched")
        #expect(Folder.names(in: "\(outer.path)/victim") == ["file"])
        #expect(folder.scratch.text("victim/file") == "inside")
    }

    @Test func absolutePathsMeanTheLayersOwnRoot() throws {
        let folder = try ScratchFolder()
        var tar = TarText()
        tar.add("/tmp/ballast-absolute-\(getpid())", content: "inside")
        try unpack(tar, folder)
        #expect(folder.text("tmp/ballast-absolute-\(getpid())") == "inside")
        #expect(unsafe access("/tmp/ballast-absolute-\(getpid())", F_OK) != 0)
    }

    @Test func writingThroughALinkAtTheEndReplacesTheLink() throws {
        let outer = try ScratchFolder()
        try FileText.replace("\(outer.path)/secret", with: Array("untouched".utf8))
        let folder = try Inner(outer)
        var tar = TarText()
        tar.add("file", type: "2", target: "../secret")
        tar.add("file", content: "evil")
        tar.add("folder", type: "2", target: "..")
        tar.add("folder/", type: "5", mode: 0o777)
        try unpack(tar, folder.scratch)
        #expect(outer.text("secret") == "untouched")
        #expect(outer.status("")?.permissions == 0o755)
        #expect(folder.scratch.status("folder")?.kind == S_IFDIR)
    }

    @Test(arguments: ["/etc/passwd", "../secret", "missing", "folder", "way/secret", ""])
    func hardLinksLeadToFilesOfTheLayerAlone(_ target: String) throws {
        let outer = try ScratchFolder()
        try FileText.replace("\(outer.path)/secret", with: Array("secret".utf8))
        let folder = try Inner(outer)
        var tar = TarText()
        tar.add("folder/", type: "5", mode: 0o755)
        tar.add("way", type: "2", target: "..")
        tar.add("taken", type: "1", target: target)
        #expect(throws: LayerError.self) { try unpack(tar, folder.scratch) }
        #expect(outer.status("secret")?.st_nlink == 1)
    }

    @Test func hardLinksToLinksDoNotFollowThem() throws {
        let outer = try ScratchFolder()
        try FileText.replace("\(outer.path)/secret", with: Array("secret".utf8))
        let folder = try Inner(outer)
        var tar = TarText()
        tar.add("way", type: "2", target: "../secret")
        tar.add("taken", type: "1", target: "way")
        tar.add("taken", content: "evil")
        try unpack(tar, folder.scratch)
        #expect(outer.text("secret") == "secret")
        #expect(folder.scratch.link("way") == "../secret")
    }

    @Test func devicesAreRefusedOutsideOfDevAndLeftOutInIt() throws {
        for type: Character in ["3", "4"] {
            let folder = try ScratchFolder()
            var tar = TarText()
            tar.add("dev/null", type: type)
            try unpack(tar, folder)
            #expect(folder.status("dev/null") == nil)
            tar.add("tmp/disk", type: type)
            #expect(throws: LayerError.self) { try unpack(tar, folder) }
            #expect(folder.status("tmp/disk") == nil)
        }
    }

    @Test(arguments: [".wh.", ".wh..", ".wh...", "a/.wh..."])
    func whiteoutsOfTheFolderItselfAreRefused(_ name: String) throws {
        let folder = try ScratchFolder()
        var tar = TarText()
        tar.add(name)
        #expect(throws: LayerError.self) { try unpack(tar, folder) }
    }

    @Test func filesAsFoldersAndEndlessLinksAreRefused() throws {
        for setUp in [("0", ""), ("2", "loop")] as [(Character, String)] {
            let folder = try ScratchFolder()
            var tar = TarText()
            tar.add("loop", type: setUp.0, target: setUp.1)
            tar.add("loop/file", content: "x")
            #expect(throws: LayerError.self) { try unpack(tar, folder) }
        }
    }

    @Test func theFolderThatWasReplacedByALinkIsLookedUpAnew() throws {
        let outer = try ScratchFolder()
        let folder = try Inner(outer)
        var tar = TarText()
        tar.add("d/one", content: "1")
        tar.add("d", type: "2", target: "/e")
        tar.add("e/", type: "5", mode: 0o755)
        tar.add("d/two", content: "2")
        try unpack(tar, folder.scratch)
        #expect(folder.scratch.text("e/two") == "2")
        #expect(Folder.names(in: outer.path) == ["inner"])
    }

    /// A folder inside of another, which must stay as it is.
    private struct Inner {
        let scratch: ScratchFolder
        init(_ outer: ScratchFolder) throws { scratch = try ScratchFolder(at: "\(outer.path)/inner") }
    }
}
