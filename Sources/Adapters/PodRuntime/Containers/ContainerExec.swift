// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model
import Ports

/// Runs one more command in a running container: exec probes, hooks and sessions.
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
        let (capture, writeEnd) = try OutputCapture.pipe(limit: 10 * 1024)
        defer { capture.abandon() }
        let process: ExecutedProcess
        do {
            let end = Descriptor(owning: writeEnd)
            process = try await start(command, on: ChildStreams(output: end, errors: end))
        }
        let code = await wait(for: process, timeout: timeout)
        return Outcome(code: code, output: capture.partialText)
    }

    /// Starts the command on streams, which the caller lets go of so that their other ends learn of the end.
    func start(_ command: [String], on streams: ChildStreams) async throws -> ExecutedProcess {
        try await start(process(command), streams, console: nil)
    }

    /// Starts the command on a terminal of its own, which is returned beside it.
    func startOnTerminal(_ command: [String], size: TerminalSize?) async throws -> (ExecutedProcess, Descriptor) {
        var process = process(command)
        process["terminal"] = true
        if let size {
            process["consoleSize"] = ["width": JSON(max(0, size.width)), "height": JSON(max(0, size.height))]
        }
        var environment = process["env"]?.array ?? []
        if !environment.contains(where: { $0.string?.hasPrefix("TERM=") == true }) { environment.append("TERM=xterm") }
        process["env"] = .array(environment)
        let console = try ConsoleSocket(
            folder: container.folder,
            name: "console-\(ContainerID.random().text.prefix(12))"
        )
        defer { console.remove() }
        let started = try await start(process, ChildStreams(), console: console)
        do {
            return (started, try console.receive())
        } catch {
            started.signalAll(SIGKILL)
            throw error
        }
    }

    private func process(_ command: [String]) -> JSON {
        var process = container.bundle.configuration["process"] ?? [:]
        process["terminal"] = false
        process["args"] = .array(command.map { .string($0) })
        return process
    }

    private func start(
        _ process: JSON,
        _ streams: ChildStreams,
        console: ConsoleSocket?
    ) async throws -> ExecutedProcess {
        let tag = ContainerID.random().text.prefix(12)
        let files = ["process", "pid", "log"].map { "\(container.folder)/exec-\(tag).\($0)" }
        defer { for file in files { unsafe unlink(file) } }
        try FileText.write(process.text, to: files[0], mode: 0o600)
        let child = try await services.runc.exec(
            container.id,
            processFile: files[0],
            pidFile: files[1],
            log: files[2],
            streams: streams,
            console: console?.path
        )
        return ExecutedProcess(
            child: child,
            controlGroups: services.controlGroups,
            controlGroup: container.bundle.cgroupsPath
        )
    }

    /// Kills the command when time is up; either way it is collected before this returns.
    private func wait(for process: ExecutedProcess, timeout: Duration) async -> Int32? {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                _ = await process.child.wait()
                return false
            }
            group.addTask { [clock = services.clock] in
                guard (try? await clock.sleep(for: timeout)) != nil else { return false }
                let isLate = process.child.exitCode == nil
                process.signalAll(SIGKILL)
                return isLate
            }
            let isLate = await group.next() ?? false
            // Whoever cancels a probe or hook wants its command gone too.
            if Task.isCancelled { process.signalAll(SIGKILL) }
            group.cancelAll()
            await group.waitForAll()
            return isLate ? nil : process.child.exitCode
        }
    }
}
