// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Ports
import Testing

@testable import ImageStore

/// Programs are built with the C compiler that Swift brings or needs, so what is tested is what real linkers write.
@Suite("libraries of programs")
struct LibraryTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func compile(_ arguments: [String]) throws {
        try succeed("cc", arguments, in: scratch.path)
    }

    private func build(_ files: [ImagePlan.File]) async throws -> BuiltImage {
        try await LayeredImageBuilder(folder: "\(scratch.path)/cache").build(plan(files))
    }

    /// Runs the image's program in a root of its own, where nothing of this machine is but `/proc` (the loader asks it for
    /// `$ORIGIN`). The mount is in a namespace that ends with the program.
    private func runInside(_ image: BuiltImage, _ command: [String]) throws -> Finished {
        let root = "\(scratch.path)/root-\(UUID().uuidString)"
        try image.unpack(into: root)
        let script = "mkdir -p $0/proc && mount -t proc proc $0/proc && exec chroot $0 \"$@\""
        return try run("unshare", ["--mount", "sh", "-c", script, root] + command)
    }

    private static let isRoot = geteuid() == 0

    @Test("a Swift program with Foundation runs where nothing but its image is", .enabled(if: isRoot))
    func swiftProgram() async throws {
        try scratch.write(
            "hello.swift",
            "import Foundation\nprint(\"hello\", NSString(string: \"a/b\").lastPathComponent, Date(timeIntervalSince1970: 0))\n"
        )
        try succeed("swiftc", ["hello.swift", "-o", "hello"], in: scratch.path)
        let image = try await build([
            .init(source: "\(scratch.path)/hello", destination: "/bin/app", hasLibraries: true)
        ])
        #expect(try runInside(image, ["/bin/app"]).output == "hello b 1970-01-01 00:00:00 +0000\n")
        #expect(try image.purposes().last == "ballast: files of the app")
        #expect(try image.names(inLayer: image.layers.count - 1) == ["bin/", "bin/app"])
    }

    @Test("libraries beside the program by $ORIGIN move with it", .enabled(if: isRoot))
    func originMoves() async throws {
        let program = try find("plutil")
        let image = try await build([.init(source: program, destination: "/opt/tool/bin/plutil", hasLibraries: true)])
        let finished = try runInside(image, ["/opt/tool/bin/plutil", "-help"])
        #expect(finished.status == 0 && finished.output.contains("-lint"), "\(finished)")
        let names = try image.names(inLayer: image.layers.count - 1)
        #expect(names.contains("opt/tool/lib/swift/linux/libFoundation.so"))
    }

    @Test("two programs with the same libraries share every layer but their own")
    func sharing() async throws {
        try scratch.write("a.c", "int main(void) { return 0; }")
        try scratch.write("b.c", "int main(void) { return 1; }")
        try compile(["a.c", "-o", "a"])
        try compile(["b.c", "-o", "b"])
        let first = try await build([.init(source: "\(scratch.path)/a", destination: "/bin/a", hasLibraries: true)])
        let second = try await build([.init(source: "\(scratch.path)/b", destination: "/srv/b", hasLibraries: true)])
        #expect(first.layers.count == 2)
        #expect(first.layers[0] == second.layers[0])
        #expect(first.layers[1].digest != second.layers[1].digest)
    }

    @Test("DT_RPATH reaches the libraries of libraries, DT_RUNPATH does not", .enabled(if: isRoot))
    func inheritance() async throws {
        try scratch.write("inner.c", "int inner(void) { return 42; }")
        try scratch.write("outer.c", "int inner(void); int outer(void) { return inner(); }")
        try scratch.write("main.c", "int outer(void); int main(void) { return outer(); }")
        try scratch.write("lib/keep", "")
        try compile(["-shared", "-fPIC", "inner.c", "-o", "lib/libinner.so.1", "-Wl,-soname,libinner.so.1"])
        try compile([
            "-shared", "-fPIC", "outer.c", "lib/libinner.so.1", "-o", "lib/libouter.so", "-Wl,-soname,libouter.so",
        ])
        let common = ["main.c", "lib/libouter.so", "-Wl,-rpath-link,lib", "-Wl,-rpath,$ORIGIN/lib"]
        try compile(common + ["-Wl,--disable-new-dtags", "-o", "byRPath"])
        try compile(common + ["-Wl,--enable-new-dtags", "-o", "byRunPath"])

        let image = try await build([
            .init(source: "\(scratch.path)/byRPath", destination: "/app/main", hasLibraries: true)
        ])
        #expect(try runInside(image, ["/app/main"]).status == 42)
        #expect(
            try image.names(inLayer: 1) == [
                "app/", "app/lib/", "app/lib/libinner.so.1", "app/lib/libouter.so", "app/main",
            ]
        )

        // The real loader refuses the other one too.
        #expect(try run("\(scratch.path)/byRunPath", []).status == 127)
        await #expect {
            try await build([.init(source: "\(scratch.path)/byRunPath", destination: "/app/main", hasLibraries: true)])
        } throws: { error in
            "\(error)".contains("'/app/main' needs the library 'libinner.so.1' (asked for by 'libouter.so')")
                && "\(error)".contains("/lib/")
        }
    }

    @Test("links to a library come along, and '..' passes through folders that exist", .enabled(if: isRoot))
    func linksAndDots() async throws {
        try scratch.write("far.c", "int far(void) { return 7; }")
        try scratch.write("main.c", "int far(void); int main(void) { return far(); }")
        try scratch.write("lib/deep/keep", "")
        try compile(["-shared", "-fPIC", "far.c", "-o", "lib/libfar.so.1.2", "-Wl,-soname,libfar.so.1"])
        try scratch.link("lib/libfar.so.1", to: "libfar.so.1.2")
        try compile(["main.c", "lib/libfar.so.1", "-Wl,-rpath,\(scratch.path)/lib/deep/..", "-o", "main"])
        let image = try await build([.init(source: "\(scratch.path)/main", destination: "/main", hasLibraries: true)])
        #expect(try runInside(image, ["/main"]).status == 7)
        let prefix = String(scratch.path.dropFirst())
        let names = try image.names(inLayer: 1)
        #expect(names.suffix(3) == ["\(prefix)/lib/deep/", "\(prefix)/lib/libfar.so.1", "\(prefix)/lib/libfar.so.1.2"])
    }

    @Test("a library that the image brings itself is not brought twice", .enabled(if: isRoot))
    func providedLibrary() async throws {
        try scratch.write("own.c", "int own(void) { return 9; }")
        try scratch.write("main.c", "int own(void); int main(void) { return own(); }")
        try scratch.write("out/keep", "")
        try compile(["-shared", "-fPIC", "own.c", "-o", "out/libown.so", "-Wl,-soname,libown.so"])
        try compile(["main.c", "out/libown.so", "-Wl,-rpath,/srv/lib", "-o", "main"])
        let image = try await build([
            .init(source: "\(scratch.path)/main", destination: "/bin/main", hasLibraries: true),
            .init(source: "\(scratch.path)/out", destination: "/srv/lib", hasLibraries: true),
        ])
        #expect(try runInside(image, ["/bin/main"]).status == 9)
        #expect(image.layers.count == 2)
    }

    @Test("a library named by a relative path is refused, because no image has a working directory of its own")
    func relativeName() async throws {
        try scratch.write("own.c", "int own(void) { return 9; }")
        try scratch.write("main.c", "int own(void); int main(void) { return own(); }")
        try compile(["-shared", "-fPIC", "own.c", "-o", "own.so"])
        try compile(["main.c", "./own.so", "-o", "main"])
        await #expect {
            try await build([.init(source: "\(scratch.path)/main", destination: "/bin/main", hasLibraries: true)])
        } throws: {
            "\($0)".contains("'/bin/main' names the library './own.so' relative to the folder it is started in")
        }
    }

    @Test("a static program needs nothing")
    func staticProgram() async throws {
        try scratch.write("a.c", "int main(void) { return 0; }")
        try compile(["-static", "a.c", "-o", "a"])
        let image = try await build([.init(source: "\(scratch.path)/a", destination: "/bin/a", hasLibraries: true)])
        #expect(image.layers.count == 1)
    }

    @Test("what is no program, or one for another machine, is refused by name")
    func refusals() async throws {
        let script = try scratch.write("run.sh", "#!/bin/sh\n", isExecutable: true)
        await #expect {
            try await build([.init(source: script, destination: "/bin/run", hasLibraries: true)])
        } throws: { "\($0)".contains("'\(script)' is no ELF program") }

        let program = try find("env")
        let other = ImagePlan(
            files: [.init(source: program, destination: "/bin/env", hasLibraries: true)],
            architecture: otherArchitecture
        )
        await #expect {
            try await LayeredImageBuilder(folder: "\(scratch.path)/cache").build(other)
        } throws: { "\($0)".contains("is for '\(machineArchitecture)', but the image is for '\(otherArchitecture)'") }
    }
}
