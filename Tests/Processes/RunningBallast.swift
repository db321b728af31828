// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Glibc
import Model
import Testing

/// A `ballast up` of its own, on a data folder and ports of its own.
final class RunningBallast {
    let folder: String
    let offset: Int
    private(set) var process: Process
    private let log: String

    static let kubernetesPort = 6443
    static let registryPort = 5000
    static let edgePort = 8080

    /// Starts it and waits for `ready`.
    init(folder: String? = nil, arguments: [String] = [], limit: TimeInterval = 120) throws {
        self.folder =
            folder ?? FileManager.default.temporaryDirectory.appending(path: "ballast-\(UUID().uuidString)").path
        offset = PortOffset.next()
        log = self.folder + ".out"
        process = Process()
        try start(arguments, limit)
    }

    private func start(_ arguments: [String], _ limit: TimeInterval) throws {
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        process = Process()
        process.executableURL = URL(filePath: Programs.ballast)
        process.arguments = ["up", "--data", folder, "--port-offset", "\(offset)"] + arguments
        process.currentDirectoryURL = URL(filePath: Programs.root)
        process.standardInput = FileHandle.nullDevice
        let handle = try FileHandle(forWritingTo: URL(filePath: log))
        process.standardOutput = handle
        process.standardError = handle
        try process.run()
        try wait("ready", limit: limit) { self.said.split(separator: "\n").contains("ready") }
    }

    /// Everything it printed.
    var said: String { String(decoding: FileManager.default.contents(atPath: log) ?? Data(), as: UTF8.self) }

    /// Polls a condition of the outside world, bounded in time.
    func wait(_ what: String, limit: TimeInterval = 90, until holds: () throws -> Bool) throws {
        let end = Date().addingTimeInterval(limit)
        while Date() < end {
            if try holds() { return }
            if !process.isRunning {
                throw Failure(.fault, "ballast ended with \(process.terminationStatus) before '\(what)':\n\(said)")
            }
            usleep(50000)
        }
        throw Failure(.deadlineExceeded, "no '\(what)' within \(limit) s:\n\(said.suffix(4000))")
    }

    /// Ctrl-C; returns the exit code.
    @discardableResult
    func stop() -> Int32 {
        if process.isRunning { kill(process.processIdentifier, SIGINT) }
        process.waitUntilExit()
        return process.terminationStatus
    }

    func killHard() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    func restart(limit: TimeInterval = 120) throws { try start([], limit) }

    /// Removes the data; call after `stop`.
    func clean() {
        try? FileManager.default.removeItem(atPath: folder)
        try? FileManager.default.removeItem(atPath: log)
    }

    var kubeconfig: String { "\(folder)/kubeconfig" }

    @discardableResult
    func kubectl(_ arguments: String..., input: String? = nil, limit: TimeInterval = 120) throws -> CommandResult {
        try kubectl(arguments, input: input, limit: limit)
    }

    @discardableResult
    func kubectl(_ arguments: [String], input: String? = nil, limit: TimeInterval = 120) throws -> CommandResult {
        let home = FileManager.default.temporaryDirectory.appending(path: "ballast-kubectl-\(offset)").path
        return try Programs.run(
            Programs.tool("kubectl") ?? "kubectl",
            arguments,
            environment: ["KUBECONFIG": kubeconfig, "HOME": home],
            input: input,
            limit: limit
        )
    }

    /// kubectl that must succeed; its output.
    @discardableResult
    func ask(_ arguments: String..., input: String? = nil) throws -> String {
        let result = try kubectl(arguments, input: input)
        guard result.code == 0 else {
            throw Failure(.fault, "kubectl \(arguments.joined(separator: " ")): \(result.errors)")
        }
        return result.output
    }

    func ballast(_ arguments: String..., limit: TimeInterval = 300) throws -> CommandResult {
        try Programs.run(Programs.ballast, arguments + ["--data", folder], in: Programs.root, limit: limit)
    }

    /// A request to the edge; status 0 where nobody answered.
    func edge(_ path: String, host: String) throws -> (status: Int, body: String) {
        let result = try Programs.run(
            Programs.tool("curl") ?? "curl",
            [
                "-s", "-m", "10", "-w", "\n%{http_code}", "-H", "Host: \(host)",
                "http://127.0.0.1:\(Self.edgePort + offset)\(path)",
            ]
        )
        var lines = result.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let status = Int(lines.popLast() ?? "") ?? 0
        return (status, lines.joined(separator: "\n"))
    }
}
