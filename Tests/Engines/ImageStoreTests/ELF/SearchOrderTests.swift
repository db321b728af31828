// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Ports
import Testing

@testable import ImageStore

/// The search for libraries in a root of the test's own: this machine's loader, and everything else made up.
@Suite("where libraries are looked for")
struct SearchOrderTests {
    let scratch: Scratch
    let root: String
    /// The loader's first own folder, such as `/lib/x86_64-linux-gnu`.
    let own: String

    init() throws {
        scratch = try Scratch()
        root = "\(scratch.path)/root"
        let interpreter = try #require(try ELFObject(reading: find("env")).interpreter)
        own = try Loader(path: interpreter, reading: FileBytes(interpreter)).defaultFolders[0]
        for folder in [Folder.parent(of: interpreter), own, "/etc", "/opt/odd", "/opt/first"] {
            try Folder.create("\(root)\(folder)")
        }
        try succeed("cp", [interpreter, "\(root)\(interpreter)"])
        try library("libc.so.6", in: own, versions: ["GLIBC_2.2.5", "GLIBC_2.34"])
    }

    /// Makes a shared library that depends on nothing; its content differs by `mark`.
    private func library(_ name: String, in folder: String, versions: [String] = [], mark: Int = 1) throws {
        try scratch.write("library.c", "int mark(void) { return \(mark); }")
        var text = ""
        for (place, version) in versions.enumerated() {
            text += "\(version) { \(place == 0 ? "global: mark;" : "") };\n"
        }
        try scratch.write("versions.map", text)
        let options = versions.isEmpty ? [] : ["-Wl,--version-script,versions.map"]
        try succeed(
            "cc",
            ["-shared", "-fPIC", "-nostdlib", "library.c", "-o", "\(root)\(folder)/\(name)", "-Wl,-soname,\(name)"]
                + options,
            in: scratch.path
        )
    }

    /// Makes a program that names a library which need not exist at that place later.
    private func program(needing library: String, _ options: [String] = []) throws -> String {
        try scratch.write("stub.c", "int mark(void) { return 0; }")
        try scratch.write("main.c", "int mark(void); int main(void) { return mark(); }")
        try succeed("cc", ["-shared", "-fPIC", "stub.c", "-o", "stub.so", "-Wl,-soname,\(library)"], in: scratch.path)
        try succeed("cc", ["main.c", "stub.so", "-o", "main"] + options, in: scratch.path)
        return "\(scratch.path)/main"
    }

    /// Makes a program that needs the C library alone.
    private func plainProgram(_ options: [String] = []) throws -> String {
        try scratch.write("plain.c", "int main(void) { return 0; }")
        try succeed("cc", ["plain.c", "-o", "plain"] + options, in: scratch.path)
        return "\(scratch.path)/plain"
    }

    private func libraries(of program: String, path: String = "") throws -> [ResolvedLibrary] {
        try LibraryResolver(root: root, libraryPath: path)
            .libraries(of: program, at: LayerPath("app/bin/main"), ELFObject(reading: program))
    }

    private func place(of name: String, for program: String, path: String = "") throws -> (String, String)? {
        try libraries(of: program, path: path).first { $0.image.lastComponent == name }
            .map { ($0.image.description, String($0.host.dropFirst(root.count))) }
    }

    @Test("what only ld.so.cache knows goes to the loader's own folder, because the image has no cache")
    func fromCache() throws {
        try library("libodd.so.1", in: "/opt/odd")
        try Folder.replace("\(root)/etc/ld.so.conf", with: Array("/opt/odd\n".utf8))
        try succeed("env", ["PATH=/sbin:/usr/sbin", "ldconfig", "-r", root])
        let found = try place(of: "libodd.so.1", for: program(needing: "libodd.so.1"))
        #expect(found?.0 == "\(own)/libodd.so.1")
        #expect(found?.1 == "/opt/odd/libodd.so.1")
    }

    @Test("DT_RPATH beats LD_LIBRARY_PATH, which beats DT_RUNPATH, which beats the loader's own folders")
    func order() throws {
        for (place, folder) in ["/opt/odd", "/opt/first", own].enumerated() {
            try library("libx.so", in: folder, mark: place)
        }
        let old = try program(needing: "libx.so", ["-Wl,--disable-new-dtags,-rpath,/opt/odd"])
        #expect(try place(of: "libx.so", for: old, path: "/opt/first")?.0 == "/opt/odd/libx.so")
        let new = try program(needing: "libx.so", ["-Wl,--enable-new-dtags,-rpath,/opt/odd"])
        #expect(try place(of: "libx.so", for: new, path: "relative:/opt/first")?.0 == "/opt/first/libx.so")
        #expect(try place(of: "libx.so", for: new)?.0 == "/opt/odd/libx.so")
        let plain = try program(needing: "libx.so")
        #expect(try place(of: "libx.so", for: plain)?.0 == "\(own)/libx.so")
    }

    @Test("a library for another machine is passed over, and so is what is no library")
    func passesOver() throws {
        try library("libx.so", in: "/opt/first")
        var bytes = try Folder.contents(of: "\(root)/opt/first/libx.so")
        bytes[18] = 0x28
        try Folder.replace("\(root)/opt/first/libx.so", with: bytes)
        try library("libx.so", in: "/opt/odd")
        try Folder.create("\(root)/opt/text")
        try Folder.replace("\(root)/opt/text/libx.so", with: Array("INPUT(libx.so.1)".utf8))
        let program = try program(needing: "libx.so", ["-Wl,-rpath,/opt/text:/opt/first:/opt/odd"])
        #expect(try place(of: "libx.so", for: program)?.0 == "/opt/odd/libx.so")
    }

    @Test("$LIB, ${ORIGIN} and $PLATFORM stand for what the loader puts there; longer names do not")
    func tokens() throws {
        let library = String(own.dropFirst())
        try Folder.create("\(root)/opt/\(library)")
        try self.library("libx.so", in: "/opt/\(library)")
        let program = try program(needing: "libx.so", ["-Wl,-rpath,/opt/$LIBRARY:${ORIGIN}/none:/opt/$LIB"])
        #expect(try place(of: "libx.so", for: program)?.0 == "/opt/\(library)/libx.so")
    }

    @Test("-z nodefaultlib leaves the cache and the loader's own folders out")
    func noDefaults() throws {
        try library("libx.so", in: own)
        let program = try program(needing: "libx.so", ["-Wl,-z,nodefaultlib"])
        #expect(throws: LibraryError.self) { try libraries(of: program) }
    }

    @Test("before 2.34 glibc's look-up of names comes along", arguments: [("GLIBC_2.33", true), ("GLIBC_2.34", false)])
    func nameServices(_ version: String, _ isWanted: Bool) throws {
        try library("libc.so.6", in: own, versions: ["GLIBC_2.2.5", version])
        for name in ["libnss_files.so.2", "libnss_dns.so.2"] { try library(name, in: own) }
        let program = try plainProgram()
        let names = try libraries(of: program).map(\.image.lastComponent)
        #expect(names.contains("libc.so.6"))
        #expect(names.contains("libnss_files.so.2") == isWanted)
        #expect(names.contains("libnss_dns.so.2") == isWanted)
    }

    @Test("libraries that need each other come once each")
    func circle() throws {
        for (name, other) in [("liba.so", "libb.so"), ("libb.so", "liba.so")] {
            try scratch.write("c.c", "int mark(void) { return 0; }")
            try succeed(
                "cc",
                ["-shared", "-fPIC", "-nostdlib", "c.c", "-o", "other.so", "-Wl,-soname,\(other)"],
                in: scratch.path
            )
            let options = [
                "-shared", "-fPIC", "-nostdlib", "-Wl,--no-as-needed", "c.c", "other.so", "-Wl,-soname,\(name)",
            ]
            try succeed("cc", options + ["-o", "\(root)\(own)/\(name)"], in: scratch.path)
        }
        let names = try libraries(of: program(needing: "liba.so")).map(\.image.lastComponent)
        #expect(names.filter { $0 == "liba.so" }.count == 1)
        #expect(names.filter { $0 == "libb.so" }.count == 1)
    }

    @Test("a loader that is not on this machine is named")
    func noLoader() throws {
        let program = try plainProgram(["-Wl,--dynamic-linker,/lib/ld-other.so.1"])
        #expect {
            try libraries(of: program)
        } throws: { "\($0)".contains("'/app/bin/main' asks for the loader '/lib/ld-other.so.1'") }
    }
}
