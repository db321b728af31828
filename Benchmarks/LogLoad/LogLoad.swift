// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import KubeServer
import Model

/// Measures the object log alone: writes by several writers at once, a list, a paged list of the past, and opening.
///
/// `LogLoad FILE COUNT WRITERS`; the file must not exist yet. Each value is 1 KiB.
@main
struct LogLoad {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let count = Int(arguments[2]), let writers = Int(arguments[3]), count > 0,
            writers > 0
        else { throw Failure(.invalidInput, "usage: LogLoad FILE COUNT WRITERS") }
        let load = LogLoad(path: arguments[1], count: count, writers: writers)
        try await load.run()
    }

    let path: String
    let count: Int
    let writers: Int
    private let clock = ContinuousClock()

    private func open() throws -> ObjectLog {
        try ObjectLog(path: path, clock: WallClock { Timestamp(seconds: 1_800_000_000) })
    }

    private func run() async throws {
        let log = try open()
        let wrote = try await clock.measure { try await write(log) }
        print("writes: \(Int(Double(count) / (wrote / .seconds(1))))/s, \(count) values of 1 KiB by \(writers) writers")
        let middle = log.revision
        print("list of all: \(milliseconds(try clock.measure { _ = try log.list(prefix: "/") }))")
        let key = try log.list(prefix: "/", limit: 500).items.last?.key
        try await log.write("/late", expecting: .any) { _ in [] }
        let page = try clock.measure { _ = try log.list(prefix: "/", at: middle, after: key, limit: 500) }
        print("page of the past: \(milliseconds(page))")
        await log.close()
        print("open: \(milliseconds(try clock.measure { _ = try open() }))")
    }

    /// Each writer creates its share, one after the other.
    private func write(_ log: ObjectLog) async throws {
        let value = [UInt8](repeating: UInt8(ascii: "x"), count: 1024)
        try await withThrowingTaskGroup { group in
            for share in 0..<writers {
                group.addTask {
                    for number in stride(from: share, to: count, by: writers) {
                        try await log.write("/load/\(number)", expecting: .absent) { _ in value }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func milliseconds(_ duration: Duration) -> String { "\(duration / .milliseconds(1)) ms" }
}
