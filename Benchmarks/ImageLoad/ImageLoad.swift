// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import HTTPSurface
import Hummingbird
import ImageStore
import Logging
import Model
import Ports
import RegistryClient

/// Moves images and says how long it took and how much memory it needed at most.
///
///     ImageLoad serve FOLDER PORT            a registry of its own, until it is told to end
///     ImageLoad build FOLDER PATH            builds an image of PATH, with FOLDER as the cache
///     ImageLoad push FOLDER HOST NAME PATH   builds the image and pushes it to HOST as NAME
///     ImageLoad pull HOST NAME               reads every blob of NAME's first manifest and drops the bytes
@main
struct ImageLoad {
    static func main() async throws {
        let words = Array(CommandLine.arguments.dropFirst())
        switch (words.first, words.count) {
        case ("serve", 3): try await serve(words[1], port: Int(words[2]) ?? 0)
        case ("build", 3): _ = try await build(words[1], words[2])
        case ("push", 5): try await push(try await build(words[1], words[4]), to: words[2], words[3])
        case ("pull", 3): try await pull(words[1], words[2])
        default: print("the words are not understood; see Benchmarks/ImageLoad")
        }
    }

    static func serve(_ folder: String, port: Int) async throws {
        let store = try RegistryStore(folder: folder, removingUploadsBefore: Timestamp(seconds: 0))
        let responder = RegistryResponder(RegistryService(store), hosts: HostGuard(names: []))
        let address = ListenAddress(host: "127.0.0.1", port: port)
        try await Listener.plain(address, responder, log: Logger(label: "bench")).runService()
    }

    static func build(_ folder: String, _ path: String) async throws -> BuiltImage {
        #if arch(x86_64)
            let architecture = "amd64"
        #else
            let architecture = "arm64"
        #endif
        let name = URL(filePath: path).lastPathComponent
        let isProgram = FileManager.default.isExecutableFile(atPath: path) && !path.hasSuffix("/")
        var isFolder: ObjCBool = false
        _ = unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        let plan = ImagePlan(
            files: [
                .init(source: path, destination: "/srv/\(name)", hasLibraries: isProgram && !isFolder.boolValue)
            ],
            entrypoint: ["/srv/\(name)"],
            architecture: architecture
        )
        let started = ContinuousClock.now
        let image = try await LayeredImageBuilder(folder: folder).build(plan)
        report("built", image, since: started)
        return image
    }

    static func push(_ image: BuiltImage, to host: String, _ repository: String) async throws {
        let registries = HTTPImageRegistries()
        let registry = registries.registry(host, credentials: nil)
        let started = ContinuousClock.now
        for blob in image.layers + [image.configuration] { try await registry.push(blob, to: repository) }
        _ = try await registry.push(
            image.manifest,
            as: ImageReference(registry: host, repository: repository, tag: "1")
        )
        report("pushed", image, since: started)
        await registries.shutdown()
    }

    static func pull(_ host: String, _ repository: String) async throws {
        let registries = HTTPImageRegistries()
        let registry = registries.registry(host, credentials: nil)
        let started = ContinuousClock.now
        let stored = try await registry.manifest(ImageReference(registry: host, repository: repository, tag: "1"))
        var count = 0
        for layer in try JSON(parsing: stored.bytes)["layers"]?.array ?? [] {
            guard let digest = layer["digest"]?.string.flatMap({ Digest($0) }) else { continue }
            for try await piece in try await registry.blob(digest, from: repository) { count += piece.count }
        }
        report("pulled", bytes: count, layers: 0, since: started)
        await registries.shutdown()
    }

    private static func report(_ verb: String, _ image: BuiltImage, since start: ContinuousClock.Instant) {
        report(verb, bytes: image.layers.reduce(0) { $0 + $1.size }, layers: image.layers.count, since: start)
    }

    private static func report(_ verb: String, bytes: Int, layers: Int, since start: ContinuousClock.Instant) {
        let time = ContinuousClock.now - start
        let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
        let rate = Double(bytes) / 1e6 / seconds
        let text =
            "\(verb) \(bytes) bytes in \(layers) layers: \(Int(seconds * 1000)) ms, \(Int(rate)) MB/s, at most \(peak())"
        print(text)
    }

    /// The most memory that this process had at once.
    private static func peak() -> String {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
        let kibibytes = Int(line.filter(\.isNumber)) ?? 0
        return "\(kibibytes / 1024) MiB"
    }
}
