// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
import Foundation
import Model
import Ports
import Testing

@testable import ImageStore

@Suite("building images")
struct LayeredImageBuilderTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func builder(_ name: String = "cache") -> LayeredImageBuilder {
        LayeredImageBuilder(folder: "\(scratch.path)/\(name)")
    }

    private func writeTree(_ name: String, in order: [String]) throws -> ImagePlan {
        for file in order { try scratch.write("\(name)/\(file)", "content of \(file)", isExecutable: file == "run") }
        try scratch.link("\(name)/latest", to: "sub/a")
        return plan([.init(source: "\(scratch.path)/\(name)", destination: "/srv/app")])
    }

    @Test("equal files give equal images, wherever they lie and in whatever order they were made")
    func isReproducible() async throws {
        let first = try await builder("one").build(writeTree("x", in: ["b", "sub/a", "run"]))
        let second = try await builder("two").build(writeTree("y", in: ["run", "sub/a", "b"]))
        #expect(first.manifest == second.manifest)
        #expect(first.manifest.digest == ContentHash.digest(of: first.manifest.bytes))
    }

    @Test("one changed byte gives another image")
    func contentCounts() async throws {
        let before = try await builder().build(writeTree("x", in: ["a", "b"]))
        try scratch.write("x/b", "content of B")
        let after = try await builder().build(plan([.init(source: "\(scratch.path)/x", destination: "/srv/app")]))
        #expect(before.manifest.digest != after.manifest.digest)
    }

    @Test("the system's tar lists owners, times, modes and links as promised")
    func listsAsPromised() async throws {
        let image = try await builder().build(writeTree("x", in: ["b", "sub/a", "run"]))
        let listing = try succeed("tar", ["--full-time", "--utc", "--numeric-owner", "-tvzf", image.layers[0].path])
        let expected = """
            drwxr-xr-x 0/0               0 1970-01-01 00:00:00 srv/
            drwxr-xr-x 0/0               0 1970-01-01 00:00:00 srv/app/
            -rw-r--r-- 0/0              12 1970-01-01 00:00:00 srv/app/b
            lrwxrwxrwx 0/0               0 1970-01-01 00:00:00 srv/app/latest -> sub/a
            -rwxr-xr-x 0/0              14 1970-01-01 00:00:00 srv/app/run
            drwxr-xr-x 0/0               0 1970-01-01 00:00:00 srv/app/sub/
            -rw-r--r-- 0/0              16 1970-01-01 00:00:00 srv/app/sub/a

            """
        #expect(listing == expected)
    }

    @Test("the gzip header has neither a time nor an operating system")
    func gzipHeader() async throws {
        let image = try await builder().build(writeTree("x", in: ["b"]))
        #expect(try Folder.contents(of: image.layers[0].path).prefix(10) == [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 4, 255])
    }

    @Test("long names, names outside ASCII and long links survive")
    func paxNames() async throws {
        let long = (0..<40).map { "folder-\($0)" }.joined(separator: "/") + "/" + String(repeating: "n", count: 200)
        let names = [long, "grüße/日本語", "e\u{301}", "\u{e9}", String(repeating: "x", count: 100)]
        for name in names { try scratch.write("x/\(name)", name) }
        try scratch.link("x/link", to: long)
        let image = try await builder().build(plan([.init(source: "\(scratch.path)/x", destination: "/")]))
        try image.unpack(into: "\(scratch.path)/root")
        for name in names {
            #expect(try Folder.contents(of: "\(scratch.path)/root/\(name)") == Array(name.utf8))
        }
        #expect(try Folder.target(ofLink: "\(scratch.path)/root/link") == long)
        #expect(try succeed("diff", ["-r", "\(scratch.path)/x", "\(scratch.path)/root"]) == "")
    }

    @Test("an empty plan gives an image that can be unpacked to nothing")
    func emptyPlan() async throws {
        let image = try await builder().build(plan([]))
        #expect(try image.names(inLayer: 0) == [])
    }

    @Test("digest, diff id and size are those of the bytes")
    func documentsFitTheBytes() async throws {
        let image = try await builder().build(writeTree("x", in: ["b"]))
        let layer = try Folder.contents(of: image.layers[0].path)
        #expect(ContentHash.digest(of: layer) == image.layers[0].digest)
        #expect(layer.count == image.layers[0].size)
        try succeed("cp", [image.layers[0].path, "\(scratch.path)/layer.tar.gz"])
        try succeed("gunzip", ["\(scratch.path)/layer.tar.gz"])
        let configuration = try JSON(parsing: Folder.contents(of: image.configuration.path))
        let diffID = ContentHash.digest(of: try Folder.contents(of: "\(scratch.path)/layer.tar")).description
        #expect(configuration[path: "rootfs", "diff_ids"]?[0]?.string == diffID)
    }

    @Test("the configuration carries what runs")
    func configuration() async throws {
        var plan = plan([])
        plan.command = ["serve"]
        plan.environment = ["B": "2", "A": "1"]
        plan.user = "1000:1000"
        plan.workingDirectory = "/srv"
        plan.labels = ["org.opencontainers.image.title": "cart"]
        let image = try await LayeredImageBuilder(folder: scratch.path, created: Timestamp(seconds: 1_700_000_000))
            .build(plan)
        let document = String(decoding: try Folder.contents(of: image.configuration.path), as: UTF8.self)
        #expect(
            document.hasPrefix(
                #"{"architecture":"\#(machineArchitecture)","config":{"Cmd":["serve"],"Entrypoint":["/bin/app"],"#
                    + #""Env":["A=1","B=2"],"Labels":{"org.opencontainers.image.title":"cart"},"User":"1000:1000","#
                    + #""WorkingDir":"/srv"},"created":"2023-11-14T22:13:20Z","history":[{"created":"#
            )
        )
    }

    @Test("a later file takes an earlier one's place, also inside a folder")
    func laterWins() async throws {
        try scratch.write("x/conf", "old")
        let replacement = try scratch.write("new", "new")
        let image = try await builder().build(
            plan([
                .init(source: "\(scratch.path)/x", destination: "/etc"),
                .init(source: replacement, destination: "/etc/conf"),
                .init(source: replacement, destination: "/opt/"),
            ])
        )
        try image.unpack(into: "\(scratch.path)/root")
        #expect(try Folder.contents(of: "\(scratch.path)/root/etc/conf") == Array("new".utf8))
        #expect(try Folder.contents(of: "\(scratch.path)/root/opt/new") == Array("new".utf8))
    }

    struct BadPlan: Sendable, CustomTestStringConvertible {
        var files: [(String, String)]
        var message: String
        var testDescription: String { message }
    }

    @Test(
        "a plan that cannot be an image says which path is at fault",
        arguments: [
            BadPlan(files: [("missing", "/a")], message: "cannot read '$/missing': No such file or directory"),
            BadPlan(files: [("file", "a")], message: "'a' is no place in an image"),
            BadPlan(files: [("file", "/a/../b")], message: "'/a/../b' is no place in an image"),
            BadPlan(files: [("file", "/")], message: "'/file'"),
            BadPlan(files: [("pipe", "/a")], message: "'$/pipe' is neither a file nor a folder nor a symbolic link"),
            BadPlan(files: [("folder", "/a")], message: "'$/folder/pipe' is neither"),
            BadPlan(
                files: [("file", "/a"), ("file", "/a/b")],
                message: "'/a' in the image would be a folder and a file"
            ),
            BadPlan(files: [("linked", "/a"), ("file", "/a/l/b")], message: "'/a/l' in the image is a symbolic link"),
        ]
    )
    func badPlans(_ bad: BadPlan) async throws {
        try scratch.write("file", "x")
        try scratch.write("folder/file", "x")
        try scratch.write("linked/file", "x")
        try scratch.link("linked/l", to: "/etc")
        try succeed("mkfifo", ["\(scratch.path)/pipe", "\(scratch.path)/folder/pipe"])
        let files = bad.files.map { ImagePlan.File(source: "\(scratch.path)/\($0.0)", destination: $0.1) }
        do {
            let image = try await builder().build(plan(files))
            // A file put "into /" lands there under its own name.
            #expect(bad.message == "'/file'")
            #expect(try image.names(inLayer: 0) == ["file"])
        } catch let failure as Failure {
            #expect(failure.code == .invalidInput)
            #expect(failure.description.contains(bad.message.replacing("$", with: scratch.path)), "\(failure)")
        }
    }
}
