// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Glibc
import Model

/// The folder that holds everything of one `ballast up`, and the lock that keeps a second one out.
struct DataFolder: Sendable {
    let path: String

    var kubeconfig: String { "\(path)/kubeconfig" }
    var certificates: String { "\(path)/pki" }
    var objects: String { "\(path)/kube/objects.sqlite" }
    var registry: String { "\(path)/registry" }
    var buildCache: String { "\(path)/build" }
    var baseCache: String { "\(buildCache)/bases" }
    var containerfileCache: String { "\(buildCache)/containerfiles" }
    var logs: String { "\(path)/logs" }
    var envoy: String { "\(path)/envoy" }
    var machineFile: String { "\(path)/machine.json" }
    /// Whose credential programs `up` may run.
    var pluginFile: String { "\(path)/plugins.json" }
    /// Which pods a stop still waits for.
    var stopFile: String { "\(path)/stopping.json" }
    private var lockFile: String { "\(path)/lock" }

    /// Creates the folder, readable by its owner alone. Throws `denied` or `fault` naming it.
    func create() throws { try create([path, "\(path)/kube", registry, buildCache, logs, envoy]) }

    /// Creates what releases need where no `up` runs.
    func createForReleases() throws { try create([path, buildCache, logs]) }

    private func create(_ folders: [String]) throws {
        do {
            for folder in folders {
                try FileManager.default.createDirectory(
                    atPath: folder,
                    withIntermediateDirectories: true,
                    attributes: [.posixPermissions: 0o700]
                )
            }
            try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
        } catch {
            throw Failure(
                .fault,
                "the data folder '\(path)' cannot be made: \(ErrorWords.text(of: error)); choose another with --data"
            )
        }
    }

    /// Takes the folder for this process until it ends. Throws `conflict` naming the process that has it.
    func lock() throws -> Int32 {
        let descriptor = unsafe open(lockFile, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw Failure(.fault, "the lock '\(lockFile)' cannot be opened: \(unsafe String(cString: strerror(errno)))")
        }
        guard Self.takes(descriptor) else {
            close(descriptor)
            let holder = holder.map { "process \($0)" } ?? "another process"
            throw Failure(
                .conflict,
                "the data folder '\(path)' is in use by \(holder); stop it with 'ballast down --data \(path)', or choose another folder with --data"
            )
        }
        _ = ftruncate(descriptor, 0)
        let text = "\(getpid())\n"
        _ = unsafe text.withCString { unsafe write(descriptor, $0, strlen($0)) }
        return descriptor
    }

    /// Whoever only looks whether the folder is locked has it for a moment: a second try gets past that.
    private static func takes(_ descriptor: Int32) -> Bool {
        for _ in 0..<10 {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
            usleep(10_000)
        }
        return false
    }

    /// Throws `unavailable` where no `up` runs on this folder.
    func demandMachine() throws {
        guard !isLocked else { return }
        let what =
            FileManager.default.fileExists(atPath: path) ? "no 'ballast up' runs on it" : "there is no such folder"
        throw Failure(
            .unavailable,
            "the data folder '\(path)': \(what); start one with 'ballast up --data \(path)', name another with --data, or a real home cluster with --context"
        )
    }

    /// The process that wrote the lock file; it may be gone.
    var holder: pid_t? {
        guard let text = try? String(contentsOfFile: lockFile, encoding: .utf8) else { return nil }
        return pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// Whether some process holds the lock now.
    var isLocked: Bool {
        let descriptor = unsafe open(lockFile, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_SH | LOCK_NB) == 0 else { return true }
        flock(descriptor, LOCK_UN)
        return false
    }
}
