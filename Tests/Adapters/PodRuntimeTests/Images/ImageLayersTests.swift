// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
import Model
import Ports
import Synchronization
import Telemetry
import Testing

@testable import PodRuntime

@Suite("images on this machine")
struct ImageLayersTests {
    private let folder: ScratchFolder
    private let registry = MemoryRegistry()
    private let images: ImageLayers

    init() throws {
        folder = try ScratchFolder()
        images = try ImageLayers(folder: "\(folder.path)/images", registries: registry, telemetry: Telemetry("test"))
    }

    private func archive(_ name: String, _ content: String) -> [UInt8] {
        var tar = TarText()
        tar.add(name, content: content)
        return tar.closed
    }

    @Test func anImageIsPulledOnceAndDescribed() async throws {
        let config: JSON = [
            "Entrypoint": ["/bin/a"], "Cmd": ["b"], "Env": ["A=1", "PATH=/bin"], "User": "5:6", "WorkingDir": "/w",
            "StopSignal": "SIGQUIT", "Labels": ["k": "v"],
        ]
        let digest = registry.add("1", [archive("a", "lower"), archive("b", "upper")], config: config)
        let first = try await images.prepare("localhost:5000/x/y:1", credentials: [], pullPolicy: .ifNotPresent)
        #expect(first.imageID == "localhost:5000/x/y@\(digest)")
        #expect(first.pullDuration != nil)
        #expect(first.config.entrypoint == ["/bin/a"] && first.config.command == ["b"])
        #expect(first.config.environment == ["A=1", "PATH=/bin"] && first.config.user == "5:6")
        #expect(first.config.workingDirectory == "/w" && first.config.stopSignal == "SIGQUIT")
        #expect(first.layers.map { folder.text("images/layers/\($0.hex)/a") } == ["lower", nil])
        let asked = registry.asked.count
        let second = try await images.prepare("localhost:5000/x/y:1", credentials: [], pullPolicy: .ifNotPresent)
        #expect(second.layers == first.layers && second.config == first.config && second.pullDuration == nil)
        #expect(registry.asked.count == asked)
        #expect(folder.names("images/temporary").isEmpty)
    }

    @Test func imagesSurviveARestart() async throws {
        registry.add("1", [archive("a", "x")], config: ["Cmd": ["run"]])
        _ = try await images.prepare("r.test/a:1", credentials: [], pullPolicy: .always)
        let again = try ImageLayers(folder: "\(folder.path)/images", registries: registry, telemetry: Telemetry("test"))
        let image = try await again.prepare("r.test/a:1", credentials: [], pullPolicy: .never)
        #expect(image.config.command == ["run"])
    }

    @Test func alwaysAsksAgainButFetchesOnlyWhatIsNew() async throws {
        registry.add("1", [archive("a", "x")])
        _ = try await images.prepare("r.test/a:1", credentials: [], pullPolicy: .always)
        let digest = registry.add("1", [archive("a", "x"), archive("b", "y")])
        let before = registry.asked.count
        let image = try await images.prepare("r.test/a:1", credentials: [], pullPolicy: .always)
        #expect(image.digest == digest && image.layers.count == 2)
        #expect(
            registry.asked.dropFirst(before).filter { $0.hasPrefix("blob") }.count == 2,
            "the configuration and one layer"
        )
    }

    @Test func anIndexLeadsToThisMachinesImage() async throws {
        let mine = registry.add("mine", [archive("a", "mine")])
        let other = registry.add("other", [archive("a", "other")])
        let architecture = ImageManifest.hostArchitecture
        let index = registry.store(
            [
                "schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json",
                "manifests": [
                    ["digest": "\(other)", "size": 1, "platform": ["os": "linux", "architecture": "s390x"]],
                    [
                        "digest": "\(other)", "size": 1,
                        "platform": ["os": "windows", "architecture": .string(architecture)],
                    ],
                    [
                        "digest": "\(mine)", "size": 1,
                        "platform": ["os": "linux", "architecture": .string(architecture)],
                    ],
                    ["digest": "\(other)", "size": 1, "platform": ["os": "unknown", "architecture": "unknown"]],
                ],
            ],
            as: "multi"
        )
        let image = try await images.prepare("r.test/a:multi", credentials: [], pullPolicy: .ifNotPresent)
        #expect(image.digest == index)
        #expect(folder.text("images/layers/\(image.layers[0].hex)/a") == "mine")
        registry.store(
            [
                "schemaVersion": 2,
                "manifests": [
                    ["digest": "\(other)", "size": 1, "platform": ["os": "linux", "architecture": "s390x"]]
                ],
            ],
            as: "foreign"
        )
        let failure = await #expect(throws: ImageFailure.self) {
            try await images.prepare("r.test/a:foreign", credentials: [], pullPolicy: .ifNotPresent)
        }
        #expect(failure?.message.contains("no match for platform in manifest") == true)
    }

    @Test func layersWithoutCompressionAndInSeveralMembersAreRead() async throws {
        registry.add("plain", [archive("a", "plain")], compresses: false)
        let plain = try await images.prepare("r.test/a:plain", credentials: [], pullPolicy: .always)
        #expect(folder.text("images/layers/\(plain.layers[0].hex)/a") == "plain")
        let whole = archive("a", "members")
        let parts = MemoryRegistry.gzip(Array(whole.prefix(700))) + MemoryRegistry.gzip(Array(whole.dropFirst(700)))
        registry.add("members", [parts + [0, 0]], compresses: false, contents: [ContentHash.digest(of: whole)])
        let members = try await images.prepare("r.test/a:members", credentials: [], pullPolicy: .always)
        #expect(folder.text("images/layers/\(members.layers[0].hex)/a") == "members")
    }

    @Test func manyPodsShareOneDownload() async throws {
        registry.add("1", [archive("a", "x"), archive("b", "y"), archive("c", "z")])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { _ = try await images.prepare("r.test/a:1", credentials: [], pullPolicy: .ifNotPresent) }
            }
            try await group.waitForAll()
        }
        let layers = registry.asked.filter { $0.hasPrefix("blob") }
        #expect(Dictionary(grouping: layers) { $0 }.values.map(\.count).filter { $0 == 1 }.count >= 3)
        #expect(folder.names("images/layers").count == 3)
    }

    // MARK: failures

    @Test func whatIsWrongIsSaidInTheRegistrysWords() async throws {
        registry.add("1", [archive("a", "x")])
        func failure(_ image: String, _ policy: ImagePullPolicy = .ifNotPresent) async -> ImageFailure? {
            await #expect(throws: ImageFailure.self) {
                try await images.prepare(image, credentials: [], pullPolicy: policy)
            }
        }
        let name = await failure("UPPER/x")
        #expect(name?.reason == .invalidImageName)
        let never = await failure("r.test/a:1", .never)
        #expect(never?.reason == .errImageNeverPull)
        #expect(never?.message == "Container image \"r.test/a:1\" is not present with pull policy of Never")
        let missing = await failure("r.test/a:2")
        #expect(missing?.reason == .errImagePull && missing?.code == .notFound)
        #expect(missing?.message.contains("r.test/a:2: not found") == true)
        #expect(missing?.message.contains("manifest unknown") == true)
        registry.state.withLock { $0.fault = Failure(.unavailable, "connection refused") }
        let unavailable = await failure("r.test/a:1")
        #expect(unavailable?.code == .unavailable && unavailable?.message.contains("connection refused") == true)
    }

    @Test func damagedBlobsLeaveNothingBehind() async throws {
        let good = archive("a", "x")
        registry.add("content", [good], contents: [ContentHash.digest(of: [1])])
        let blob = MemoryRegistry.gzip(good)
        registry.add("cut", [blob], compresses: false, contents: [ContentHash.digest(of: good)])
        let digest = ContentHash.digest(of: blob)
        var flipped = blob
        flipped[blob.count - 6] ^= 1
        for (tag, bytes) in [
            ("content", blob), ("cut", Array(blob.dropLast(3))), ("cut", flipped), ("cut", blob + [1]),
        ] {
            registry.state.withLock { $0.blobs[digest] = bytes }
            await #expect(throws: ImageFailure.self) {
                try await images.prepare("r.test/a:\(tag)", credentials: [], pullPolicy: .always)
            }
            #expect(folder.names("images/layers").isEmpty && folder.names("images/temporary").isEmpty)
        }
        registry.state.withLock { $0.blobs[digest] = blob }
        _ = try await images.prepare("r.test/a:cut", credentials: [], pullPolicy: .always)
    }

    @Test func zstdIsRefusedByName() async throws {
        registry.add("z", [[0x28, 0xB5, 0x2F, 0xFD, 0, 0]], compresses: false)
        let failure = await #expect(throws: ImageFailure.self) {
            try await images.prepare("r.test/a:z", credentials: [], pullPolicy: .always)
        }
        #expect(failure?.message.contains("zstd") == true)
    }

    // MARK: credentials

    @Test func aCachedImageIsNotForWhoMayNotPullIt() async throws {
        let right = RegistryCredentials(username: "u", password: "p")
        let wrong = RegistryCredentials(username: "u", password: "q")
        registry.state.withLock { $0.login = right }
        registry.add("1", [archive("a", "x")])
        _ = try await images.prepare("r.test/a:1", credentials: [wrong, right], pullPolicy: .ifNotPresent)
        for refused in [[], [wrong]] {
            let failure = await #expect(throws: ImageFailure.self) {
                try await images.prepare("r.test/a:1", credentials: refused, pullPolicy: .ifNotPresent)
            }
            #expect(failure?.code == .denied && failure?.message.contains("authentication required") == true)
        }
        let asked = registry.asked.count
        _ = try await images.prepare("r.test/a:1", credentials: [right], pullPolicy: .ifNotPresent)
        #expect(registry.asked.count == asked)
        #expect(folder.text("images/names.json")?.contains("\"p\"") == false)
    }

    @Test func unusedImagesGoAndUsedOnesStay() async throws {
        registry.add("1", [archive("a", "shared"), archive("b", "x")])
        registry.add("2", [archive("a", "shared"), archive("c", "y")])
        let kept = try await images.prepare("r.test/a:1", credentials: [], pullPolicy: .always)
        let gone = try await images.prepare("r.test/a:2", credentials: [], pullPolicy: .always)
        let held = await images.heldImages()
        #expect(Set(held.flatMap(\.names)) == ["r.test/a:1", "r.test/a:2"])
        let unneeded = try #require(held.first { $0.names == ["r.test/a:2"] })
        #expect(try await images.remove(unneeded))
        #expect(Set(folder.names("images/layers")) == Set(kept.layers.map(\.hex)))
        #expect(gone.layers[0] == kept.layers[0])
        await #expect(throws: ImageFailure.self) {
            try await images.prepare("r.test/a:2", credentials: [], pullPolicy: .never)
        }
        _ = try await images.prepare("r.test/a:1", credentials: [], pullPolicy: .never)
    }
}

extension ImageLayersTests {
    @Test func anImageThatWasAskedForSinceIsNotRemoved() async throws {
        registry.add("1", [archive("a", "x")])
        _ = try await images.prepare("r.test/a:1", credentials: [], pullPolicy: .always)
        let held = try #require(await images.heldImages().first)
        let again = try await images.prepare("r.test/a:1", credentials: [], pullPolicy: .ifNotPresent)
        #expect(try await !images.remove(held))
        #expect(folder.names("images/layers") == again.layers.map(\.hex))
    }

    @Test func aMountedImageIsNotRemoved() async throws {
        registry.add("1", [archive("a", "x")])
        let image = try await images.prepare("r.test/a:1", credentials: [], pullPolicy: .always)
        let held = try #require(await images.heldImages().first)
        await images.noteMount(Set(image.layers), at: "/somewhere")
        #expect(try await !images.remove(held))
        await images.noteMount(nil, at: "/somewhere")
        #expect(try await images.remove(held))
        #expect(folder.names("images/layers").isEmpty && folder.names("images/manifests").isEmpty)
    }
}

extension ScratchFolder {
    func names(_ name: String) -> [String] { Folder.names(in: "\(path)/\(name)") }
}
