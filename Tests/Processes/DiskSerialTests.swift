// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import TestKit
import Testing

@Suite("a data folder that cannot be written", .serialized, .enabled(if: Programs.obstacle == nil))
struct DiskSerialTests {
    private static func temporary() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "ballast-disk-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    private func up(_ data: String) throws -> CommandResult {
        try Programs.run(Programs.ballast, ["up", "--data", data, "--port-offset", "\(PortOffset.next())"], limit: 60)
    }

    @Test(arguments: [1, 3])
    func anUpOnATinyDiskEndsWithOneErrorAndItsRemedy(_ megabytes: Int) throws {
        let disk = try SmallDisk(mebibytes: megabytes)
        let result = try up("\(disk.path)/data")
        #expect(result.code == 1, "\(result)")
        let lines = result.errors.split(separator: "\n")
        #expect(lines.count == 1 && result.errors.hasPrefix("error: the disk of the data folder '\(disk.path)/data'"))
        #expect(result.errors.contains("KiB left") && result.errors.contains("--data"), "\(result.errors)")
    }

    /// Something that is in the way of one part's start: before the parts run, and while they do.
    @Test(arguments: ["registry/blobs", "envoy/bootstrap.json.new/taken"])
    func aPartThatCannotStartEndsUpWithOneError(_ obstacle: String) throws {
        let data = try Self.temporary()
        defer { try? FileManager.default.removeItem(atPath: data) }
        let file = URL(filePath: "\(data)/\(obstacle)")
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data("in the way".utf8).write(to: file)
        let result = try up(data)
        #expect(result.code == 1, "\(result)")
        let lines = result.errors.split(separator: "\n")
        #expect(lines.count == 1 && result.errors.hasPrefix("error: "), "\(result.errors)")
        #expect(result.errors.contains(data), "\(result.errors)")
        #expect(Leftovers.of(data).isEmpty)
    }

    @Test func aDiskThatFillsUpRefusesWritesAndLosesNone() throws {
        let disk = try SmallDisk(mebibytes: 24)
        let machine = try RunningBallast(folder: "\(disk.path)/data")
        defer { machine.stop() }
        func names() throws -> Set<String> {
            let found = try machine.ask("get", "configmaps", "-n", "default", "-o", "name")
            return Set(found.split(separator: "\n").map(String.init)).subtracting(["configmap/kube-root-ca.crt"])
        }
        try machine.ask("create", "configmap", "before", "--from-literal=a=b")
        var acknowledged: Set = ["configmap/before"]
        let filler = try disk.fill()
        let text = String(repeating: "0123456789", count: 10_000)
        var refusals = 0
        for number in 1...6 {
            let written = try machine.kubectl("create", "configmap", "full-\(number)", "--from-literal=a=\(text)")
            if written.code == 0 { acknowledged.insert("configmap/full-\(number)") } else { refusals += 1 }
            if written.code != 0 { #expect(written.errors.contains("no space left"), "\(written.errors)") }
        }
        #expect(refusals > 0)
        #expect(try names() == acknowledged)
        try FileManager.default.removeItem(atPath: filler)
        try machine.ask("create", "configmap", "after", "--from-literal=a=b")
        acknowledged.insert("configmap/after")
        machine.killHard()
        try machine.restart()
        #expect(try names() == acknowledged)
    }
}
