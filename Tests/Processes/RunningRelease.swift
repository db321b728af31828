// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Glibc

/// A `ballast release` beside the test, to be killed in its middle or waited for.
final class RunningRelease {
    let process = Process()
    let log: String

    init(_ machine: RunningBallast, _ folder: String) throws {
        log = "\(folder)/out-\(UUID().uuidString)"
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        let handle = try FileHandle(forWritingTo: URL(filePath: log))
        process.executableURL = URL(filePath: Programs.ballast)
        process.arguments = ["release", folder, "--data", machine.folder]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = handle
        process.standardError = handle
        try process.run()
    }

    var said: String { String(decoding: FileManager.default.contents(atPath: log) ?? Data(), as: UTF8.self) }

    func killHard() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
