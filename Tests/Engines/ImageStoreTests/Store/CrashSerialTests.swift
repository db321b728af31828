// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
import Foundation
import Model
import Testing

@testable import ImageStore

/// `kill -9` in the middle of pushes, in a process of its own.
@Suite("the registry after a crash", .serialized)
struct CrashSerialTests {
    /// Pushes images without end, and writes a line for each that was acknowledged.
    private static func pushUntilKilled(_ folder: String, afterMicroseconds delay: UInt32) async throws {
        let registry = try RegistryCalls(folder: "\(folder)/store")
        let acknowledged = FileHandle(forWritingAtPath: "\(folder)/acknowledged")
        // The moment has to fall anywhere in the work, so it is a matter of time.
        Thread {
            usleep(delay)
            kill(getpid(), SIGKILL)
        }.start()
        await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<3 {
                group.addTask {
                    for number in 0... {
                        let name = String(repeating: "content of \(worker)-\(number)-", count: 2000)
                        let image = try await registry.pushImage(name, to: "shop/w\(worker)", as: "t\(number % 5)")
                        try acknowledged?.write(
                            contentsOf: Data("\(worker) \(number) \(image.digest) \(image.layer)\n".utf8)
                        )
                    }
                }
            }
        }
    }

    @Test(
        "what was acknowledged is there, whole, and nothing else is in the way",
        arguments: [40_000, 90_000, 170_000, 310_000]
    )
    func killed(_ delay: Int) async throws {
        let scratch = try Scratch()
        try scratch.write("acknowledged", "")
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = scratch.path as String, delay = delay as Int] in
            try await Self.pushUntilKilled(path, afterMicroseconds: UInt32(delay))
        }
        let registry = try RegistryCalls(folder: "\(scratch.path)/store", staleBefore: Timestamp(nanoseconds: .max))
        let lines = try String(contentsOfFile: "\(scratch.path)/acknowledged", encoding: .utf8).split(separator: "\n")
        if delay > 300_000 { #expect(!lines.isEmpty, "nothing was acknowledged, so nothing was tested") }
        for line in lines {
            let parts = line.split(separator: " ").map(String.init)
            let repository = "shop/w\(parts[0])"
            let manifest = await registry.call("GET", "/v2/\(repository)/manifests/\(parts[2])")
            #expect(ContentHash.digest(of: Array(manifest.document.utf8)).description == parts[2])
            let layer = await registry.call("GET", "/v2/\(repository)/blobs/\(parts[3])")
            #expect(ContentHash.digest(of: Array(await layer.text.utf8)).description == parts[3])
        }
        // The newest tag of each worker names the newest acknowledged image, or one whose answer was on its way.
        for (worker, group) in Dictionary(grouping: lines, by: { $0.split(separator: " ")[0] }) {
            let last = try #require(group.last).split(separator: " ")
            let number = try #require(Int(last[1]))
            let tag = await registry.call("GET", "/v2/shop/w\(worker)/manifests/t\(number % 5)")
            #expect(tag.header("Docker-Content-Digest") == String(last[2]))
        }
        for name in try Folder.names(in: "\(scratch.path)/store/blobs/sha256") {
            let bytes = try Folder.contents(of: "\(scratch.path)/store/blobs/sha256/\(name)")
            #expect(ContentHash.digest(of: bytes).hex == name)
        }
        #expect(try Folder.names(in: "\(scratch.path)/store/uploads") == [])
    }
}
