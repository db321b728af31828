// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Telemetry
import TestKit
import Testing

@testable import ImageStore

@Suite("cleaning a registry from time to time")
struct RegistryCleanerTests {
    let scratch: Scratch
    let registry: RegistryCalls

    init() throws {
        scratch = try Scratch()
        registry = try RegistryCalls(folder: scratch.path)
    }

    private func cleaner(after: Duration, _ clock: any Clock<Duration> = ContinuousClock()) -> RegistryCleaner {
        let now = Timestamp(nanoseconds: Int64(Date().timeIntervalSince1970 * 1e9)) + after
        return RegistryCleaner(
            store: registry.service.store,
            clock: clock,
            wall: WallClock { now },
            telemetry: Telemetry("test")
        )
    }

    @Test("blobs without a manifest go when they are old, and those of images never do")
    func blobs() async throws {
        let image = try await registry.pushImage("one", to: "a", as: "1")
        let lonely = try await registry.pushBlob("lonely", to: "b")
        await cleaner(after: .seconds(5 * 3600)).clean()
        #expect(try Folder.names(in: "\(scratch.path)/blobs/sha256").contains(lonely.hex))
        await cleaner(after: .seconds(7 * 3600)).clean()
        #expect(try !Folder.names(in: "\(scratch.path)/blobs/sha256").contains(lonely.hex))
        await cleaner(after: .seconds(1000 * 3600)).clean()
        #expect(await registry.call("GET", "/v2/a/blobs/\(image.layer)").status == 200)
    }

    @Test("an upload may rest for a day")
    func uploads() async throws {
        let started = await registry.call("POST", "/v2/a/blobs/uploads/")
        #expect(started.status == 202)
        await cleaner(after: .seconds(23 * 3600)).clean()
        #expect(try !Folder.names(in: "\(scratch.path)/uploads").isEmpty)
        await cleaner(after: .seconds(25 * 3600)).clean()
        #expect(try Folder.names(in: "\(scratch.path)/uploads").isEmpty)
    }

    @Test("it cleans every hour until it is cancelled")
    func rhythm() async throws {
        let clock = CountedSleeps(limit: 3)
        let cleaner = cleaner(after: .zero, clock)
        await Task { await cleaner.run() }.value
        #expect(clock.durations == Array(repeating: .seconds(3600), count: 3))
    }
}
