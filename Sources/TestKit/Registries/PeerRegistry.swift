// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Glibc
import Testing

/// Debian's docker-registry as a process on loopback, with its own folder; it ends with the value.
package final class PeerRegistry {
    private let folder: String
    package private(set) var port = 0
    private var process = Process()

    package var host: String { "127.0.0.1:\(port)" }

    /// Where the program is, if `scripts/setup` brought it or the machine has it.
    package static let program: String? = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        return folders.map { "\($0)/docker-registry" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    /// `password` is for the user `tester`, `tokens` gives out tokens; without either anybody may come in. `storage` is a
    /// folder of the caller's.
    package init(password: String? = nil, tokens: TokenServer? = nil, storage: String? = nil) async throws {
        folder = FileManager.default.temporaryDirectory.path + "/ballast-peer-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        if let password { try Self.writePassword(password, to: "\(folder)/htpasswd") }
        // The port is free when it is asked for, and may be another's a moment later.
        for _ in 0..<5 {
            try start(hasPassword: password != nil, tokens, storage ?? "\(folder)/data")
            if try await listens() { return }
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        Issue.record("docker-registry does not answer on \(host)")
    }

    private func start(hasPassword: Bool, _ tokens: TokenServer?, _ storage: String) throws {
        port = try LoopbackSocket.freePort()
        var configuration = """
            version: 0.1
            log: {level: error}
            storage: {filesystem: {rootdirectory: \(storage)}, delete: {enabled: true}}
            http: {addr: "127.0.0.1:\(port)"}
            """
        if hasPassword { configuration += "\nauth: {htpasswd: {realm: test, path: \(folder)/htpasswd}}" }
        if let tokens {
            configuration +=
                "\nauth: {token: {realm: \"\(tokens.realm)\", service: \(TokenServer.service), issuer: tokens, rootcertbundle: \(tokens.certificate)}}"
        }
        try Data(configuration.utf8).write(to: URL(filePath: "\(folder)/config.yml"))
        process = Process()
        process.executableURL = URL(filePath: try #require(Self.program))
        process.arguments = ["serve", "\(folder)/config.yml"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    deinit {
        // It may have been started by a thread that blocks the other signals, and inherited that.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try? FileManager.default.removeItem(atPath: folder)
    }

    private static func writePassword(_ password: String, to file: String) throws {
        let python = Process()
        python.executableURL = URL(filePath: "/usr/bin/env")
        let script =
            "import crypt,sys; print('tester:'+crypt.crypt(sys.argv[1], crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)))"
        python.arguments = ["python3", "-W", "ignore", "-c", script, password]
        try Data().write(to: URL(filePath: file))
        python.standardOutput = try FileHandle(forWritingTo: URL(filePath: file))
        try python.run()
        python.waitUntilExit()
        try #require(python.terminationStatus == 0)
    }

    /// Whether it answers before it ends, within a time that is long for a busy machine.
    private func listens() async throws -> Bool {
        let deadline = ContinuousClock.now.advanced(by: .seconds(60))
        while ContinuousClock.now < deadline, process.isRunning {
            if let url = URL(string: "http://\(host)/v2/"), Self.answers(url) { return process.isRunning }
            try await Task.sleep(for: .milliseconds(50))  // a process tells nobody when it is ready
        }
        return false
    }

    private static func answers(_ url: URL) -> Bool {
        let curl = Process()
        curl.executableURL = URL(filePath: "/usr/bin/env")
        curl.arguments = ["curl", "-s", "-o", "/dev/null", "--max-time", "2", url.absoluteString]
        guard (try? curl.run()) != nil else { return false }
        curl.waitUntilExit()
        return curl.terminationStatus == 0
    }
}
