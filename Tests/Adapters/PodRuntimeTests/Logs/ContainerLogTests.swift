// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model
import Ports
import Testing

@testable import PodRuntime

@Suite("container logs")
struct ContainerLogTests {
    private static let start = Timestamp(seconds: 1_800_000_000)
    private let folder: ScratchFolder
    private var path: String { "\(folder.path)/0.log" }

    init() throws { folder = try ScratchFolder() }

    private func frame(_ pieces: [String], ends: Bool = true) -> [String] {
        var framing = LogFraming(.stdout)
        var output: [UInt8] = []
        for piece in pieces { framing.add(Array(piece.utf8)[...], at: Self.start, to: &output) }
        if ends { framing.finish(at: Self.start, to: &output) }
        return String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private static let prefix = "2027-01-15T08:00:00.000000000Z stdout"

    @Test func linesAreFramedWhateverPiecesTheyComeIn() {
        #expect(frame(["one\ntw", "o\n", "\nthree"]) == ["one", "two", "", "three"].map { "\(Self.prefix) F \($0)" })
        #expect(frame(["unfinished"], ends: false).isEmpty)
    }

    @Test func longLinesAreCutIntoPartsOfSixteenKibibytes() {
        let limit = LogFraming.pieceLimit
        let exact = frame([String(repeating: "x", count: limit) + "\n"])
        #expect(exact.count == 1 && exact[0].hasPrefix("\(Self.prefix) F x"))
        let long = frame([String(repeating: "x", count: limit), String(repeating: "y", count: limit + 1) + "\n"])
        #expect(long.map { $0.split(separator: " ")[2] } == ["P", "P", "F"])
        #expect(long.map { $0.split(separator: " ")[3].count } == [limit, limit, 1])
    }

    /// Writes through pipes, as a container does, and returns when the log is complete.
    private func write(_ text: String, limits: ContainerLog.Limits = .init()) async throws -> ContainerLog {
        let log = try ContainerLog(path, limits: limits, clock: WallClock { Self.start })
        let (output, error) = (try makePipe(), try makePipe())
        log.collect(output: output.readEnd, error: error.readEnd)
        close(error.writeEnd)
        #expect(FileText.writeAll(Array(text.utf8)[...], to: output.writeEnd))
        close(output.writeEnd)
        await log.waitUntilComplete()
        return log
    }

    private func read(_ change: (inout LogOptions) -> Void = { _ in }) async -> String {
        var options = LogOptions()
        change(&options)
        let reader = LogReader(path, options, changes: nil)
        var bytes: [UInt8] = []
        while let piece = await reader.next() { bytes += piece }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func whatWasWrittenIsReadBack() async throws {
        _ = try await write("one\ntwo\nthree\n")
        #expect(await read() == "one\ntwo\nthree\n")
        #expect(await read { $0.tailLines = 2 } == "two\nthree\n")
        #expect(await read { $0.tailLines = 0 } == "")
        #expect(await read { $0.tailLines = 9 } == "one\ntwo\nthree\n")
        #expect(await read { $0.limitBytes = 6 } == "one\ntw")
        #expect(await read { $0.hasTimestamps = true }.hasPrefix("2027-01-15T08:00:00.000000000Z one\n"))
        #expect(await read { $0.since = Self.start + .seconds(1) } == "")
        #expect(await read { $0.since = Self.start }.hasPrefix("one\n"))
    }

    @Test func aLongLineIsOneLineToReaders() async throws {
        let long = String(repeating: "abc", count: 20_000)
        _ = try await write("first\n\(long)\nlast\n")
        #expect(await read { $0.tailLines = 2 } == "\(long)\nlast\n")
        #expect(await read { $0.hasTimestamps = true }.split(separator: "\n").count == 3)
        #expect(LogReader.lastText(of: path, lines: 2, bytes: 10) == "bcabc\nlast\n".suffix(10))
    }

    @Test func filesAreRotatedAndTheOldestGo() async throws {
        let text = (0..<2000).map { "line \($0)" }.joined(separator: "\n") + "\n"
        _ = try await write(text, limits: .init(fileSize: 16 * 1024, files: 3))
        let files = LogFiles.all(of: path)
        #expect(files.count <= 3 && files.last == path)
        let kept = await read().split(separator: "\n")
        #expect(kept.last == "line 1999")
        let first = try #require(kept.first.flatMap { Int($0.dropFirst(5)) })
        #expect(kept.count == 2000 - first)
        #expect(await read { $0.tailLines = 3 } == "line 1997\nline 1998\nline 1999\n")
    }

    @Test func aFollowerSeesEveryLineAcrossRotation() async throws {
        let log = try ContainerLog(
            path,
            limits: .init(fileSize: 8 * 1024, files: 50),
            clock: WallClock { Self.start }
        )
        let (output, error) = (try makePipe(), try makePipe())
        log.collect(output: output.readEnd, error: error.readEnd)
        close(error.writeEnd)
        var options = LogOptions()
        options.follows = true
        let reader = LogReader(path, options, changes: log.follow())
        let text = (0..<3000).map { "line \($0)\n" }.joined()
        async let written: Void = OwnThread.run {
            _ = FileText.writeAll(Array(text.utf8)[...], to: output.writeEnd)
            close(output.writeEnd)
        }
        var bytes: [UInt8] = []
        while let piece = await reader.next() { bytes += piece }
        try await written
        #expect(String(decoding: bytes, as: UTF8.self) == text)
    }

    @Test func aFollowerIsForgottenTheMomentItEnds() async throws {
        let log = try ContainerLog(path, limits: .init(), clock: WallClock { Self.start })
        defer { log.abandon() }
        do {
            let stream = log.follow()
            #expect(log.followerCount == 1)
            await withTaskGroup { group in
                group.addTask { for await _ in stream {} }
                group.cancelAll()
            }
        }
        #expect(log.followerCount == 0)
    }

    @Test func followersComeAndGoWhileTheLogIsWritten() async throws {
        let log = try ContainerLog(path, limits: .init(), clock: WallClock { Self.start })
        let (output, error) = (try makePipe(), try makePipe())
        log.collect(output: output.readEnd, error: error.readEnd)
        close(error.writeEnd)
        async let written: Void = OwnThread.run {
            for number in 0..<2000 { _ = FileText.writeAll(Array("line \(number)\n".utf8)[...], to: output.writeEnd) }
            close(output.writeEnd)
        }
        await withTaskGroup { group in
            for _ in 0..<50 {
                group.addTask {
                    await withTaskGroup { inner in
                        inner.addTask { for await _ in log.follow() {} }
                        inner.addTask { await Task.yield() }
                        await inner.next()
                        inner.cancelAll()
                    }
                }
            }
        }
        try await written
        await log.waitUntilComplete()
        #expect(log.followerCount == 0)
    }
}
