// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model

/// A container that was started, with what is needed to watch it, to run more in it, and to clear it away.
struct RunningContainer: Sendable {
    let bundle: ContainerBundle
    let process: ChildProcess
    let log: ContainerLog
    /// Where its input can be written or its terminal sized; `nil`: it reads nothing.
    var input: ProcessInput?
    /// Holds the bundle and the root file system.
    let folder: String
    let imageID: String
    let stopSignal: Int32
    let startedAt: Timestamp

    var id: ContainerID { bundle.id }
    var terminationFile: String { "\(folder)/termination-log" }

    /// Waits for its end and tells how it came about; the log is complete by then.
    func end(_ spec: ContainerSpec, _ services: PodServices) async -> Termination {
        let code = await process.wait()
        let finished = services.wall.now
        let isOutOfMemory = services.controlGroups.oomKills(bundle.cgroupsPath) > 0
        log.hurry()
        input?.close()
        await log.waitUntilComplete()
        return Termination(
            id: id,
            exitCode: Int(code),
            reason: isOutOfMemory ? "OOMKilled" : code == 0 ? "Completed" : "Error",
            message: message(spec, code: code),
            startedAt: startedAt,
            finishedAt: finished
        )
    }

    /// What the container left as its last words: its own file, or the end of its log where the pod wants that.
    private func message(_ spec: ContainerSpec, code: Int32) -> String? {
        let limit = 4096
        if let bytes = try? FileText.bytes(terminationFile, limit: limit), !bytes.isEmpty {
            return String(decoding: bytes, as: UTF8.self)
        }
        guard spec.terminationMessageFallsBackToLogs, code != 0 else { return nil }
        let tail = LogReader.lastText(of: log.path, lines: 80, bytes: 2048)
        return tail.isEmpty ? nil : tail
    }

    /// Removes what the runtime and the kernel keep of an ended container.
    func dispose(_ services: PodServices) async throws {
        try await services.runc.delete(id)
        try await Self.clear(folder, services)
    }

    /// Unmounts what is mounted in a container's folder and removes it.
    static func clear(_ folder: String, _ services: PodServices) async throws {
        try Mounts.detachAll(below: "\(folder)/parts")
        try await services.images.unmountRootfs(at: "\(folder)/root")
        try Folder.remove(folder)
    }

    /// The number of a signal by its name (`SIGQUIT`, `QUIT`) or digits; SIGTERM where there is none.
    static func signal(_ text: String) -> Int32 {
        if let number = Int32(text), (1..<65).contains(number) { return number }
        let name = text.uppercased()
        return signals[name.hasPrefix("SIG") ? String(name.dropFirst(3)) : name] ?? SIGTERM
    }

    private static let signals: [String: Int32] = [
        "HUP": SIGHUP, "INT": SIGINT, "QUIT": SIGQUIT, "ABRT": SIGABRT, "KILL": SIGKILL, "USR1": SIGUSR1,
        "USR2": SIGUSR2, "TERM": SIGTERM, "WINCH": SIGWINCH, "ALRM": SIGALRM, "PWR": SIGPWR, "CONT": SIGCONT,
    ]
}
