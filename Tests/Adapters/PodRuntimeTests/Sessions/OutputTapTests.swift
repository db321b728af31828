// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CLinux
import Glibc
import Model
import Testing

@testable import PodRuntime

@Suite("reading along with a container")
struct OutputTapTests {
    private let folder: ScratchFolder
    init() throws { folder = try ScratchFolder() }

    private func makeLog() throws -> ContainerLog {
        try ContainerLog("\(folder.path)/0.log", limits: .init(), clock: WallClock { Timestamp(seconds: 1) })
    }

    private static let sent = (0..<(4 << 20)).map { UInt8(truncatingIfNeeded: $0 / 3) }

    /// A log of a container that writes ``sent`` and ends; the task ends with it.
    private func begin() throws -> (ContainerLog, Task<Void, any Error>) {
        let log = try makeLog()
        let (output, error) = (try makePipe(), try makePipe())
        close(error.writeEnd)
        #expect(ballast_set_blocking(output.writeEnd, 0) == 0)
        log.collect(output: output.readEnd, error: error.readEnd)
        let end = Descriptor(owning: output.writeEnd)
        return (log, Task { [end] in try await end.write(Self.sent) })
    }

    @Test func whoReadsAlongMissesNothingAndHoldsTheWriterUp() async throws {
        let (log, writer) = try begin()
        let (_, tap) = try #require(log.tap())
        while !tap.isFull { await Task.yield() }
        var all: [UInt8] = []
        while let pieces = await tap.next() {
            #expect(pieces.reduce(0) { $0 + $1.bytes.count } <= OutputTap.limit + 2 * Descriptor.pieceSize)
            all += pieces.flatMap(\.bytes)
        }
        // What was written before the tap is in the file alone.
        #expect(all.count > Self.sent.count / 2 && all == Self.sent.suffix(all.count))
        try await writer.value
        await log.waitUntilComplete()
        #expect(log.tap() == nil)
    }

    @Test func whoLeavesOrIsTooSlowAtTheEndHoldsNobodyUp() async throws {
        for leaves in [true, false] {
            let (log, writer) = try begin()
            let (number, tap) = try #require(log.tap())
            while !tap.isFull { await Task.yield() }
            if leaves { log.untap(number) } else { log.hurry() }
            try await writer.value
            await log.waitUntilComplete()
        }
    }
}
