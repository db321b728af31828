// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Synchronization
import Telemetry
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
        let clock = HourlyClock(limit: 3)
        let cleaner = cleaner(after: .zero, clock)
        await Task { await cleaner.run() }.value
        #expect(clock.durations == Array(repeating: .seconds(3600), count: 3))
    }
}

/// Sleeps pass at once and are noted; the last one that is allowed cancels its task.
private final class HourlyClock: Clock {
    struct Instant: InstantProtocol {
        var offset: Duration
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private let limit: Int
    private let state = Mutex((now: Duration.zero, durations: [Duration]()))

    init(limit: Int) { self.limit = limit }

    var now: Instant { Instant(offset: state.withLock { $0.now }) }
    var minimumResolution: Duration { .nanoseconds(1) }
    var durations: [Duration] { state.withLock { $0.durations } }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let count = state.withLock { state in
            state.durations.append(deadline.offset - state.now)
            state.now = deadline.offset
            return state.durations.count
        }
        if count >= limit { unsafe withUnsafeCurrentTask { unsafe $0?.cancel() } }
        try Task.checkCancellation()
    }
}
