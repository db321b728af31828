// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Testing

@testable import Assembly

@Suite struct LogFileTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "ballast-log-\(UUID().uuidString)").path

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    private func lines(_ names: [String]) -> [[String]] {
        names.map { name in
            let data = FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data()
            return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }

    @Test func aFullFileIsRenamedAndNoLineIsLost() {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = LogFile(path: "\(folder)/a.log", limit: 30, kept: 4)
        for number in 10..<22 { file.write("line \(number)..\n") }
        // Ten bytes a line, so three to a file.
        let found = lines(["a.log.3", "a.log.2", "a.log.1", "a.log"])
        #expect(found.map(\.count) == [3, 3, 3, 3])
        #expect(found.flatMap(\.self) == (10..<22).map { "line \($0).." })
    }

    @Test func onlyTheYoungestFilesAreKeptAlsoAfterARestart() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for number in 10..<40 { LogFile(path: "\(folder)/a.log", limit: 30, kept: 2).write("line \(number)..\n") }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["a.log", "a.log.1", "a.log.2"]
        )
        #expect(lines(["a.log.2"])[0].first == "line 31..")
        #expect(lines(["a.log"])[0].last == "line 39..")
    }

    @Test func linesOfSeveralThreadsStayWhole() async {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = LogFile(path: "\(folder)/a.log", limit: 1 << 10, kept: 100)
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask { for number in 0..<100 { file.write("writer \(writer) number \(number)\n") } }
            }
        }
        let found = lines(["a.log"] + (1...100).map { "a.log.\($0)" }).flatMap(\.self)
        let wanted = (0..<8).flatMap { writer in (0..<100).map { "writer \(writer) number \($0)" } }
        #expect(found.sorted() == wanted.sorted())
    }
}
