// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Glibc
import Model

/// What a finished command said.
struct CommandResult {
    var code: Int32
    var output: String
    var errors: String
}

/// Starts real programs on loopback and waits for what they print.
enum Programs {
    /// The folder of the package.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// The built `ballast` beside this test bundle, or the one that `BALLAST_BINARY` names.
    static var ballast: String {
        if let named = ProcessInfo.processInfo.environment["BALLAST_BINARY"] { return named }
        let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let beside = URL(filePath: bundle).deletingLastPathComponent().appending(path: "ballast").path
        return FileManager.default.fileExists(atPath: beside) ? beside : "\(root)/.build/debug/ballast"
    }

    static func tool(_ name: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let folders = ["\(root)/.tools/bin"] + path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin"]
        return folders.map { "\($0)/\(name)" }.first { unsafe access($0, X_OK) == 0 }
    }

    /// Why no pod can run here; `nil` where it can.
    static var obstacle: String? {
        if geteuid() != 0 { return "needs root" }
        for name in ["runc", "ip", "envoy", "kubectl"] where tool(name) == nil { return "'\(name)' is missing" }
        return nil
    }

    /// Runs a program to its end; kills it after `limit`.
    static func run(
        _ program: String,
        _ arguments: [String],
        in folder: String? = nil,
        environment: [String: String] = [:],
        input: String? = nil,
        limit: TimeInterval = 120
    ) throws -> CommandResult {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        if let folder { process.currentDirectoryURL = URL(filePath: folder) }
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let output = FileManager.default.temporaryDirectory.appending(path: "ballast-test-\(UUID().uuidString)")
        let errors = output.appendingPathExtension("err")
        for file in [output, errors] { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
        defer { for file in [output, errors] { try? FileManager.default.removeItem(at: file) } }
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        if let input {
            let pipe = Pipe()
            process.standardInput = pipe
            try process.run()
            pipe.fileHandleForWriting.write(Data(input.utf8))
            try pipe.fileHandleForWriting.close()
        } else {
            process.standardInput = FileHandle.nullDevice
            try process.run()
        }
        let watchdog = DispatchWorkItem { kill(process.processIdentifier, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + limit, execute: watchdog)
        process.waitUntilExit()
        watchdog.cancel()
        func text(_ file: URL) -> String {
            String(decoding: FileManager.default.contents(atPath: file.path) ?? Data(), as: UTF8.self)
        }
        return CommandResult(code: process.terminationStatus, output: text(output), errors: text(errors))
    }
}
