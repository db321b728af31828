// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Logging
package import Model
package import Telemetry

/// Frees a registry's disk from time to time: of blobs that no manifest names, and of uploads that nobody goes on with.
///
/// Manifests stay, tagged or not: a release is pinned by digest, and may be gone back to.
package struct RegistryCleaner: Sendable {
    let store: RegistryStore
    let clock: any Clock<Duration>
    let wall: WallClock
    let telemetry: Telemetry

    /// How long a blob may wait for the manifest of its push.
    static let blobAge: Duration = .seconds(6 * 3600)
    /// How long an upload may rest before it is given up.
    package static let uploadAge: Duration = .seconds(24 * 3600)
    static let period: Duration = .seconds(3600)

    package init(store: RegistryStore, clock: any Clock<Duration>, wall: WallClock, telemetry: Telemetry) {
        self.store = store
        self.clock = clock
        self.wall = wall
        self.telemetry = telemetry
    }

    /// Cleans at once and then every hour, until cancelled.
    package func run() async {
        while !Task.isCancelled {
            await clean()
            try? await clock.sleep(for: Self.period)
        }
    }

    func clean() async {
        let now = wall.now
        do {
            try await store.removeUploads(before: now - Self.uploadAge)
            let report = try await store.collect(unusedSince: now - Self.blobAge)
            if report.blobs > 0 { telemetry.emit(RegistryCleaned(report: report)) }
        } catch {
            telemetry.emit(RegistryNotCleaned(error: error))
        }
    }
}

/// Blobs were removed that nobody needed.
struct RegistryCleaned: TelemetryEvent {
    let report: CollectionReport

    func record(on telemetry: Telemetry) {
        telemetry.log.info(
            "unneeded blobs removed",
            metadata: ["blobs": "\(report.blobs)", "bytes": "\(report.bytes)"]
        )
        telemetry.count("registry_blobs_removed_total")
    }
}

/// Something in the registry's folder could not be read or removed; nothing is lost by it but space.
struct RegistryNotCleaned: TelemetryEvent {
    let error: any Error

    func record(on telemetry: Telemetry) {
        telemetry.log.warning("the registry was not cleaned", metadata: ["error": "\(error)"])
        telemetry.count("registry_cleanings_failed_total")
    }
}
