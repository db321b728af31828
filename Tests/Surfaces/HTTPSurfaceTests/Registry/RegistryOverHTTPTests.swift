// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import ImageStore
import Model
import Ports
import RegistryClient
import TestKit
import Testing

@testable import HTTPSurface

@Suite("the registry over HTTP")
struct RegistryOverHTTPTests {
    /// An image of two layers: files, and the libraries of a program.
    private func build(in folder: String) async throws -> BuiltImage {
        try Data(UUID().uuidString.utf8).write(to: URL(filePath: "\(folder)/file"))
        #if arch(x86_64)
            let architecture = "amd64"
        #else
            let architecture = "arm64"
        #endif
        let program = try await succeed("sh", ["-c", "command -v env"]).trimmingCharacters(in: .whitespacesAndNewlines)
        return try await LayeredImageBuilder(folder: "\(folder)/layers").build(
            ImagePlan(
                files: [
                    .init(source: "\(folder)/file", destination: "/srv/file"),
                    .init(source: program, destination: "/bin/env", hasLibraries: true),
                ],
                entrypoint: ["/bin/env"],
                architecture: architecture
            )
        )
    }

    private func push(_ image: BuiltImage, _ registries: HTTPImageRegistries, _ reference: ImageReference) async throws
    {
        let registry = registries.registry(reference.registry, credentials: nil)
        for blob in image.layers + [image.configuration] { try await registry.push(blob, to: reference.repository) }
        _ = try await registry.push(image.manifest, as: reference)
    }

    private func withClient(_ work: (HTTPImageRegistries) async throws -> Void) async throws {
        let registries = HTTPImageRegistries()
        do {
            try await work(registries)
        } catch {
            await registries.shutdown()
            throw error
        }
        await registries.shutdown()
    }

    @Test("a built image goes up by our own client and comes down bit for bit")
    func ownClient() async throws {
        try await withServedRegistry { host, folder in
            let image = try await build(in: folder)
            try await withClient { registries in
                let reference = ImageReference(registry: host, repository: "shop/cart", tag: "1")
                try await push(image, registries, reference)
                let registry = registries.registry(host, credentials: nil)
                #expect(try await registry.manifest(reference) == image.manifest)
                for blob in image.layers {
                    var bytes = Data()
                    for try await piece in try await registry.blob(blob.digest, from: "shop/cart") { bytes += piece }
                    #expect(bytes == (try Data(contentsOf: URL(filePath: blob.path))))
                }
                await #expect {
                    try await registry.manifest(ImageReference(registry: host, repository: "shop/cart", tag: "2"))
                } throws: { ($0 as? Failure)?.code == .notFound }
            }
        }
    }

    @Test("skopeo copies from, to, between, inspects, lists and deletes", .enabled(if: PeerRegistry.program != nil))
    func skopeo() async throws {
        let peer = try await PeerRegistry()
        defer { withExtendedLifetime(peer) {} }
        try await withServedRegistry { [peerHost = peer.host] host, folder in
            let image = try await build(in: folder)
            try await withClient { registries in
                try await push(image, registries, ImageReference(registry: host, repository: "shop/cart", tag: "1"))
            }
            let copy = [
                "--insecure-policy", "copy", "--src-tls-verify=false", "--dest-tls-verify=false", "--preserve-digests",
            ]
            let ours = "docker://\(host)/shop/cart"
            let theirs = "docker://\(peerHost)/mirror/cart:1"
            try await succeed("skopeo", copy + ["\(ours):1", theirs])
            try await succeed("skopeo", copy + [theirs, "docker://\(host)/back/cart:1"])
            try await succeed("skopeo", copy + ["docker://\(host)/back/cart:1", "oci:\(folder)/layout:1"])
            try await succeed("skopeo", copy + ["oci:\(folder)/layout:1", "\(ours):2"])
            let kept = try Data(contentsOf: URL(filePath: "\(folder)/layout/blobs/sha256/\(image.manifest.digest.hex)"))
            #expect(Array(kept) == image.manifest.bytes)

            let inspected = try await succeed("skopeo", ["inspect", "--tls-verify=false", "\(ours):2"])
            let document = try JSON(parsing: inspected)
            #expect(document["Digest"]?.string == "\(image.manifest.digest)")
            #expect(document["RepoTags"] == ["1", "2"])
            #expect(document["Layers"]?.array?.count == image.layers.count)

            try await succeed("skopeo", ["delete", "--tls-verify=false", "\(ours):1"])
            let gone = try await finish("skopeo", ["inspect", "--tls-verify=false", "\(ours):1"])
            #expect(gone.status != 0 && gone.output.contains("manifest unknown"), "\(gone.output)")
        }
    }

    private func curl(_ arguments: [String]) async throws -> String {
        try await succeed("curl", ["-s", "-S", "--max-time", "30"] + arguments)
    }

    @Test("heads, ranges, errors and odd paths look right on the wire")
    func wire() async throws {
        try await withServedRegistry { host, folder in
            let image = try await build(in: folder)
            try await withClient { registries in
                try await push(image, registries, ImageReference(registry: host, repository: "a", tag: "1"))
            }
            let head = try await curl(["-I", "http://\(host)/v2/a/manifests/1"]).lowercased()
            #expect(head.hasPrefix("http/1.1 200"))
            #expect(head.contains("content-length: \(image.manifest.bytes.count)\r\n"))
            #expect(head.contains("docker-content-digest: \(image.manifest.digest)\r\n"))
            #expect(head.contains("content-type: application/vnd.oci.image.manifest.v1+json\r\n"))

            let layer = image.layers[0]
            let part = try await curl([
                "-D-", "-r", "0-1", "-o", "/dev/null", "http://\(host)/v2/a/blobs/\(layer.digest)",
            ])
            #expect(part.hasPrefix("HTTP/1.1 206"))
            #expect(part.lowercased().contains("content-range: bytes 0-1/\(layer.size)\r\n"))

            let missing = try await curl(["-w", " %{http_code} %{content_type}", "http://\(host)/v2/a/manifests/2"])
            let document = #"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"#
            #expect(missing.hasPrefix(document) && missing.hasSuffix(" 404 application/json"))

            for path in [
                "/v2/../../etc/passwd", "/v2/a/..%2F..%2F/tags/list", "/v2/%2e%2e/b/tags/list", "/v2/a%00/tags/list",
            ] {
                let answer = try await curl(["--path-as-is", "-w", " %{http_code}", "http://\(host)\(path)"])
                #expect(answer.hasSuffix(" 404") || answer.hasSuffix(" 400"), "\(path): \(answer)")
            }
            let foreign = try await curl(["-w", "%{http_code}", "-H", "Host: evil.example", "http://\(host)/v2/"])
            #expect(foreign.hasSuffix("421"))
        }
    }

    @Test("a client that leaves in the middle of an upload may come back")
    func interrupted() async throws {
        try await withServedRegistry { host, folder in
            let bytes = Data((0..<200_000).map { UInt8(truncatingIfNeeded: $0) })
            try bytes.write(to: URL(filePath: "\(folder)/blob"))
            let sum = try await succeed("sha256sum", ["\(folder)/blob"]).prefix(64)
            let head = try await curl(["-D-", "-X", "POST", "http://\(host)/v2/a/blobs/uploads/"])
            let location = try #require(head.firstMatch(of: /[Ll]ocation: (\S+)/)).output.1
            // The announced length is never reached: the server sees the connection end early.
            let early = try await finish(
                "curl",
                [
                    "-s", "--max-time", "1", "-X", "PATCH", "-H", "Content-Length: 200000", "--data-binary",
                    String(repeating: "x", count: 7), "http://\(host)\(location)",
                ]
            )
            #expect(early.status != 0)
            try await curl(["-X", "DELETE", "http://\(host)\(location)"]).isEmpty.assertTrue()
            let again = try await curl(["-D-", "-X", "POST", "http://\(host)/v2/a/blobs/uploads/"])
            let second = try #require(again.firstMatch(of: /[Ll]ocation: (\S+)/)).output.1
            let chunked = ["-X", "PATCH", "-H", "Transfer-Encoding: chunked", "-T", "\(folder)/blob"]
            #expect(try await curl(chunked + ["-D-", "http://\(host)\(second)"]).contains("0-199999"))
            let url = "http://\(host)\(second)?digest=sha256:\(sum)"
            #expect(try await curl(["-X", "PUT", "-o", "/dev/null", "-w", "%{http_code}", url]) == "201")
            try await curl(["-o", "\(folder)/back", "http://\(host)/v2/a/blobs/sha256:\(sum)"]).isEmpty.assertTrue()
            #expect(try Data(contentsOf: URL(filePath: "\(folder)/back")) == bytes)
        }
    }
}

extension Bool {
    fileprivate func assertTrue(_ location: SourceLocation = #_sourceLocation) {
        #expect(self, sourceLocation: location)
    }
}
