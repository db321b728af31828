// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Ports
import TestKit
import Testing

@testable import RegistryClient

/// What skopeo and buildah push we pull, and the other way round, through Debian's docker-registry.
@Suite(
    "images of and for other tools",
    .serialized,
    .enabled(if: PeerRegistry.program != nil && Tool.find("skopeo") != nil)
)
struct PeerToolsSerialTests {
    @Test(
        "an image that buildah made and pushed goes on through us to skopeo and back to buildah",
        .enabled(if: Tool.find("buildah") != nil)
    )
    func buildah() async throws {
        let peer = try await PeerRegistry()
        let folder = try Tool.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data("FROM scratch\nCOPY hello /hello\n".utf8).write(to: URL(filePath: "\(folder)/Containerfile"))
        try Data("hello".utf8).write(to: URL(filePath: "\(folder)/hello"))
        try Data(#"{"default":[{"type":"insecureAcceptAnything"}]}"#.utf8).write(to: URL(filePath: "\(folder)/policy"))
        let storage = ["--root", "\(folder)/storage", "--runroot", "\(folder)/run", "--storage-driver", "vfs"]
        try Tool.run("buildah", storage + ["build", "--isolation", "chroot", "--format", "oci", "-t", "made", folder])
        let plain = ["--tls-verify=false", "--signature-policy", "\(folder)/policy"]
        try Tool.run("buildah", storage + ["push"] + plain + ["made", "docker://\(peer.host)/tools/made:1"])
        try await withRegistries { registries in
            let made = ImageReference(registry: peer.host, repository: "tools/made", tag: "1")
            let bases = CachedBaseImages(folder: "\(folder)/bases", registries: registries)
            let base = try await bases.image(made, architecture: Tool.architecture, credentials: nil)
            let ours = ImageReference(registry: peer.host, repository: "ours/made", tag: "2")
            let registry = registries.registry(peer.host, credentials: nil)
            for blob in base.image.layers + [base.image.configuration] {
                try await registry.push(blob, to: ours.repository)
            }
            let digest = try await registry.push(base.image.manifest, as: ours)
            let said = try Tool.run(
                "skopeo",
                ["inspect", "--tls-verify=false", "--format", "{{.Digest}}", "docker://\(ours)"]
            )
            #expect(said.trimmingCharacters(in: .whitespacesAndNewlines) == "\(digest)")
            try Tool.run("buildah", storage + ["pull"] + plain + ["docker://\(peer.host)/ours/made@\(digest)"])
        }
    }

    @Test("what skopeo pushed under a login that it left behind we pull with that login")
    func skopeo() async throws {
        let peer = try await PeerRegistry(password: "s3cret")
        let folder = try Tool.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = "\(folder)/auth.json"
        try Tool.run(
            "skopeo",
            ["login", "--tls-verify=false", "--authfile", file, "-u", "tester", "-p", "s3cret", peer.host]
        )
        let registries = HTTPImageRegistries(logins: DockerLogins(environment: ["REGISTRY_AUTH_FILE": file]))
        do {
            let image = try SampleImage(layerSize: 1 << 20)
            let registry = registries.registry(peer.host, credentials: nil)
            let ours = ImageReference(registry: peer.host, repository: "shop/ours", tag: "1")
            let digest = try await image.push(to: registry, ours)
            let copy = [
                "--insecure-policy", "copy", "-q", "--preserve-digests", "--authfile", file, "--src-tls-verify=false",
                "--dest-tls-verify=false",
            ]
            try Tool.run("skopeo", copy + ["docker://\(ours)", "docker://\(peer.host)/shop/theirs:1"])
            let theirs = ImageReference(registry: peer.host, repository: "shop/theirs", tag: "1")
            #expect(try await registry.manifest(theirs) == image.manifest)
            #expect(digest == image.manifest.digest)
            // And without the login there is nothing to be had, and it is said what would help.
            try FileManager.default.removeItem(atPath: file)
            let nobody = HTTPImageRegistries(logins: DockerLogins(environment: ["REGISTRY_AUTH_FILE": file]))
            await #expect {
                try await nobody.registry(peer.host, credentials: nil).manifest(theirs)
            } throws: { "\($0)".contains("log in by 'docker login \(peer.host)'") }
            await nobody.shutdown()
        } catch {
            await registries.shutdown()
            throw error
        }
        await registries.shutdown()
    }
}

/// Programs of this machine, run to their end.
enum Tool {
    static func find(_ name: String) -> String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        return folders.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    static var architecture: String {
        #if arch(arm64)
            "arm64"
        #else
            "amd64"
        #endif
    }

    static func folder() throws -> String {
        let path = FileManager.default.temporaryDirectory.path + "/ballast-tool-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    /// What it printed; throws with what it complained of where it fails.
    @discardableResult
    static func run(_ name: String, _ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: try #require(find(name)))
        process.arguments = arguments
        let (output, errors) = (Pipe(), Pipe())
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let said = output.fileHandleForReading.readDataToEndOfFile()
        let complaint = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(.fault, "\(name) \(arguments): \(String(decoding: complaint, as: UTF8.self))")
        }
        return String(decoding: said, as: UTF8.self)
    }
}
