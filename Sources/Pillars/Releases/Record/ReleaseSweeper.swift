// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model
package import Ports

/// Closes the records of releases whose process was killed, so that none stays "Running" until somebody releases anew.
///
/// It changes records and nothing else: what a killed release left in the cluster keeps running, and the next one takes over.
package struct ReleaseSweeper: Sendable {
    let cluster: any ClusterAPI
    let clock: WallClock
    let sleeper: any Clock<Duration>
    let hasEnded: @Sendable (ReleaseHolder) -> Bool?

    package init(
        cluster: any ClusterAPI,
        clock: WallClock,
        sleeper: any Clock<Duration> = ContinuousClock(),
        hasEnded: @escaping @Sendable (ReleaseHolder) -> Bool? = ReleaseHolder.hasEnded
    ) {
        self.cluster = cluster
        self.clock = clock
        self.sleeper = sleeper
        self.hasEnded = hasEnded
    }

    /// How soon a killed release is noticed.
    static let period = Duration.seconds(10)

    /// Sweeps until the task is cancelled. A cluster that does not answer is asked again the next time.
    package func run() async throws {
        let start = clock.now
        while true {
            try? await sweep(since: start)
            try await sleeper.sleep(for: Self.period)
        }
    }

    /// A holder elsewhere, which cannot be looked at, had no way to renew its record before `start`.
    func sweep(since start: Timestamp) async throws {
        for object in try await cluster.list(ListQuery(.releases)).items {
            guard let record = ReleaseRecord(object), record.phase == .running, isAbandoned(record, start) else {
                continue
            }
            let ended = record.abandoned
            // The resource version: the holder may have closed it since.
            var body: JSON = ["status": ended.status]
            body["metadata"] = ["resourceVersion": .string(object.resourceVersion.text)]
            _ = try await cluster.patch(
                record.reference,
                subresource: "status",
                .merge,
                body,
                options: WriteOptions()
            )
        }
    }

    private func isAbandoned(_ record: ReleaseRecord, _ start: Timestamp) -> Bool {
        if let seen = record.holder.flatMap(hasEnded) { return seen }
        return clock.now - max(record.renewed, start) > ReleaseBook.lapse
    }
}
