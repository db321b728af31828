// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Logging
import Model
import Ports
import Telemetry

/// Frees the disk of images that nothing needs, by the kubelet's rule: above one mark the longest unused ones go, until
/// the disk is below another.
///
/// Needed is what a pod, a ReplicaSet, a Deployment, a Job, an App or a Release names: every revision and every release
/// that can be gone back to.
struct ImageCollection: Sendable {
    struct Limits: Sendable {
        /// In percent of the disk.
        var high = 85
        var low = 80
        /// Younger images stay.
        var minimumAge: Duration = .seconds(120)
        var period: Duration = .seconds(300)
    }

    let images: any PodImages
    let api: any ClusterAPI
    let clock: any Clock<Duration>
    let wall: WallClock
    let telemetry: Telemetry
    /// `nil` where nobody knows; nothing is removed then.
    let disk: @Sendable () -> DiskSpace?
    /// Tells the node's events what could not be done.
    let complain: @Sendable (PodEvent) -> Void
    var limits = Limits()

    /// Looks from time to time, until cancelled.
    func run() async {
        var records = ImageRecords()
        while !Task.isCancelled {
            do {
                try await collect(&records)
            } catch {
                telemetry.emit(NodeTrouble(what: "images not collected", subject: "images", error: error))
            }
            try? await clock.sleep(for: limits.period)
        }
    }

    func collect(_ records: inout ImageRecords) async throws {
        // Held first: what is pulled later is not on the list, and what is used later is not removed.
        let held = await images.heldImages()
        let needed = try await NeededImages.read(api)
        let now = wall.now
        records.observe(held, needed, at: now)
        guard let start = disk(), start.usedPercent >= limits.high else { return }
        var space = start
        for image in records.removable(at: now, minimumAge: limits.minimumAge) where space.excess(over: limits.low) > 0
        {
            guard try await images.remove(image) else { continue }
            guard let left = disk() else { return }
            telemetry.emit(ImageRemoved(image: image))
            space = left
        }
        let missing = space.excess(over: limits.low)
        guard missing > 0 else { return }
        let (wanted, freed) = (start.excess(over: limits.low), max(0, space.available - start.available))
        complain(
            PodEvent(
                .warning,
                "FreeDiskSpaceFailed",
                "Failed to garbage collect required amount of images. Attempted to free \(wanted) bytes, "
                    + "but only found \(freed) bytes eligible to free."
            )
        )
    }
}

/// How full a disk is, in bytes.
struct DiskSpace: Sendable, Hashable {
    var capacity: Int64
    var available: Int64

    var usedPercent: Int { capacity > 0 ? 100 - Int(available * 100 / capacity) : 0 }

    /// What has to go until no more than so much of the disk is used.
    func excess(over percent: Int) -> Int64 { capacity * Int64(100 - percent) / 100 - available }

    static func read(_ folder: String) -> DiskSpace? {
        var disk = statvfs()
        guard unsafe statvfs(folder, &disk) == 0, disk.f_blocks > 0 else { return nil }
        let size = Int64(disk.f_frsize)
        return DiskSpace(capacity: Int64(disk.f_blocks) * size, available: Int64(disk.f_bavail) * size)
    }
}

/// Since when each image is here and when it was last needed, as far as this run has seen.
struct ImageRecords: Sendable {
    private struct Record: Sendable {
        var image: HeldImage
        var detected: Timestamp
        var lastNeeded: Timestamp?
    }

    private var records: [Digest: Record] = [:]

    mutating func observe(_ held: [HeldImage], _ needed: NeededImages, at now: Timestamp) {
        var next: [Digest: Record] = [:]
        for image in held {
            var record = records[image.manifest] ?? Record(image: image, detected: now)
            record.image = image
            if needed.contain(image) { record.lastNeeded = now }
            next[image.manifest] = record
        }
        records = next
    }

    /// What is not needed now and old enough; the longest unneeded first, then the longest known.
    func removable(at now: Timestamp, minimumAge: Duration) -> [HeldImage] {
        records.values
            .filter { $0.lastNeeded != now && now - $0.detected >= minimumAge }
            .sorted { left, right in
                let (first, second) = (left.lastNeeded?.nanoseconds ?? .min, right.lastNeeded?.nanoseconds ?? .min)
                if first != second { return first < second }
                if left.detected != right.detected { return left.detected < right.detected }
                return left.image.manifest.hex < right.image.manifest.hex
            }
            .map(\.image)
    }
}

/// An image was removed to free the disk.
struct ImageRemoved: TelemetryEvent {
    let image: HeldImage

    func record(on telemetry: Telemetry) {
        telemetry.log.info(
            "image removed to free the disk",
            metadata: ["image": "\(image.names.sorted().first ?? image.manifest.description)"]
        )
        telemetry.count("images_removed_total")
    }
}
