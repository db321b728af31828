// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model

/// Runs one more command in a running container: exec probes and hooks.
struct ContainerExec: Sendable {
    let services: PodServices
    let container: RunningContainer

    struct Outcome: Sendable, Equatable {
        /// `nil`: it ran out of time and was killed.
        var code: Int32?
        /// Standard output and error, the first 10 KiB.
        var output: String
    }

    /// Runs the command to its end, or kills it after `timeout`.
    func run(_ command: [String], timeout: Duration) async throws -> Outcome {
        let tag = ContainerID.random().text.prefix(12)
        let files = ["process", "pid", "log"].map { "\(container.folder)/exec-\(tag).\($0)" }
        defer { for file in files { unsafe unlink(file) } }
        var process = container.bundle.configuration["process"] ?? [:]
        process["args"] = .array(command.map { .string($0) })
        try FileText.write(process.text, to: files[0], mode: 0o600)
        let (capture, writeEnd) = try OutputCapture.pipe(limit: 10 * 1024)
        defer { capture.abandon() }
        let child: ChildProcess
        do {
            defer { close(writeEnd) }
            child = try await services.runc.exec(
                container.id,
                processFile: files[0],
                pidFile: files[1],
                log: files[2],
                output: writeEnd
            )
        }
        let code = await wait(for: child, timeout: timeout)
        return Outcome(code: code, output: capture.partialText)
    }

    /// Kills the command when time is up; either way it is collected before this returns.
    private func wait(for child: ChildProcess, timeout: Duration) async -> Int32? {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                _ = await child.wait()
                return false
            }
            group.addTask { [clock = services.clock] in
                guard (try? await clock.sleep(for: timeout)) != nil else { return false }
                let isLate = child.exitCode == nil
                child.signal(SIGKILL)
                return isLate
            }
            let isLate = await group.next() ?? false
            // Whoever cancels a probe or hook wants its command gone too.
            if Task.isCancelled { child.signal(SIGKILL) }
            group.cancelAll()
            await group.waitForAll()
            return isLate ? nil : child.exitCode
        }
    }
}
