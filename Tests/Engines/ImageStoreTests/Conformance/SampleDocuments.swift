// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
import Foundation
import Model
import Ports

@testable import ImageStore

/// Documents of every shape that Ballast writes, made by the code that writes them.
enum SampleDocuments {
    struct Document {
        var name: String
        var schema: String
        var content: JSON
        var isBroken = false
    }

    static func all(in scratch: Scratch) async throws -> [Document] {
        try await built(in: scratch) + referrers(in: scratch) + broken
    }

    private static func built(in scratch: Scratch) async throws -> [Document] {
        let file = try scratch.write("tree/file", "content")
        let program = try find("env")
        let files = [ImagePlan.File(source: file, destination: "/srv/file")]
        let libraries = [ImagePlan.File(source: program, destination: "/bin/env", hasLibraries: true)]
        var full = plan(files + libraries)
        full.command = ["serve", "--port", "8080"]
        full.environment = ["PATH": "/bin", "EMPTY": "", "UNICODE": "grüße"]
        full.workingDirectory = "/srv"
        full.user = "1000:1000"
        full.labels = ["org.opencontainers.image.title": "cart", "x": ""]
        let builder = LayeredImageBuilder(folder: "\(scratch.path)/layers")
        let dated = LayeredImageBuilder(folder: "\(scratch.path)/layers", created: Timestamp(seconds: 1_700_000_000))
        var onBase = plan(libraries)
        onBase.base = try await builder.build(full)
        var bare = plan(files)
        bare.entrypoint = []
        let images: [(String, BuiltImage)] = [
            ("empty", try await builder.build(plan([]))), ("files", try await builder.build(plan(files))),
            ("bare", try await builder.build(bare)), ("libraries", try await builder.build(plan(libraries))),
            ("full", try await builder.build(full)), ("dated", try await dated.build(full)),
            ("on-base", try await builder.build(onBase)),
        ]
        return try images.flatMap { name, image in
            [
                Document(
                    name: "built/\(name)/manifest",
                    schema: "image-manifest-schema.json",
                    content: try JSON(parsing: image.manifest.bytes)
                ),
                Document(
                    name: "built/\(name)/configuration",
                    schema: "config-schema.json",
                    content: try JSON(parsing: Folder.contents(of: image.configuration.path))
                ),
            ]
        }
    }

    private static func referrers(in scratch: Scratch) async throws -> [Document] {
        let registry = try RegistryCalls(folder: "\(scratch.path)/registry")
        let subject = ContentHash.digest(of: [])
        func document(_ name: String) async throws -> Document {
            let answer = await registry.call("GET", "/v2/a/referrers/\(subject)")
            return Document(
                name: "registry/\(name)",
                schema: "image-index-schema.json",
                content: try JSON(parsing: answer.document)
            )
        }
        let none = try await document("no-referrers")
        try await registry.pushImage("one", to: "a", as: "digest", subject: subject, type: "text/sbom")
        try await registry.pushImage("two", to: "a", as: "digest", subject: subject)
        return [none, try await document("two-referrers")]
    }

    private static let broken: [Document] = [
        Document(
            name: "broken/manifest-without-config",
            schema: "image-manifest-schema.json",
            content: ["schemaVersion": 2, "layers": []],
            isBroken: true
        ),
        Document(
            name: "broken/manifest-with-odd-digest",
            schema: "image-manifest-schema.json",
            content: [
                "schemaVersion": 2, "config": ["mediaType": "a/b", "digest": "sha256", "size": 2], "layers": [],
            ],
            isBroken: true
        ),
        Document(
            name: "broken/configuration-without-rootfs",
            schema: "config-schema.json",
            content: ["architecture": "amd64", "os": "linux"],
            isBroken: true
        ),
        Document(
            name: "broken/index-with-text-for-size",
            schema: "image-index-schema.json",
            content: [
                "schemaVersion": 2,
                "manifests": [["mediaType": "a/b", "digest": "sha256:00", "size": "2"]],
            ],
            isBroken: true
        ),
    ]
}
