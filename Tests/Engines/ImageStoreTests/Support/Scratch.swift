// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Testing

/// A folder of a test's own, removed with the value.
final class Scratch {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/ballast-images-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file below the folder, and the folders above it.
    @discardableResult
    func write(_ name: String, _ content: String, isExecutable: Bool = false) throws -> String {
        let file = "\(path)/\(name)"
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent,
            withIntermediateDirectories: true
        )
        try Data(content.utf8).write(to: URL(filePath: file))
        let mode = isExecutable ? 0o755 : 0o644
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        return file
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: "\(path)/\(name)", withDestinationPath: target)
    }
}

/// What a finished process left behind.
struct Finished {
    var status: Int32
    var output: String
}

/// Runs a program to its end, both outputs joined.
func run(_ program: String, _ arguments: [String], in folder: String? = nil) throws -> Finished {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [program] + arguments
    if let folder { process.currentDirectoryURL = URL(filePath: folder) }
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Finished(status: process.terminationStatus, output: String(decoding: output, as: UTF8.self))
}

/// Runs a program that has to succeed.
@discardableResult
func succeed(_ program: String, _ arguments: [String], in folder: String? = nil) throws -> String {
    let finished = try run(program, arguments, in: folder)
    try #require(finished.status == 0, "\(program) \(arguments.joined(separator: " ")): \(finished.output)")
    return finished.output
}

/// Where a program is on `PATH`.
func find(_ program: String) throws -> String {
    try succeed("sh", ["-c", "command -v \(program)"]).trimmingCharacters(in: .whitespacesAndNewlines)
}
