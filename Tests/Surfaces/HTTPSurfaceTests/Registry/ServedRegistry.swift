// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Hummingbird
import ImageStore
import Model
import Synchronization
import Testing

@testable import HTTPSurface

/// Serves a registry over a folder of its own on a free port of loopback while `work` runs.
func withServedRegistry(_ work: @Sendable (_ host: String, _ folder: String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.path + "/ballast-registry-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = try RegistryStore(folder: "\(folder)/store", removingUploadsBefore: Timestamp(seconds: 0))
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    let application = Application(
        responder: RegistryResponder(RegistryService(store), hosts: HostGuard(names: [])),
        configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { channel in port.yield(channel.localAddress?.port ?? 0) }
    )
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await application.run() }
        for await port in ports {
            try await work("127.0.0.1:\(port)", folder)
            break
        }
        group.cancelAll()
    }
}

/// Runs a program to its end and gives what it wrote; one that fails fails the test.
@discardableResult
func succeed(_ program: String, _ arguments: [String]) async throws -> String {
    let (status, output) = try await finish(program, arguments)
    try #require(status == 0, "\(program) \(arguments.joined(separator: " ")): \(output)")
    return output
}

func finish(_ program: String, _ arguments: [String]) async throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.standardInput = FileHandle.nullDevice
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    // The server under test needs this thread, so the process is waited for on another.
    return try await withCheckedThrowingContinuation { continuation in
        let thread = Thread {
            do {
                try process.run()
            } catch {
                return continuation.resume(throwing: error)
            }
            let output = pipe.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            continuation.resume(returning: (process.terminationStatus, String(decoding: output, as: UTF8.self)))
        }
        thread.start()
    }
}
