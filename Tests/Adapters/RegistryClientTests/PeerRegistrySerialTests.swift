// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
import Foundation
import Model
import Ports
import TestKit
import Testing

@testable import RegistryClient

/// Against Debian's docker-registry as a process.
@Suite("exchanges with docker-registry", .serialized, .enabled(if: PeerRegistry.program != nil))
struct PeerRegistrySerialTests {
    @Test("an image goes up and comes down unchanged; a second push sends nothing; another repository mounts")
    func roundTrip() async throws {
        let peer = try await PeerRegistry()
        let image = try SampleImage(layerSize: 5 << 20)
        try await withRegistries { registries in
            let registry = registries.registry(peer.host, credentials: nil)
            for repository in ["shop/cart", "shop/cart", "shop/web"] {
                let reference = ImageReference(registry: peer.host, repository: repository, tag: "1")
                #expect(try await image.push(to: registry, reference) == image.manifest.digest)
                #expect(try await registry.manifest(reference) == image.manifest)
                let bytes = try await collect(registry.blob(image.layer.digest, from: repository))
                #expect(ContentHash.digest(of: bytes) == image.layer.digest)
            }
            var pinned = ImageReference(registry: peer.host, repository: "shop/web", digest: image.manifest.digest)
            #expect(try await registry.manifest(pinned) == image.manifest)
            let none = ContentHash.digest(of: Array("no such manifest".utf8))
            pinned.digest = none
            await #expect {
                try await registry.manifest(pinned)
            } throws: { error in
                (error as? Failure)?.code == .notFound
                    && "\(error)".hasPrefix("the registry '\(peer.host)' cannot pull 'shop/web@\(none)'")
            }
        }
    }

    @Test("a password opens the registry, a wrong one or none is refused with what to do")
    func passwords() async throws {
        let peer = try await PeerRegistry(password: "s3cret")
        let image = try SampleImage()
        let reference = ImageReference(registry: peer.host, repository: "shop/cart", tag: "1")
        try await withRegistries { registries in
            let right = RegistryCredentials(username: "tester", password: "s3cret")
            _ = try await image.push(to: registries.registry(peer.host, credentials: right), reference)
            let wrong = RegistryCredentials(username: "tester", password: "guess")
            await #expect {
                try await registries.registry(peer.host, credentials: wrong).manifest(reference)
            } throws: { error in
                (error as? Failure)?.code == .denied && "\(error)".contains("check the password of 'tester'")
            }
            await #expect {
                try await image.push(to: registries.registry(peer.host, credentials: nil), reference)
            } throws: { error in
                (error as? Failure)?.code == .denied && "\(error)".contains("log in by 'docker login \(peer.host)'")
            }
        }
    }

    @Test("a manifest over a blob that was never pushed is refused in the registry's words")
    func missingBlob() async throws {
        let peer = try await PeerRegistry()
        let image = try SampleImage()
        try await withRegistries { registries in
            let registry = registries.registry(peer.host, credentials: nil)
            let reference = ImageReference(registry: peer.host, repository: "shop/cart", tag: "1")
            await #expect {
                try await registry.push(image.manifest, as: reference)
            } throws: { error in
                (error as? Failure)?.code == .invalidInput && "\(error)".contains("blob unknown to registry")
            }
        }
    }
}
