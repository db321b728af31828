// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Glibc
import Model
import Ports
import Releases

/// Builds Containerfiles by buildah: without a daemon, in a storage of our own, into files that our own client pushes.
///
/// Times are those of 1970, so that the same input becomes the same digest.
struct Buildah: ContainerfileBuilder {
    /// Storage and results are below it.
    let folder: String
    /// Host and port of registries that app files call by another name.
    let aliases: [String: String]
    let environment: [String: String]

    func prepare(_ plan: ContainerfilePlan) async throws -> ContainerfileBuild {
        guard let program = find("buildah") else {
            throw Failure(
                .invalidInput,
                "a 'containerfile' is built by buildah, which is not on PATH; install it ('apt-get install buildah', 'dnf install buildah'), or list the image's 'files' instead"
            )
        }
        guard let text = FileManager.default.contents(atPath: plan.file).map({ String(decoding: $0, as: UTF8.self) })
        else { throw Failure(.invalidInput, "the Containerfile '\(plan.file)' is not there or cannot be read") }
        let results = "\(folder)/\(plan.name)"
        do {
            try? FileManager.default.removeItem(atPath: results)
            try FileManager.default.createDirectory(
                atPath: results,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            return ContainerfileBuild(command: try command(program, plan, text, results)) {
                try Self.read("\(results)/image")
            }
        } catch let error where !(error is Failure) {
            throw Failure(.fault, "the folder '\(results)' for builds cannot be made: \(ErrorWords.text(of: error))")
        }
    }

    private func find(_ program: String) -> String? {
        (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(program)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    // MARK: the command

    private func command(
        _ program: String,
        _ plan: ContainerfilePlan,
        _ text: String,
        _ results: String
    ) throws -> String {
        var settings: [String] = []
        if let file = try registries(text, results) {
            settings.append("CONTAINERS_REGISTRIES_CONF=\(Self.quoted(file))")
        }
        let storage = ["--root", "\(folder)/.storage", "--runroot", "\(folder)/.run"] + driver
        var build = [program] + storage + ["build", "--isolation", environment["BUILDAH_ISOLATION"] ?? "chroot"]
        build += ["--format", "oci", "--timestamp", "0", "--layers", "--identity-label=false"]
        build += ["--platform", "linux/\(plan.architecture)", "--iidfile", "\(results)/id"]
        for (key, value) in plan.labels.sorted(by: { $0.key < $1.key }) { build += ["--label", "\(key)=\(value)"] }
        let policy = try policy(results)
        build += policy + (try login(plan, text, results)) + ["--file", plan.file, plan.context]
        let push = [program] + storage + ["push", "--quiet"] + policy
        let settled = settings.map { "export \($0)\n" }.joined()
        return """
            set -e
            \(settled)\(Self.line(build))
            \(Self.line(push)) "$(cat \(Self.quoted("\(results)/id")))" \(Self.quoted("oci:\(results)/image"))
            """
    }

    private static func line(_ words: [String]) -> String { words.map(quoted).joined(separator: " ") }

    static func quoted(_ word: String) -> String { "'" + word.replacing("'", with: "'\\''") + "'" }

    /// Overlays where they work, since `vfs` copies everything for every step.
    private var driver: [String] {
        guard environment["STORAGE_DRIVER"] == nil else { return [] }
        return ["--storage-driver", geteuid() == 0 && !isOnOverlay ? "overlay" : "vfs"]
    }

    private var isOnOverlay: Bool {
        // Read to its end: the kernel hands it out a page at a time.
        let table = FileHandle(forReadingAtPath: "/proc/self/mountinfo")?.readDataToEndOfFile() ?? Data()
        let mounts = String(decoding: table, as: UTF8.self).split(separator: "\n").compactMap { line in
            let sides = line.components(separatedBy: " - ")
            let words = sides[0].split(separator: " ")
            guard words.count > 4, sides.count == 2, let type = sides[1].split(separator: " ").first else {
                return (place: String, type: Substring)?.none
            }
            return (String(words[4]), type)
        }
        let own = URL(filePath: folder).resolvingSymlinksInPath().path
        let covering = mounts.filter { $0.place == "/" || own == $0.place || own.hasPrefix($0.place + "/") }
        // The last of several on one place is the one that is seen.
        return covering.reversed().max { $0.place.count < $1.place.count }?.type ?? "overlay" == "overlay"
    }

    /// The machine's settings, and where the names of app files lead; `nil` where the Containerfile uses none of them.
    private func registries(_ text: String, _ results: String) throws -> String? {
        let used = aliases.filter { text.contains($0.key) }
        guard !used.isEmpty else { return nil }
        let candidates = [environment["CONTAINERS_REGISTRIES_CONF"], "/etc/containers/registries.conf"].compactMap(
            \.self
        )
        let own = candidates.lazy.compactMap { try? String(contentsOfFile: $0, encoding: .utf8) }.first
        var document = own ?? "unqualified-search-registries = [\"docker.io\"]\n"
        for (name, place) in used.sorted(by: { $0.key < $1.key }) {
            document += "\n[[registry]]\nprefix = \"\(name)\"\nlocation = \"\(place)\"\ninsecure = true\n"
        }
        return try write(document, "\(results)/registries.conf")
    }

    /// Without a policy of the machine's own nothing would be pulled at all.
    private func policy(_ results: String) throws -> [String] {
        let home = environment["HOME"].map { ["\($0)/.config/containers/policy.json"] } ?? []
        let known = (home + ["/etc/containers/policy.json"]).contains { FileManager.default.fileExists(atPath: $0) }
        guard !known else { return [] }
        let document: JSON = ["default": [["type": "insecureAcceptAnything"]]]
        return ["--signature-policy", try write(document.text, "\(results)/policy.json")]
    }

    /// The release's login, where the Containerfile names its registry; else buildah finds the machine's own ones.
    private func login(_ plan: ContainerfilePlan, _ text: String, _ results: String) throws -> [String] {
        guard let (registry, login) = plan.credentials, text.contains(registry) else { return [] }
        let auth = Base64.encode(Array("\(login.username):\(login.password)".utf8))
        var entry: JSON = ["auth": .string(auth)]
        if let token = login.identityToken { entry["identitytoken"] = .string(token) }
        let document: JSON = ["auths": .object([registry: entry])]
        return ["--authfile", try write(document.text, "\(results)/auth.json")]
    }

    private func write(_ text: String, _ file: String) throws -> String {
        _ = FileManager.default.createFile(atPath: file, contents: nil, attributes: [.posixPermissions: 0o600])
        try Data(text.utf8).write(to: URL(filePath: file))
        return file
    }

    // MARK: the result

    /// The image of an OCI layout, as files.
    static func read(_ layout: String) throws -> BuiltImage {
        func bytes(_ digest: Digest) throws -> [UInt8] {
            try Array(Data(contentsOf: URL(filePath: "\(layout)/blobs/sha256/\(digest.hex)")))
        }
        func blob(_ json: JSON?) throws -> BlobFile {
            guard let digest = json?["digest"]?.string.flatMap({ Digest($0) }), let size = json?["size"]?.int else {
                throw Failure(.fault, "buildah wrote a manifest that names a blob without digest or size")
            }
            return BlobFile(digest: digest, size: size, path: "\(layout)/blobs/sha256/\(digest.hex)")
        }
        do {
            let index = try JSON(parsing: Array(Data(contentsOf: URL(filePath: "\(layout)/index.json"))))
            let entry = index["manifests"]?[0]
            guard let digest = entry?["digest"]?.string.flatMap({ Digest($0) }) else {
                throw Failure(.fault, "buildah wrote no image to '\(layout)'")
            }
            let manifest = try bytes(digest)
            let json = try JSON(parsing: manifest)
            return BuiltImage(
                layers: try (json["layers"]?.array ?? []).map(blob),
                configuration: try blob(json["config"]),
                manifest: StoredManifest(
                    mediaType: entry?["mediaType"]?.string ?? "application/vnd.oci.image.manifest.v1+json",
                    bytes: manifest,
                    digest: digest
                )
            )
        } catch let error where !(error is Failure) {
            throw Failure(.fault, "what buildah wrote to '\(layout)' cannot be read", cause: error)
        }
    }
}
