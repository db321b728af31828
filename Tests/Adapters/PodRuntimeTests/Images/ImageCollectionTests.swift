// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Synchronization
import Telemetry
import TestKit
import Testing

@testable import PodRuntime

@Suite("collecting images that nothing needs")
struct ImageCollectionTests {
    private let cluster = FakeCluster()
    private let disk = FakeDisk(capacity: 1000)
    /// What has passed, piece by piece.
    private let passed = Recorded<Duration>()
    private let complaints = Recorded<PodEvent>()

    // swift-format-ignore: NeverForceUnwrap
    /// 64 hex digits are a digest.
    private func digest(_ digit: Character) -> Digest { Digest(hex: String(repeating: digit, count: 64))! }

    private func image(_ digit: Character, names: String..., size: Int) -> HeldImage {
        HeldImage(manifest: digest(digit), digests: [digest(digit)], names: Set(names), size: size, uses: 0)
    }

    private func collection(_ clock: any Clock<Duration> = ContinuousClock()) -> ImageCollection {
        let now = Timestamp(seconds: 1_800_000_000) + passed.all.reduce(.zero, +)
        return ImageCollection(
            images: disk,
            api: cluster,
            clock: clock,
            wall: WallClock { now },
            telemetry: Telemetry("test"),
            disk: { disk.space },
            complain: { complaints.add($0) }
        )
    }

    private func pass(_ seconds: Int) { passed.add(.seconds(seconds)) }

    private func add(_ type: ResourceType, _ name: String, _ body: JSON) async throws {
        var object = KubeObject(type, namespace: "shop", name: name)
        object["spec"] = body
        _ = try await cluster.create(object, as: type)
    }

    private func template(_ image: String) -> JSON {
        ["template": ["spec": ["containers": [["name": "a", "image": .string(image)]]]]]
    }

    @Test func aDiskBelowTheHighMarkKeepsEverything() async throws {
        disk.hold([image("a", names: "r.test/a:1", size: 840)])
        var records = ImageRecords()
        try await collection().collect(&records)
        pass(600)
        try await collection().collect(&records)
        #expect(disk.held == ["r.test/a:1"] && complaints.all.isEmpty)
    }

    @Test func theLongestUnusedGoFirstAndNoMoreThanNeeded() async throws {
        disk.hold([
            image("a", names: "r.test/a:1", size: 100), image("b", names: "r.test/b:1", size: 100),
            image("c", names: "r.test/c:1", size: 100),
        ])
        try await add(.pods, "b", ["containers": [["name": "b", "image": "r.test/b:1"]]])
        try await add(.pods, "c", ["containers": [["name": "c", "image": "r.test/c:1"]]])
        var records = ImageRecords()
        try await collection().collect(&records)
        try await cluster.delete(ObjectReference(.pods, namespace: "shop", name: "c"), options: DeleteOptions())
        pass(300)
        try await collection().collect(&records)
        try await cluster.delete(ObjectReference(.pods, namespace: "shop", name: "b"), options: DeleteOptions())
        pass(300)
        disk.fill(600)
        // 900 of 1000 are used, 800 may be: one image goes, which nobody ever used.
        try await collection().collect(&records)
        #expect(disk.held == ["r.test/b:1", "r.test/c:1"])
        disk.fill(650)
        try await collection().collect(&records)
        #expect(disk.held == ["r.test/b:1"] && complaints.all.isEmpty)
    }

    @Test func youngImagesStayAndTheNodeComplains() async throws {
        disk.hold([image("a", names: "r.test/a:1", size: 100)])
        disk.fill(800)
        var records = ImageRecords()
        try await collection().collect(&records)
        pass(119)
        try await collection().collect(&records)
        #expect(disk.held == ["r.test/a:1"])
        #expect(complaints.all.last?.reason == "FreeDiskSpaceFailed")
        #expect(
            complaints.all.last?.message
                == "Failed to garbage collect required amount of images. Attempted to free 100 bytes, "
                + "but only found 0 bytes eligible to free."
        )
        pass(1)
        try await collection().collect(&records)
        #expect(disk.held.isEmpty && complaints.all.count == 2)
    }

    @Test func whatCanBeGoneBackToStays() async throws {
        let pinned = "r.test/d@\(digest("d"))"
        disk.hold([
            image("a", names: "r.test/a:1", size: 100), image("b", names: "r.test/b:1", size: 100),
            image("c", names: "r.test/c:1", size: 100), image("d", names: "r.test/d:7", size: 100),
            image("e", names: "r.test/e:1", size: 100),
        ])
        disk.fill(490)
        try await add(.deployments, "a", template("r.test/a:1"))
        try await add(.replicaSets, "b-1", template("r.test/b:1"))
        try await add(.jobs, "c", template("r.test/c:1"))
        try await add(.releases, "d-7", ["image": .string(pinned), "app": "d"])
        var records = ImageRecords()
        try await collection().collect(&records)
        pass(600)
        try await collection().collect(&records)
        #expect(disk.held == ["r.test/a:1", "r.test/b:1", "r.test/c:1", "r.test/d:7"])
    }

    @Test func nothingGoesWhileTheClusterDoesNotSayWhatItNeeds() async throws {
        disk.hold([image("a", names: "r.test/a:1", size: 900)])
        var records = ImageRecords()
        try await collection().collect(&records)
        pass(600)
        cluster.setFault { call in
            if call.type == .replicaSets { throw Failure(.unavailable, "not now") }
        }
        await #expect(throws: Failure.self) { try await collection().collect(&records) }
        #expect(disk.held == ["r.test/a:1"])
    }

    @Test func itLooksEveryFiveMinutesUntilItIsCancelled() async throws {
        let clock = CountedSleeps(limit: 3)
        let collection = collection(clock)
        await Task { await collection.run() }.value
        #expect(clock.durations == Array(repeating: .seconds(300), count: 3))
        #expect(cluster.calls.filter { $0.type == .pods }.count == 3)
    }
}

/// A disk that holds images and what else was put there.
private final class FakeDisk: PodImages {
    private struct State {
        var images: [HeldImage] = []
        var other: Int64 = 0
    }
    private let capacity: Int64
    private let state = Mutex(State())

    init(capacity: Int64) { self.capacity = capacity }

    func hold(_ images: [HeldImage]) { state.withLock { $0.images = images } }
    func fill(_ size: Int64) { state.withLock { $0.other = size } }

    var held: Set<String> { state.withLock { Set($0.images.flatMap(\.names)) } }

    var space: DiskSpace {
        state.withLock { state in
            let used = state.other + Int64(state.images.reduce(0) { $0 + $1.size })
            return DiskSpace(capacity: capacity, available: capacity - used)
        }
    }

    func heldImages() async -> [HeldImage] { state.withLock { $0.images } }

    func remove(_ image: HeldImage) async throws -> Bool {
        state.withLock { $0.images.removeAll { $0.manifest == image.manifest } }
        return true
    }

    func prepare(
        _ image: String,
        credentials: [RegistryCredentials],
        pullPolicy: ImagePullPolicy,
        willPull: @Sendable () async -> Void
    ) async throws -> PreparedImage { throw Failure(.unavailable, "nothing is pulled here") }

    func mountRootfs(_ image: PreparedImage, at folder: String) async throws -> String { folder }
    func unmountRootfs(at folder: String) async throws {}
}
