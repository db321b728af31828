// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import ServiceLifecycle
import Synchronization

/// A long-lived part as a service of the group: it ends by cancellation when the group shuts down.
struct Running: Service {
    let name: String
    let work: @Sendable () async throws -> Void

    init(_ name: String, _ work: @escaping @Sendable () async throws -> Void) {
        self.name = name
        self.work = work
    }

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await work() }
        } catch is CancellationError {
            return
        }
        // A part that ends by itself would end the whole group: it stays until the group stops.
        try? await gracefulShutdown()
    }
}

/// Does its work at its turn in the group's shutdown, when all that comes after it has stopped.
struct Farewell: Service {
    let work: @Sendable () async -> Void

    func run() async throws {
        try? await gracefulShutdown()
        await work()
    }
}

/// Opens once everything that was expected has reported in.
actor StartSignal {
    private var missing: Set<String>
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(expecting names: Set<String>) { missing = names }

    func report(_ name: String) {
        missing.remove(name)
        guard missing.isEmpty else { return }
        for each in waiting { each.resume() }
        waiting = []
    }

    func wait() async {
        guard !missing.isEmpty else { return }
        await withCheckedContinuation { waiting.append($0) }
    }
}
