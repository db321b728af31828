// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
import Foundation
import Model
import Ports
import TestKit
import Testing

@testable import RegistryClient

/// Trouble on the way to Debian's docker-registry; the tag that was there stays as it was.
@Suite("trouble with docker-registry", .serialized, .enabled(if: PeerRegistry.program != nil))
struct PeerFaultSerialTests {
    @Test("a line that is cut in the middle of a push is gone over again, and the image arrives whole")
    func cutOnce() async throws {
        let peer = try await PeerRegistry()
        let image = try SampleImage(layerSize: 24 << 20)
        let proxy = try CuttingProxy(to: peer.port, cutAfter: [10 << 20, 3 << 20, nil])
        try await withRegistries { registries in
            let reference = ImageReference(registry: proxy.host, repository: "shop/cart", tag: "1")
            let digest = try await image.push(to: registries.registry(proxy.host, credentials: nil), reference)
            #expect(digest == image.manifest.digest)
            let bytes = try await collect(
                registries.registry(peer.host, credentials: nil).blob(image.layer.digest, from: "shop/cart")
            )
            #expect(ContentHash.digest(of: bytes) == image.layer.digest)
        }
        #expect(proxy.cuts == 2)
    }

    @Test("a line that stays cut is named, the old image stays, and the next push sends only what is missing")
    func cutForGood() async throws {
        let peer = try await PeerRegistry()
        let (old, new) = (try SampleImage(), try SampleImage(layerSize: 8 << 20))
        let proxy = try CuttingProxy(to: peer.port, cutAfter: [2 << 20])
        try await withRegistries { registries in
            let direct = registries.registry(peer.host, credentials: nil)
            let reference = ImageReference(registry: peer.host, repository: "shop/cart", tag: "live")
            _ = try await old.push(to: direct, reference)
            await #expect {
                try await new.push(to: registries.registry(proxy.host, credentials: nil), reference)
            } throws: { error in
                (error as? Failure)?.code == .unavailable
                    && "\(error)".hasPrefix(
                        "the registry '\(proxy.host)' cannot be reached to push a blob to 'shop/cart'"
                    )
            }
            #expect(try await direct.manifest(reference) == old.manifest)
            _ = try await new.push(to: direct, reference)
            #expect(try await direct.manifest(reference) == new.manifest)
        }
        #expect(proxy.cuts >= 2)
    }

    @Test("a registry whose disk is full says so, once, and keeps what it had", .enabled(if: SmallDisk.obstacle == nil))
    func diskFull() async throws {
        let disk = try SmallDisk(mebibytes: 4)
        let peer = try await PeerRegistry(storage: disk.path)
        let (old, new) = (try SampleImage(), try SampleImage(layerSize: 8 << 20))
        try await withRegistries { registries in
            let registry = registries.registry(peer.host, credentials: nil)
            let reference = ImageReference(registry: peer.host, repository: "shop/cart", tag: "live")
            _ = try await old.push(to: registry, reference)
            await #expect {
                try await new.push(to: registry, reference)
            } throws: { error in
                "\(error)".hasPrefix(
                    "the registry '\(peer.host)' failed to push a blob to 'shop/cart': its disk is full"
                )
            }
            #expect(try await registry.manifest(reference) == old.manifest)
        }
    }

    @Test(
        "a strict token service that reads one scope lets us push, mount and pull",
        .enabled(if: TokenServer.obstacle == nil)
    )
    func tokens() async throws {
        let tokens = try TokenServer()
        let peer = try await PeerRegistry(tokens: tokens)
        let image = try SampleImage(layerSize: 2 << 20)
        let login = RegistryCredentials(username: "tester", password: "s3cret")
        try await withRegistries { registries in
            let registry = registries.registry(peer.host, credentials: login)
            for repository in ["shop/cart", "shop/web"] {
                let reference = ImageReference(registry: peer.host, repository: repository, tag: "1")
                let digest = try await image.push(to: registry, reference)
                #expect(digest == image.manifest.digest)
                let stored = try await registry.manifest(reference)
                #expect(stored == image.manifest)
            }
        }
        #expect(tokens.requests.allSatisfy { $0.hasPrefix("tester GET repository:shop/") }, "\(tokens.requests)")
        // A mount asks for both repositories at once, ours first.
        #expect(tokens.requests.contains("tester GET repository:shop/web:pull,push repository:shop/cart:pull"))
    }

    @Test(
        "who may not push is told so, and so is one whose password is wrong or expired",
        .enabled(if: TokenServer.obstacle == nil)
    )
    func rights() async throws {
        let tokens = try TokenServer()
        let peer = try await PeerRegistry(tokens: tokens)
        let image = try SampleImage()
        let reference = ImageReference(registry: peer.host, repository: "shop/cart", tag: "1")
        try await withRegistries { registries in
            for (user, password, words) in [
                ("reader", "s3cret", "ask for the right to push a blob to 'shop/cart' for 'reader'"),
                ("tester", "old", "check the password of 'tester', which may be wrong or expired"),
                ("cr_temp_user", "old", "a login of 'cr_temp_user' is good for 1 hour: get a new one"),
                ("", "", "log in by 'docker login \(peer.host)'"),
            ] {
                let login = user.isEmpty ? nil : RegistryCredentials(username: user, password: password)
                await #expect {
                    try await image.push(to: registries.registry(peer.host, credentials: login), reference)
                } throws: { error in
                    (error as? Failure)?.code == .denied && "\(error)".contains(words)
                        && "\(error)".contains("'\(peer.host)'") && "\(error)".contains("'shop/cart'")
                }
            }
        }
    }

    @Test("a base is fetched once, comes from the folder after that, and damage on the way is found")
    func bases() async throws {
        let peer = try await PeerRegistry()
        let image = try SampleImage(layerSize: 1 << 20)
        let folder = FileManager.default.temporaryDirectory.path + "/ballast-bases-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await withRegistries { registries in
            let reference = ImageReference(registry: peer.host, repository: "bases/one", tag: "1")
            let registry = registries.registry(peer.host, credentials: nil)
            _ = try await image.push(to: registry, reference)
            let (index, digest) = try await pushIndex(over: image, to: registry, reference)
            let bases = CachedBaseImages(folder: folder, registries: registries)
            let first = try await bases.image(reference, architecture: "amd64", credentials: nil)
            #expect(first.pinned.digest == digest, "the index is pinned, not the image for one architecture")
            #expect(first.image.manifest.digest == image.manifest.digest)
            #expect(first.image.layers.map(\.digest) == [image.layer.digest])
            #expect(first.fetched == image.layer.size + image.configuration.size)
            let second = try await bases.image(reference, architecture: "amd64", credentials: nil)
            #expect(second.fetched == 0 && second.image == first.image)
            await #expect {
                try await bases.image(reference, architecture: "s390x", credentials: nil)
            } throws: { ($0 as? Failure)?.code == .notFound && "\($0)".contains("it has linux/amd64") }
            _ = index
            // By digest no registry is needed at all.
            let gone = CachedBaseImages(folder: folder, registries: DeafRegistries())
            #expect(try await gone.image(first.pinned, architecture: "amd64", credentials: nil).image == first.image)
            // A name that is asked for anew without a registry is an error, not yesterday's image.
            await #expect(throws: Failure.self) {
                try await gone.image(reference, architecture: "amd64", credentials: nil)
            }
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(!left.contains { $0.hasPrefix(".new-") })
    }

    private func pushIndex(
        over image: SampleImage,
        to registry: any ImageRegistry,
        _ reference: ImageReference
    ) async throws -> (StoredManifest, Digest) {
        let type = "application/vnd.oci.image.index.v1+json"
        let document: JSON = [
            "schemaVersion": 2, "mediaType": .string(type),
            "manifests": [
                [
                    "mediaType": .string(image.manifest.mediaType), "digest": .string("\(image.manifest.digest)"),
                    "size": JSON(image.manifest.bytes.count), "platform": ["os": "linux", "architecture": "amd64"],
                ]
            ],
        ]
        let index = StoredManifest(
            mediaType: type,
            bytes: document.bytes,
            digest: ContentHash.digest(of: document.bytes)
        )
        return (index, try await registry.push(index, as: reference))
    }
}

/// Answers nothing.
private struct DeafRegistries: ImageRegistries {
    func registry(_ host: String, credentials: RegistryCredentials?) -> any ImageRegistry {
        UnusableRegistry(failure: Failure(.unavailable, "deaf"))
    }
}
