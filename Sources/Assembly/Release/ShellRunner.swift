// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model
import Releases
import Subprocess
import SystemPackage

/// Runs the commands of an app file by `sh`, each in a process group of its own, which ends with the command, with the
/// task that waits for it, and with this process, even a killed one.
struct ShellRunner: CommandRunner {
    func run(
        _ command: String,
        in folder: String,
        timeout: Duration,
        output: @escaping @Sendable (String) async -> Void
    ) async throws -> Int32 {
        try await withThrowingTaskGroup(of: Int32?.self) { group in
            group.addTask { try await Self.execute(command, in: folder, output: output) }
            group.addTask {
                try await Task.sleep(for: timeout)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let code = first else {
                throw Failure(.deadlineExceeded, "'\(command)' took longer than \(timeout.components.seconds) s")
            }
            return code
        }
    }

    func reports(matching patterns: [String], in folder: String) async throws -> [ReportFile] {
        ReportFolder(path: folder).files(matching: patterns)
    }

    func contents(of report: ReportFile) async throws -> [UInt8] { try ReportFolder.contents(of: report) }

    /// Leaves a watcher in the group, nobody's child: its read ends when the pipe's other end closes, be it in our death.
    private static let watched = """
        exec 3<&0 </dev/null
        ( { read -r _ <&3; kill -KILL 0; } >/dev/null 2>&1 & )
        exec 3<&- /bin/sh -c "$1"
        """

    private static func execute(
        _ command: String,
        in folder: String,
        output: @escaping @Sendable (String) async -> Void
    ) async throws -> Int32 {
        let (watchEnd, lifeEnd) = try FileDescriptor.pipe()
        // The commands of other steps must not hold the end whose closing tells of ours.
        _ = fcntl(lifeEnd.rawValue, F_SETFD, FD_CLOEXEC)
        defer { try? lifeEnd.close() }
        var options = PlatformOptions()
        options.processGroupID = 0
        let result = try await Subprocess.run(
            .path("/bin/sh"),
            arguments: ["-c", watched, "sh", command],
            workingDirectory: FilePath(folder),
            platformOptions: options,
            input: .fileDescriptor(watchEnd, closeAfterSpawningProcess: true),
            output: .sequence,
            error: .combinedWithOutput
        ) { execution in
            let group = execution.processIdentifier.value
            try await withTaskCancellationHandler {
                var lines = OutputLines()
                for try await buffer in execution.standardOutput {
                    let text = unsafe buffer.bytes.withUnsafeBytes { unsafe Array($0) }
                    for line in lines.append(text) { await output(line) }
                }
                if let last = lines.finish() { await output(last) }
            } onCancel: {
                kill(-group, SIGKILL)
            }
        }
        try Task.checkCancellation()
        return switch result.terminationStatus {
        case .exited(let code): Int32(code)
        case .signaled(let signal): 128 + Int32(signal)
        }
    }
}

/// Cuts output into lines; a line of more than 64 KiB is cut so that memory stays bounded.
struct OutputLines {
    private var rest: [UInt8] = []
    private static let limit = 64 << 10

    mutating func append(_ bytes: [UInt8]) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == 0x0A || rest.count >= Self.limit {
                lines.append(text())
                rest.removeAll(keepingCapacity: true)
            }
            if byte != 0x0A { rest.append(byte) }
        }
        return lines
    }

    mutating func finish() -> String? {
        defer { rest = [] }
        return rest.isEmpty ? nil : text()
    }

    private func text() -> String {
        String(decoding: rest.last == 0x0D ? rest.dropLast() : rest[...], as: UTF8.self)
    }
}
