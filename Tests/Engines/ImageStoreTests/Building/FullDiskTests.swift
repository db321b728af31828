// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Ports
import TestKit
import Testing

@testable import ImageStore

/// What a full disk does to a build.
@Suite("a build on a full disk", .enabled(if: SmallDisk.obstacle == nil, "\(SmallDisk.obstacle ?? "")"))
struct FullDiskTests {
    @Test("it is named with its folder and what to do, leaves nothing behind, and goes on once there is room")
    func full() async throws {
        let (disk, scratch) = (try SmallDisk(mebibytes: 4), try Scratch())
        // Bytes that do not compress, more than there is room for at first.
        let source = "\(scratch.path)/app"
        try succeed("dd", ["if=/dev/urandom", "of=\(source)", "bs=1M", "count=2", "status=none"])
        let folder = "\(disk.path)/cache"
        let builder = LayeredImageBuilder(folder: folder)
        try FileManager.default.createDirectory(atPath: "\(folder)/layers", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: "\(folder)/keys", withIntermediateDirectories: true)
        let filler = try disk.fill()
        let plan = ImagePlan(files: [.init(source: source, destination: "/bin/app")], architecture: "amd64")
        let failure = try #require(await #expect(throws: Failure.self) { try await builder.build(plan) })
        #expect(failure.code == .fault)
        #expect(
            failure.message
                == "the image cannot be built: the disk of '\(folder)', where layers are kept, is full; free some space and release again"
        )
        #expect(failure.description.hasSuffix("No space left on device"), "\(failure.description)")
        #expect(try Folder.names(in: "\(folder)/layers") == [])
        try FileManager.default.removeItem(atPath: filler)
        let image = try await builder.build(plan)
        #expect(try FileStatus(of: image.layers[0].path).size == image.layers[0].size)
    }
}
