// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Testing

@testable import ImageStore

@Suite("collecting blobs that nobody needs")
struct CollectionTests {
    let scratch: Scratch
    let registry: RegistryCalls

    init() throws {
        scratch = try Scratch()
        registry = try RegistryCalls(folder: scratch.path)
    }

    private let future = Timestamp(nanoseconds: .max)

    /// Makes everything on disk look unused since 1970.
    private func age() throws {
        let files = try #require(FileManager.default.enumerator(atPath: scratch.path))
        for case let name as String in files {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 1)],
                ofItemAtPath: "\(scratch.path)/\(name)"
            )
        }
    }

    @Test("blobs of manifests stay, others go, and bytes go with their last link")
    func collects() async throws {
        let image = try await registry.pushImage("one", to: "a", as: "1")
        let shared = try await registry.pushBlob("layer of one", to: "b")
        let lonely = try await registry.pushBlob("lonely", to: "b")
        let report = try await registry.service.store.collect(unusedSince: future)
        #expect(report == CollectionReport(blobs: 1, bytes: 6))
        #expect(await registry.call("GET", "/v2/b/blobs/\(lonely)").status == 404)
        #expect(await registry.call("GET", "/v2/b/blobs/\(shared)").status == 404)
        #expect(await registry.call("GET", "/v2/a/blobs/\(image.layer)").status == 200)
        #expect(await registry.call("GET", "/v2/a/manifests/1").status == 200)
    }

    @Test("a deleted manifest frees its blobs and its own bytes")
    func afterDeletion() async throws {
        let image = try await registry.pushImage("one", to: "a", as: "1")
        _ = await registry.call("DELETE", "/v2/a/manifests/\(image.digest)")
        let report = try await registry.service.store.collect(unusedSince: future)
        #expect(report.blobs == 3)
        #expect(try Folder.names(in: "\(scratch.path)/blobs/sha256") == [])
    }

    @Test("a blob that a client was just told about outlives the run, so that its push succeeds")
    func graceByUse() async throws {
        let seen = try await registry.pushBlob("seen", to: "a")
        let unseen = try await registry.pushBlob("unseen", to: "a")
        try age()
        #expect(await registry.call("HEAD", "/v2/a/blobs/\(seen)").status == 200)
        let report = try await registry.service.store.collect(unusedSince: Timestamp(seconds: 1000))
        #expect(report.blobs == 1)
        #expect(await registry.call("HEAD", "/v2/a/blobs/\(seen)").status == 200)
        #expect(await registry.call("HEAD", "/v2/a/blobs/\(unseen)").status == 404)
    }

    @Test("a damaged manifest stops the collector instead of costing blobs")
    func damagedManifest() async throws {
        let image = try await registry.pushImage("one", to: "a", as: "1")
        try scratch.write("blobs/sha256/\(image.digest.hex)", "{")
        await #expect(throws: RegistryError.self) { try await registry.service.store.collect(unusedSince: future) }
        #expect(await registry.call("GET", "/v2/a/blobs/\(image.layer)").status == 200)
    }
}
