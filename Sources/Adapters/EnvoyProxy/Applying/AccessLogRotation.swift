// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc

/// Keeps the edge's access log from growing without end: one older file is kept beside it.
struct AccessLogRotation: Sendable {
    let configuration: EnvoyConfiguration
    let clock: any Clock<Duration>
    var limit = 64 << 20

    func run() async throws {
        while !Task.isCancelled {
            try await clock.sleep(for: .seconds(60))
            await rotate()
        }
    }

    func rotate() async {
        let path = configuration.accessLogPath
        guard let size = AtomicFile.size(path), size > limit, unsafe rename(path, "\(path).1") == 0 else { return }
        // One that cannot be asked has ended, and opens the new file when it is started again.
        try? await AdminClient(socket: configuration.adminSocket).reopenLogs()
    }
}
