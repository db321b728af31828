// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
import Foundation
import Model
import Ports
import Testing

@testable import ImageStore

@Suite("images on a base")
struct BaseImageTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private var builder: LayeredImageBuilder { LayeredImageBuilder(folder: "\(scratch.path)/cache") }

    /// A base of layers that the system's own tar wrote from folders below `scratch`.
    private func base(_ folders: [String], _ options: [String] = ["--format=gnu"], config: JSON = [:]) throws
        -> BuiltImage
    {
        var layers: [BlobFile] = []
        var diffIDs: [JSON] = []
        for folder in folders {
            let path = "\(scratch.path)/\(folder).tar"
            try succeed("tar", options + ["-C", "\(scratch.path)/\(folder)", "-cf", path, "."])
            diffIDs.append(.string("\(ContentHash.digest(of: try Folder.contents(of: path)))"))
            try succeed("gzip", [path])
            let bytes = try Folder.contents(of: "\(path).gz")
            layers.append(BlobFile(digest: ContentHash.digest(of: bytes), size: bytes.count, path: "\(path).gz"))
        }
        let document: JSON = [
            "architecture": .string(machineArchitecture), "os": "linux", "config": config,
            "rootfs": ["type": "layers", "diff_ids": .array(diffIDs)],
        ]
        let file = try scratch.write("config-\(folders.joined())", document.text)
        let digest = ContentHash.digest(of: document.bytes)
        let manifest: JSON = [
            "schemaVersion": 2, "mediaType": .string(MediaType.dockerManifest),
            "config": [:],
            "layers": .array(
                layers.map {
                    [
                        "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": JSON($0.size),
                        "digest": .string("\($0.digest)"),
                    ]
                }
            ),
        ]
        return BuiltImage(
            layers: layers,
            configuration: BlobFile(digest: digest, size: document.bytes.count, path: file),
            manifest: StoredManifest(
                mediaType: MediaType.dockerManifest,
                bytes: manifest.bytes,
                digest: ContentHash.digest(of: manifest.bytes)
            )
        )
    }

    private func build(on base: BuiltImage, _ destinations: [String]) async throws -> BuiltImage {
        let file = try scratch.write("new", "new")
        var plan = plan(destinations.map { .init(source: file, destination: $0) })
        plan.base = base
        plan.entrypoint = []
        return try await builder.build(plan)
    }

    @Test("files land behind the base's links, and folders that are there keep their modes", arguments: ["gnu", "pax"])
    func behindLinks(_ format: String) async throws {
        let deep = (0..<30).map { "folder-\($0)" }.joined(separator: "/")
        try scratch.write("one/usr/lib/keep", "")
        try scratch.write("one/\(deep)/keep", "")
        try scratch.write("one/tmp/keep", "")
        try scratch.link("one/lib", to: "usr/lib")
        try scratch.link("one/abs", to: "/\(deep)")
        let image = try await build(
            on: base(["one"], ["--format=\(format)"]),
            ["/lib/a/x", "/abs/y", "/tmp/z", "/fresh/w"]
        )
        #expect(
            try image.names(inLayer: 1) == ["\(deep)/y", "fresh/", "fresh/w", "tmp/z", "usr/lib/a/", "usr/lib/a/x"]
        )
    }

    @Test("a higher layer's whiteouts and replacements count")
    func whiteouts() async throws {
        try scratch.write("one/gone/keep", "")
        try scratch.write("one/opaque/old/keep", "")
        try scratch.write("one/was/keep", "")
        try scratch.link("one/link", to: "was")
        try scratch.write("two/.wh.gone", "")
        try scratch.write("two/opaque/.wh..wh..opq", "")
        try scratch.write("two/opaque/new/keep", "")
        try scratch.write("two/link/keep", "")  // a folder takes the link's place
        let image = try await build(
            on: base(["one", "two"]),
            ["/gone/a", "/opaque/old/b", "/opaque/new/c", "/link/d"]
        )
        #expect(
            try image.names(inLayer: 2) == ["gone/", "gone/a", "link/d", "opaque/new/c", "opaque/old/", "opaque/old/b"]
        )
    }

    @Test("the configuration is the base's, with the plan's words over it")
    func configuration() async throws {
        try scratch.write("one/file", "")
        let base = try base(
            ["one"],
            config: [
                "Env": ["PATH=/bin", "A=1"], "Entrypoint": ["/old"], "Cmd": ["x"], "User": "5",
                "ExposedPorts": ["80/tcp": [:]],
            ]
        )
        var plan = plan([])
        plan.base = base
        plan.environment = ["A": "2", "B": "3"]
        let image = try await builder.build(plan)
        let document = try JSON(parsing: Folder.contents(of: image.configuration.path))
        let expected: JSON = [
            "Entrypoint": ["/bin/app"], "Env": ["PATH=/bin", "A=2", "B=3"], "ExposedPorts": ["80/tcp": [:]],
            "User": "5",
        ]
        #expect(document["config"] == expected)
        #expect(document[path: "rootfs", "diff_ids"]?.array?.count == 2)
        let manifest = try JSON(parsing: image.manifest.bytes)
        #expect(manifest["layers"]?.array?.map { $0["mediaType"]?.string } == [MediaType.layer, MediaType.layer])
        #expect(image.layers.count == 2)
    }

    @Test("a base for another machine, in circles, cut off or in zstd is refused by name")
    func refusals() async throws {
        try scratch.write("one/file", String(repeating: "x", count: 5000))
        try scratch.link("one/a", to: "b")
        try scratch.link("one/b", to: "a")
        var image = try base(["one"])
        await #expect {
            try await build(on: image, ["/a/x"])
        } throws: { "\($0)".contains("'/a' runs in circles") }

        let whole = try Folder.contents(of: image.layers[0].path)
        try Folder.replace(image.layers[0].path, with: Array(whole.dropLast(20)))
        await #expect { try await build(on: image, ["/x"]) } throws: { "\($0)".contains("ends early") }
        try Folder.replace(image.layers[0].path, with: Array(whole.prefix(100)) + Array(repeating: 0x55, count: 500))
        await #expect { try await build(on: image, ["/x"]) } throws: { ($0 as? Failure)?.code == .invalidInput }
        try Folder.replace(image.layers[0].path, with: [0x28, 0xB5, 0x2F, 0xFD, 0])
        await #expect { try await build(on: image, ["/x"]) } throws: { "\($0)".contains("zstd") }

        var other = plan([], architecture: otherArchitecture)
        image.layers[0].path = "/nonexistent"
        other.base = image
        await #expect { try await builder.build(other) } throws: { "\($0)".contains("the base image is for") }
    }

    @Test("members are listed in whatever pieces an archive comes")
    func pieces() throws {
        try scratch.write("one/\(String(repeating: "d", count: 120))/\(String(repeating: "f", count: 150))", "x")
        try scratch.link("one/link", to: String(repeating: "t", count: 130))
        for format in ["gnu", "pax", "ustar"] {
            let path = "\(scratch.path)/\(format).tar"
            let source = format == "ustar" ? ["one/\(String(repeating: "d", count: 120))"] : ["one"]
            _ = try run("tar", ["--format=\(format)", "-C", scratch.path, "-cf", path] + source)
            let bytes = try Folder.contents(of: path)
            var whole = TarIndex()
            try whole.feed(bytes.span)
            for size in [1, 511, 513] {
                var index = TarIndex()
                for start in stride(from: 0, to: bytes.count, by: size) {
                    try index.feed(bytes.span.extracting(start..<min(start + size, bytes.count)))
                }
                #expect(index.members == whole.members)
            }
            if format != "ustar" { #expect(whole.members.count == 4) }
        }
    }
}
