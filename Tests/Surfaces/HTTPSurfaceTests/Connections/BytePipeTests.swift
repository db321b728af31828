// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Testing

@testable import HTTPSurface

@Suite("bytes between tasks")
struct BytePipeTests {
    @Test func whatIsWrittenIsReadInOrderToTheEnd() async {
        let pipe = BytePipe(limit: 8)
        async let all: [UInt8] = {
            var all: [UInt8] = []
            while let bytes = await pipe.next() { all += bytes }
            return all
        }()
        for start in stride(from: 0, to: 200, by: 5) { await pipe.write((start..<(start + 5)).map { UInt8($0) }) }
        pipe.finish()
        #expect(await all == (0..<200).map { UInt8($0) })
    }

    @Test func whoWritesTooMuchWaitsForTheReader() async {
        let pipe = BytePipe(limit: 4)
        await pipe.write([1, 2, 3, 4])
        #expect(!pipe.isStalled)
        let writer = Task { await pipe.write([5]) }
        while !pipe.isStalled { await Task.yield() }
        #expect(await pipe.next() == [1, 2, 3, 4])
        await writer.value
        #expect(!pipe.isStalled)
        #expect(await pipe.next() == [5])
    }

    @Test func aReaderThatLeavesFreesTheWriter() async {
        let pipe = BytePipe(limit: 1)
        let writer = Task { await pipe.write([1, 2]) }
        while !pipe.isStalled { await Task.yield() }
        pipe.abandon()
        await writer.value
        await pipe.write([UInt8](repeating: 0, count: 100))
        #expect(await pipe.next() == nil)
    }

    @Test func cancelledTasksDoNotWait() async {
        let pipe = BytePipe(limit: 1)
        let reader = Task { await pipe.next() }
        reader.cancel()
        #expect(await reader.value == nil)
        let writer = Task { await pipe.write([1, 2]) }
        while !pipe.isStalled { await Task.yield() }
        writer.cancel()
        await writer.value
        #expect(await pipe.next() == [1, 2])
    }
}
